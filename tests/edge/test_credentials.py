"""What the kiosk's keys and certificates are."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edge.config import load
from edge.credentials import keys_health, load_certificate
from edge.errors import SealError
from edge.settings import Settings
from edge.wire.health import KeysHealth
from provisioning.authority import Authority, make_centre_keys, make_kiosk_keys

KIOSK_TOML = """
[kiosk]
site = "utopia"
name = "lane-1"
[[lanes]]
name = "left"
[store]
keep_receipted_h = 24
[keys]
record = "record.key.json"
opening = "centre/opening.pub.json"
receipt = ["centre/receipt.pub.json"]
[uplink]
host = "localhost"
ca = "ca.crt"
certificate = "client.crt"
key = "client.key"
"""


def provisioned(folder: Path) -> Settings:
    """Make the keys, certificates and settings of a kiosk in a folder."""
    authority = Authority.create(folder / "authority")
    make_centre_keys(folder / "centre")
    make_kiosk_keys(folder)
    authority.issue_kiosk(folder, "utopia", "lane-1")
    (folder / "kiosk.toml").write_text(KIOSK_TOML)
    return load(folder / "kiosk.toml")


def test_the_certificate_and_every_key_are_named_and_no_private_key_is_told(tmp_path) -> None:
    settings = provisioned(tmp_path)
    found = msgspec.to_builtins(keys_health(settings))
    assert set(found) == {field.name for field in msgspec.structs.fields(KeysHealth)}
    assert found["certificate_expires_at"].endswith("Z") and found["authority_expires_at"].endswith("Z")
    assert len({found["record_key"], found["opening_key"], *found["receipt_keys"]}) == 3
    private = msgspec.json.decode((tmp_path / "record.key.json").read_bytes())["d"]
    assert private not in repr(found)


def test_what_cannot_be_read_is_left_out(tmp_path) -> None:
    settings = provisioned(tmp_path)
    for name in ("client.crt", "record.key.json"):
        (tmp_path / name).unlink()
    (tmp_path / "ca.crt").write_text("nonsense")
    (tmp_path / "record.key.json").write_text("{}")
    assert set(msgspec.to_builtins(keys_health(settings))) == {"opening_key", "receipt_keys"}


def test_a_certificate_tells_its_name_and_until_when_it_is_good(tmp_path) -> None:
    provisioned(tmp_path)
    certificate = load_certificate(tmp_path / "client.crt")
    assert certificate.name == "utopia/lane-1"
    assert certificate.expires_at.year > 2026


@pytest.mark.parametrize(("content", "why"), [(None, "cannot be read"), ("x", "is not a certificate in PEM form")])
def test_what_is_no_certificate_is_named(tmp_path, content, why) -> None:
    if content is not None:
        (tmp_path / "a.crt").write_text(content)
    with pytest.raises(SealError, match=f"a.crt: {why}"):
        load_certificate(tmp_path / "a.crt")
