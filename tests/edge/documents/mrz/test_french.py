"""The French identity card of before 2021."""

import pytest

from edge.documents.mrz import parse
from edge.documents.verdict import Result
from tests.edge.documents.mrz.specimens import FRENCH_CARD, TODAY, changed, verdict, wanting


def test_the_published_specimen_holds_throughout():
    document = parse("\n".join(FRENCH_CARD), today=TODAY)

    assert document.kind == "IDFRA"
    assert document.fields == {
        "document_code": "ID",
        "issuing_state": "FRA",
        "primary_identifier": "BERTHIER",
        "document_number": "880692310285",
        "secondary_identifier": "CORINNE",
        "date_of_issue": "1988-06-XX",
        "date_of_birth": "1965-12-06",
        "sex": "F",
    }
    assert wanting(document) == {"validity": Result.NOT_DONE}


@pytest.mark.parametrize(
    ("line", "position", "failed"),
    [
        (1, 8, {"composite_check"}),
        (2, 9, {"document_number_check", "composite_check"}),
        (2, 29, {"date_of_birth_check", "composite_check"}),
    ],
)
def test_a_wrong_character_fails_its_own_digit_and_the_composite(line, position, failed):
    new = "1" if line == 2 else "C"
    document = parse(changed(FRENCH_CARD, line, position, new), today=TODAY)

    assert {check for check, result in wanting(document).items() if result is Result.FAILED} == failed


def test_given_names_are_set_apart_and_the_office_is_kept():
    row_1 = "IDFRADURAND<LE<GRAND<<<<<<<<<<<952042"
    document = parse(f"{row_1[:36]}\n8806923102858JEAN<<PAUL<MAR6512068M6", today=TODAY)

    assert document.fields["primary_identifier"] == "DURAND LE GRAND"
    assert document.fields["secondary_identifier"] == "JEAN PAUL MAR"
    assert verdict(document, "names_complete").result is Result.DOUBTFUL


def test_a_number_without_a_month_has_no_date_of_issue():
    document = parse(changed(FRENCH_CARD, 2, 3, "13"), today=TODAY)

    assert verdict(document, "date_of_issue").result is Result.FAILED
    assert "date_of_issue" not in document.fields
