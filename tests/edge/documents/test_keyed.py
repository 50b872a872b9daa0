"""What an officer keys in: each field with its verdict, nothing refused."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.documents.keyed import FIELDS, full_date, keyed
from edge.documents.verdict import Result

TODAY = date(2012, 1, 2)
SPECIMEN = {
    "document_code": "P",
    "issuing_state": "UTO",
    "document_number": "L898902C3",
    "primary_identifier": "Eriksson",
    "secondary_identifier": "Anna Maria",
    "nationality": "UTO",
    "date_of_birth": "1974-08-12",
    "sex": "F",
    "date_of_expiry": "2012-04-15",
}


def verdict(check: str, *, today: date | None = TODAY, is_document: bool = True, **typed: str) -> tuple[str, str]:
    """Return the result and the detail of one check of the specimen with some fields typed otherwise."""
    document = keyed({**SPECIMEN, **typed}, source="manual", today=today, is_document=is_document)
    (found,) = [one for one in document.verdicts if one.check == check]
    return found.result.value, found.detail


def test_the_specimen_of_doc_9303_is_good_but_for_being_a_specimen() -> None:
    document = keyed(SPECIMEN, source="manual", today=TODAY)
    assert (document.kind, document.source) == ("TD", "manual")
    assert document.fields == {**SPECIMEN, "primary_identifier": "ERIKSSON", "secondary_identifier": "ANNA MARIA"}
    assert [one.check for one in document.verdicts if one.result is not Result.OK] == ["specimen"]


@pytest.mark.parametrize(("code", "kind"), [("V", "MRV"), ("vn", "MRV"), ("ID", "TD"), ("", "TD")])
def test_a_visa_is_known_by_its_code(code, kind) -> None:
    assert keyed({**SPECIMEN, "document_code": code}, source="manual", today=TODAY).kind == kind


@pytest.mark.parametrize(
    ("check", "typed", "result", "detail"),
    [
        ("document_code", {"document_code": "Z"}, "failed", "not one or two letters that begin with P, A, C, I or V"),
        ("issuing_state", {"issuing_state": "XYZ"}, "failed", "not a code of Doc 9303-3 section 5"),
        ("issuing_state", {"issuing_state": "d"}, "ok", ""),
        ("issuing_state", {"issuing_state": "XXA"}, "doubtful", "a code of the kind person"),
        ("nationality", {"nationality": "XXA"}, "ok", ""),
        ("nationality", {"nationality": ""}, "failed", "not given"),
        ("document_number", {"document_number": "l898-902 c3"}, "ok", ""),
        ("document_number", {"document_number": "L898*"}, "failed", "not letters and digits alone"),
        ("document_number", {"document_number": " - "}, "failed", "no document number"),
        ("names", {"secondary_identifier": ""}, "ok", ""),
        ("names", {"primary_identifier": ""}, "doubtful", "no primary identifier"),
        ("names", {"primary_identifier": "", "secondary_identifier": ""}, "failed", "no name"),
        ("names", {"primary_identifier": "李"}, "doubtful", "a character has no spelling in the zone's alphabet"),
        ("date_of_birth", {"date_of_birth": "1974-02-30"}, "failed", "no such day"),
        ("date_of_birth", {"date_of_birth": "1974"}, "ok", "not known to the day"),
        ("date_of_birth", {"date_of_birth": "2012-01-03"}, "failed", "after today"),
        ("sex", {"sex": "<"}, "ok", ""),
        ("sex", {"sex": "W"}, "failed", "not M, F or X"),
        ("validity", {"date_of_expiry": "2012-01-02"}, "ok", ""),
        ("validity", {"date_of_expiry": "2012-01-01"}, "failed", "expired"),
        ("validity", {"date_of_expiry": "2012-01"}, "doubtful", "the date of expiry is not given to the day"),
        ("validity", {"date_of_expiry": ""}, "not_done", "no date of expiry was given"),
        ("validity", {"date_of_expiry": "15.04.2012"}, "not_done", "date_of_expiry was not read"),
    ],
)
def test_each_field_has_its_verdict(check, typed, result, detail) -> None:
    assert verdict(check, **typed) == (result, detail)


def test_nothing_that_needs_the_date_is_done_while_the_clock_is_unset() -> None:
    assert verdict("validity", today=None) == ("not_done", "clock unset")
    assert verdict("date_of_birth", today=None, date_of_birth="2099-01-01") == ("ok", "")


def test_names_are_spelt_as_the_zone_spells_them() -> None:
    document = keyed({**SPECIMEN, "primary_identifier": "Müller-Łukašenka"}, source="manual", today=TODAY)
    assert document.fields["primary_identifier"] == "MUELLER LUKASENKA"


def test_a_person_without_a_document_has_only_what_is_known_of_them() -> None:
    known = {"primary_identifier": "Eriksson", "date_of_birth": "1974"}
    document = keyed(known, source="manual", today=TODAY, is_document=False)
    assert (document.kind, document.fields) == (
        "none",
        {"primary_identifier": "ERIKSSON", "date_of_birth": "1974-XX-XX"},
    )
    assert {one.check for one in document.verdicts} == {"names", "date_of_birth"}


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("1974-08-12", "1974-08-12"), ("1974-08", "1974-08-XX"), ("1974", "1974-XX-XX"), ("xxxx", "XXXX-XX-XX"),
        ("1974-xx-xx", "1974-XX-XX"), ("2012-02-29", "2012-02-29"), ("2011-02-29", None), ("1974-XX-12", None),
        ("XXXX-08-12", None), ("1974-13", None), ("0000-01-01", None), ("12.8.1974", None), ("", None),
        ("740812", None),
    ],
)  # fmt: skip
def test_a_day_may_be_known_in_part(typed, day) -> None:
    assert full_date(typed) == day


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=200)), st.booleans())
def test_whatever_is_typed_gets_a_verdict_and_no_detail_quotes_it(typed, is_document) -> None:
    document = keyed(typed, source="paper", today=TODAY, is_document=is_document)
    details = {one.detail for one in document.verdicts}
    assert all(text not in details for text in typed.values() if text)
    assert all(len(str(value)) <= 1000 for value in document.fields.values())
