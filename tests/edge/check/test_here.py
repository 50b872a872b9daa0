"""What a check finds at the kiosk itself."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from edge.cache import Cache
from edge.check.here import check_certificates, check_clock, check_keys, check_store
from edge.check.line import Line, State
from edge.settings import Settings
from provisioning.authority import Authority
from provisioning.rotation import CentreKeyFiles, Kind
from tests.edge.lane import moment
from tests.edge.test_credentials import provisioned

NOW = datetime.now(UTC)


@pytest.fixture
def settings(tmp_path) -> Settings:
    return provisioned(tmp_path)


def bad(lines: Iterable[Line]) -> list[tuple[str, State]]:
    """Return what is not good; every such line says what to do."""
    found = [line for line in lines if line.state is not State.OK]
    assert all(line.detail and line.remedy for line in found)
    return [(line.what, line.state) for line in found]


def test_a_kiosk_as_it_was_provisioned_is_good(settings, tmp_path) -> None:
    Cache.open(tmp_path / "cache.db").close()
    assert bad(check_keys(settings)) == []
    assert bad(check_certificates(settings, "utopia/lane-1", NOW)) == []
    assert bad(check_clock(moment(0))) == []
    assert [what for what, _ in bad(check_store(settings))] in ([], ["room"])


def test_a_store_that_is_not_there_yet_is_a_warning_and_a_broken_one_is_a_failure(settings, tmp_path) -> None:
    assert ("store", State.WARN) in bad(check_store(settings))
    (tmp_path / "cache.db").write_bytes(b"x" * 8192)
    assert ("store", State.FAILED) in bad(check_store(settings))


def test_stores_that_a_salvage_put_aside_are_told(settings, tmp_path) -> None:
    Cache.open(tmp_path / "cache.db").close()
    (tmp_path / "cache.db.damaged-1").touch()
    assert ("store", State.WARN) in bad(check_store(settings))


@pytest.mark.parametrize(("state", "how"), [("holdover", State.WARN), ("unset", State.FAILED)])
def test_a_clock_that_nobody_vouches_for_is_told(state, how) -> None:
    assert bad(check_clock(moment(0, state))) == [("clock", how)]


def test_keys_that_are_missing_open_to_others_or_of_the_wrong_kind_are_told(settings, tmp_path) -> None:
    record, opening, receipt = tmp_path / "record.key.json", "centre/opening.pub.json", "centre/receipt.pub.json"
    os.chmod(record, 0o644)
    assert bad(check_keys(settings)) == [("key record", State.FAILED)]
    record.unlink()
    (tmp_path / opening).write_bytes((tmp_path / receipt).read_bytes())
    (tmp_path / receipt).write_bytes((tmp_path / "centre/receipt.key.json").read_bytes())
    assert [what for what, _ in bad(check_keys(settings))] == ["key record", "key opening", "key receipt"]


def test_both_receipt_keys_are_shown_while_the_centre_rotates_them(settings, tmp_path) -> None:
    CentreKeyFiles(tmp_path / "centre").rotate(Kind.RECEIPT)
    lines = list(check_keys(settings))
    assert bad(lines) == []
    assert [line.what for line in lines] == ["key record", "key opening", "key receipt", "key receipt"]


def test_a_certificate_of_another_name_another_authority_or_another_key_is_told(settings, tmp_path) -> None:
    assert bad(check_certificates(settings, "utopia/lane-2", NOW)) == [("certificate", State.FAILED)]
    other = Authority.create(tmp_path / "other")
    for path in tmp_path.glob("client.*"):
        path.unlink()
    (tmp_path / "ca.crt").rename(tmp_path / "right.crt")
    other.issue_kiosk(tmp_path, "utopia", "lane-1")
    (tmp_path / "right.crt").replace(tmp_path / "ca.crt")
    assert ("certificate", State.FAILED) in bad(check_certificates(settings, "utopia/lane-1", NOW))


@pytest.mark.parametrize(
    ("days", "state"), [(10_000, State.FAILED), (-100, State.FAILED)], ids=["expired", "not valid yet"]
)
def test_a_certificate_out_of_its_time_is_told(settings, days, state) -> None:
    found = bad(check_certificates(settings, "utopia/lane-1", NOW + timedelta(days=days)))
    assert ("certificate", state) in found and ("authority", state) in found


def test_a_private_key_that_others_may_read_or_that_is_not_the_certificates_is_told(settings, tmp_path) -> None:
    key = tmp_path / "client.key"
    os.chmod(key, 0o640)
    assert bad(check_certificates(settings, "utopia/lane-1", NOW)) == [("key TLS", State.FAILED)]
    key.unlink()
    assert bad(check_certificates(settings, "utopia/lane-1", NOW)) == [("key TLS", State.FAILED)]


def test_no_line_shows_a_private_key(settings, tmp_path) -> None:
    lines = [*check_keys(settings), *check_certificates(settings, "utopia/lane-1", NOW)]
    assert json.loads((tmp_path / "record.key.json").read_text())["d"] not in repr(lines)
