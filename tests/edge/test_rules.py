"""What kind of document it is, whether another try helps, and why somebody is referred."""

from __future__ import annotations

import pytest

from edge.documents.verdict import Result, Verdict
from edge.rules import best_of, compared, conveyance_of, document_class, is_misread, reasons_to_refer
from edge.settings import PolicySettings
from edge.wire.crossing import Conveyance, ReadDocument


def document(kind: str = "TD3", source: str = "mrz", fields: dict | None = None, **verdicts: str) -> ReadDocument:
    """Return a document with verdicts such as `sex="failed"`."""
    said = tuple(Verdict(check, Result(result)) for check, result in verdicts.items())
    return ReadDocument(source, kind, "reader", fields or {}, said)


@pytest.mark.parametrize(
    ("kind", "source", "known_as"),
    [
        ("TD3", "mrz", "travel_document"),
        ("TD1", "mrz", "travel_document"),
        ("TD2", "chip", "travel_document"),
        ("MRV-A", "mrz", "visa"),
        ("MRV-B", "mrz", "visa"),
        ("BCBP", "bcbp", "boarding_pass"),
        ("AAMVA", "aamva", "driving_licence"),
        ("VDS", "vds", "seal"),
        ("VDS-NC", "vds", "seal"),
        ("DCC", "dcc", "seal"),
        ("unknown", "mrz", "unknown"),
    ],
)
def test_a_document_is_known_by_its_standard(kind, source, known_as) -> None:
    assert document_class(document(kind, source)) == known_as


@pytest.mark.parametrize(
    "check",
    [
        "document_number_check",
        "composite_check",
        "names_alphabet",
        "alphabet",
        "line_length",
        "structure",
        "format_code",
    ],
)
def test_another_try_helps_when_the_reading_failed(check) -> None:
    assert is_misread(document(**{check: "failed"}))
    assert not is_misread(document(**{check: "doubtful"}))
    assert not is_misread(document(**{check: "not_done"}))


@pytest.mark.parametrize("check", ["validity", "signature", "specimen", "issuing_state", "check", "number_checks"])
def test_another_try_does_not_help_when_the_document_itself_failed(check) -> None:
    assert not is_misread(document(**{check: "failed"}))


def test_what_is_not_understood_is_a_misread() -> None:
    assert is_misread(document("unknown"))


def test_the_read_with_fewer_failures_is_the_best_and_the_later_of_equals() -> None:
    good, bad, unknown = document(a="ok"), document(a="failed"), document("unknown")
    also_bad = document(b="failed")
    assert best_of(None, bad) is bad
    assert best_of(good, bad) is good and best_of(bad, good) is good
    assert best_of(bad, also_bad) is also_bad
    assert best_of(bad, unknown) is bad and best_of(unknown, bad) is bad


def reasons(*documents: ReadDocument, was_misread: bool = False, **policy: object) -> tuple[str, ...]:
    """Return why this policy refers somebody with these documents."""
    return reasons_to_refer(PolicySettings(**policy), documents, was_misread=was_misread)  # type: ignore[arg-type]


def test_a_good_travel_document_is_enough() -> None:
    assert reasons(document(validity="ok", sex="not_done")) == ()


def test_doubt_refers_only_on_what_is_required() -> None:
    seal = document("VDS", "vds", signature="doubtful")
    assert reasons(document(), seal) == ()
    assert reasons(document(), seal, required=("travel_document", "seal")) == ("vds.signature_doubtful",)


def test_a_failed_check_refers_even_on_what_nobody_asked_for() -> None:
    assert reasons(document(), document("VDS", "vds", signature="failed")) == ("vds.signature_failed",)


def test_a_misread_is_a_reason_only_while_something_is_missing() -> None:
    assert reasons(document(), was_misread=True) == ()
    assert reasons(was_misread=True) == ("travel_document_missing", "document_unreadable")


def test_a_reason_is_given_once() -> None:
    twice = (document("VDS", "vds", signature="failed"), document("DCC", "vds", signature="failed"))
    assert reasons(document(), *twice) == ("vds.signature_failed",)


