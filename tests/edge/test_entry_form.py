"""The questions that an officer is asked."""

from __future__ import annotations

from datetime import date

import pytest

from edge.entry_form import fill_in

TODAY = date(2026, 3, 1)
ANSWERS = ["P", "UTO", "L898902C3", "L898902C3", "Eriksson", "Anna", "UTO", "1974-08-12", "F", "2031-04-15"]
FIELDS = {
    "document_code": "P",
    "issuing_state": "UTO",
    "document_number": "L898902C3",
    "primary_identifier": "Eriksson",
    "secondary_identifier": "Anna",
    "nationality": "UTO",
    "date_of_birth": "1974-08-12",
    "sex": "F",
    "date_of_expiry": "2031-04-15",
}


def filled_in(answers: list[str], **about: bool) -> tuple[dict[str, str], list[str]]:
    """Return what a form comes to, and what was said."""
    left, said = list(answers), []
    found = fill_in(lambda prompt: left.pop(0), said.append, today=TODAY, **about)
    assert left == []
    return found, said


def test_a_form_without_a_mistake_says_nothing() -> None:
    assert filled_in(ANSWERS) == (FIELDS, [])


@pytest.mark.parametrize(
    ("at", "answer", "why"),
    [
        (0, "Z", "not one or two letters that begin with P, A, C, I or V"),
        (1, "XYZ", "not a code of Doc 9303-3 section 5"),
        (4, "", "no name"),
        (7, "1974-02-30", "no such day"),
        (8, "W", "not M, F or X"),
        (9, "2025-04-15", "expired"),
    ],
)
def test_a_wrong_answer_is_asked_for_again_at_once(at, answer, why) -> None:
    found, said = filled_in([*ANSWERS[:at], answer, *ANSWERS[at:]])
    assert (found, said) == (FIELDS, [f"  {why}. Type it again, or press Enter to keep it as it is."])


def test_a_wrong_answer_may_be_kept_since_the_document_may_be_wrong() -> None:
    found, _ = filled_in([*ANSWERS[:1], "XYZ", "", *ANSWERS[2:]])
    assert found["issuing_state"] == "XYZ"


def test_the_number_is_asked_for_until_it_was_typed_the_same_twice() -> None:
    found, said = filled_in([*ANSWERS[:3], "L898902C8", "L898902C3", "L898902C3", *ANSWERS[4:]])
    assert (found["document_number"], len(said)) == ("L898902C3", 2)


def test_a_person_without_a_document_is_asked_only_who_they_are() -> None:
    found, said = filled_in(["Eriksson", "", "", "1974", ""], is_document=False)
    assert (found, said) == ({"primary_identifier": "Eriksson", "date_of_birth": "1974"}, [])
