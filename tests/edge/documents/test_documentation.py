"""docs/documents.md says what the code does: every check by its name, every kind, the words of the trust list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge.documents import aamva, bcbp, crosscheck, dcc, magstripe, mrz, standing, vds, vds_nc
from edge.documents.trust import TrustList
from edge.documents.verdict import Document, Result
from tests.edge.documents.mrz.specimens import SPECIMENS

TEXT = (Path(__file__).parents[3] / "docs" / "documents.md").read_text(encoding="utf-8")
CHECKS = {
    *(check.__name__ for checks in mrz.CHECKS.values() for check in checks),
    *(check for standard in (bcbp, aamva, magstripe, vds, vds_nc, dcc) for check in standard.CHECKS),
    "understood",
}
NO_DOCUMENT = Document("unknown", "mrz", {}, ())
CROSSCHECKS = {
    one.check
    for found in (
        crosscheck.boarding_pass_and_document(NO_DOCUMENT, NO_DOCUMENT),
        crosscheck.visa_and_passport(NO_DOCUMENT, NO_DOCUMENT),
    )
    for one in found
}


def described() -> list[str]:
    """Return every check that a table names."""
    tables = TEXT.partition("<!-- checks:begin -->")[2].partition("<!-- checks:end -->")[0]
    firsts = [line.split("|")[1] for line in tables.splitlines() if line.startswith("| `")]
    return [name for first in firsts for name in re.findall(r"`(\w+)`", first)]


def test_every_check_is_described_and_no_other() -> None:
    assert set(described()) == CHECKS | CROSSCHECKS


def test_every_kind_of_zone_is_named() -> None:
    assert [kind for kind in SPECIMENS if f"`{kind}`" not in TEXT] == []


@pytest.mark.parametrize("result", list(Result))
def test_every_result_is_explained(result) -> None:
    assert f"| `{result}` |" in TEXT


@pytest.mark.parametrize(
    "words",
    [
        standing.UNKNOWN_SIGNER, standing.EXPIRED_SIGNER, standing.EARLY_SIGNER, standing.REVOKED_SIGNER,
        standing.WRONG_PURPOSE, standing.FORGED, standing.WEAK_KEY, standing.STALE,
    ],
)  # fmt: skip
def test_the_words_of_a_signature_are_explained(words) -> None:
    assert f'"{words}"' in TEXT


def test_the_limits_of_the_score_are_those_of_the_code() -> None:
    assert f"ok from {crosscheck.OK_FROM:g}, failed below {crosscheck.DOUBTFUL_FROM:g}" in TEXT


def test_the_trust_list_that_is_shown_has_the_form_that_is_read() -> None:
    shown = TEXT.partition('    {"issued_at"')[1:]
    example = "".join(shown).partition("\n\n")[0]
    listed = TrustList.from_bytes(re.sub(r"<[^>]*hex>", "00" * 16, re.sub(r"<[^>]*base64>", "AAAA", example)).encode())
    assert len(listed.unreadable) == 3  # three keys that are none; the form itself was read