@pytest.mark.parametrize("result", ["failed", "doubtful"])
def test_a_specimen_passes_only_where_the_policy_accepts_it(result) -> None:
    assert reasons(document(specimen=result)) == (f"mrz.specimen_{result}",)
    assert reasons(document(specimen=result), specimens="accept") == ()


def test_a_boarding_pass_names_the_flight_of_its_first_leg() -> None:
    legs = [
        {
            "operating_carrier_designator": "UT", "flight_number": "204",
            "date_of_flight": "2026-03-01", "seat_number": "12A",
        },
        {"operating_carrier_designator": "XX", "flight_number": "1"},
    ]  # fmt: skip
    found = conveyance_of([document(), document("BCBP", "bcbp", {"legs": legs})])
    assert found == Conveyance("flight", number="UT204", date="2026-03-01", seat="12A")


@pytest.mark.parametrize("fields", [{}, {"legs": []}, {"legs": None}])
def test_a_boarding_pass_without_a_leg_names_nothing(fields) -> None:
    assert conveyance_of([document("BCBP", "bcbp", fields)]) is None


def test_a_leg_that_could_not_be_read_leaves_its_words_out() -> None:
    fields = {"legs": [{"flight_number": "204", "date_of_flight": None}]}
    assert conveyance_of([document("BCBP", "bcbp", fields)]) == Conveyance("flight", number="204")


PASSPORT = {
    "primary_identifier": "ERIKSSON",
    "secondary_identifier": "ANNA MARIA",
    "document_number": "L898902C3",
    "nationality": "UTO",
    "date_of_birth": "1974-08-12",
}


def results(one: ReadDocument) -> dict[str, str]:
    """Return what each check of a document came to."""
    return {verdict.check: verdict.result.value for verdict in one.verdicts}


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("ERIKSSON/ANNA MARIA", "ok"),
        ("ERIKSSON/ANNAMRS", "ok"),
        ("ERIKSSON/PETER", "doubtful"),
        ("SMITH/JOHN", "failed"),
        ("", "not_done"),
    ],
)
def test_a_boarding_pass_is_compared_with_the_travel_document(name, result) -> None:
    shown = (document(fields=PASSPORT), document("BCBP", "bcbp", {"passenger_name": name}, version="ok"))
    passport, boarding_pass = compared(shown)
    assert passport == shown[0]
    assert results(boarding_pass) == {"version": "ok", "boarding_pass_name": result}


def test_the_order_in_which_documents_are_shown_makes_no_difference() -> None:
    shown = [document("BCBP", "bcbp", {"passenger_name": "SMITH/JOHN"}), document(fields=PASSPORT)]
    assert compared(shown) == tuple(reversed(compared(shown[::-1])))


def test_a_visa_is_compared_with_the_passport() -> None:
    visa = document("MRV-A", fields=PASSPORT | {"date_of_birth": "1975-08-12", "document_number": "V1"})
    _, visa = compared([document(fields=PASSPORT), visa])
    assert results(visa) == {
        "visa_name": "ok",
        "visa_date_of_birth": "failed",
        "visa_nationality": "ok",
        "visa_document_number": "doubtful",
    }


def test_without_a_travel_document_nothing_is_compared() -> None:
    shown = (document("BCBP", "bcbp", {"passenger_name": "SMITH/JOHN"}), document("AAMVA", "aamva"))
    assert compared(shown) == shown


@pytest.mark.parametrize("wanted", ["required", "optional"])
def test_another_name_on_the_boarding_pass_refers_and_a_doubtful_one_only_where_it_is_required(wanted) -> None:
    classes = {"required": ("travel_document", "boarding_pass")} if wanted == "required" else {}
    rules = PolicySettings(**classes)
    for name, reasons in (
        ("ERIKSSON/ANNA MARIA", ()),
        ("ERIKSSON/PETER", ("bcbp.boarding_pass_name_doubtful",) if wanted == "required" else ()),
        ("SMITH/JOHN", ("bcbp.boarding_pass_name_failed",)),
    ):
        shown = compared([document(fields=PASSPORT), document("BCBP", "bcbp", {"passenger_name": name})])
        assert reasons_to_refer(rules, shown, was_misread=False) == reasons
