"""What a whole zone says: fields, and a verdict for each check."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.documents.mrz import CHECKS, encode, parse
from edge.documents.mrz.check_digits import check_digit
from edge.documents.verdict import Result
from tests.edge.documents.mrz.specimens import (
    CARD,
    PASSPORT,
    SPECIMENS,
    TODAY,
    VISA_A,
    changed,
    results,
    verdict,
    wanting,
)


def read(payload, today=TODAY, unrecognised=()):
    return parse(payload, today=today, unrecognised=unrecognised)


def with_digits(number):
    """Return a sound passport with this number of nine characters."""
    row = f"{number}{check_digit(number)}{PASSPORT[1][10:43]}"
    return f"{PASSPORT[0]}\n{row}{check_digit(row[:10] + row[13:20] + row[21:43])}"


def test_a_passport_gives_every_field():
    assert read("\n".join(PASSPORT)).fields == {
        "document_code": "P",
        "issuing_state": "UTO",
        "primary_identifier": "ERIKSSON",
        "secondary_identifier": "ANNA MARIA",
        "document_number": "L898902C3",
        "nationality": "UTO",
        "date_of_birth": "1974-08-12",
        "sex": "F",
        "date_of_expiry": "2034-04-15",
        "optional_data": "ZE184226B",
    }


def test_a_card_gives_every_field():
    assert read("\n".join(CARD)).fields == {
        "document_code": "I",
        "issuing_state": "UTO",
        "primary_identifier": "ERIKSSON",
        "secondary_identifier": "ANNA MARIA",
        "document_number": "D23145890",
        "nationality": "UTO",
        "date_of_birth": "1974-08-12",
        "sex": "F",
        "date_of_expiry": "2034-04-15",
    }


@pytest.mark.parametrize("kind", SPECIMENS)
def test_every_check_of_a_kind_gives_one_verdict_under_its_own_name(kind):
    document = read("\n".join(SPECIMENS[kind]))

    assert document.kind == kind
    assert [one.check for one in document.verdicts] == [check.__name__ for check in CHECKS[kind]]


@pytest.mark.parametrize("kind", [kind for kind in SPECIMENS if kind != "IDFRA"])
def test_a_sound_specimen_is_doubtful_for_being_a_specimen_alone(kind):
    assert wanting(read("\n".join(SPECIMENS[kind]))) == {"specimen": Result.DOUBTFUL}


def test_an_expired_document_fails_validity_alone():
    document = read("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10")

    assert wanting(document) == {"validity": Result.FAILED, "specimen": Result.DOUBTFUL}


def test_without_a_clock_nothing_that_needs_today_is_decided():
    document = read("\n".join(PASSPORT), today=None)

    assert verdict(document, "validity").result is Result.NOT_DONE
    assert verdict(document, "validity").detail == "clock unset"
    assert document.fields["date_of_birth"] == "XX74-08-12"
    assert document.fields["date_of_expiry"] == "XX34-04-15"


@pytest.mark.parametrize(
    ("position", "check", "field"),
    [
        (2, "document_number_check", None),
        (15, "date_of_birth_check", None),
        (25, "date_of_expiry_check", None),
        (30, "optional_data_check", None),
        (44, "composite_check", None),
    ],
)
def test_a_wrong_character_fails_its_own_digit_and_the_composite(position, check, field):
    before = PASSPORT[1][position - 1]
    document = read(changed(PASSPORT, 2, position, "1" if before != "1" else "2"))

    assert results(document, check, "composite_check") == [Result.FAILED, Result.FAILED]
    others = {"document_number_check", "date_of_birth_check", "date_of_expiry_check", "optional_data_check"} - {check}
    assert results(document, *others) == [Result.OK] * len(others)


def test_a_letter_in_a_date_fails_the_date_though_its_check_digit_holds():
    document = read(changed(PASSPORT, 2, 18, "L"))  # 1 and L are one value to the check digit

    assert results(document, "date_of_birth_check", "composite_check") == [Result.OK, Result.OK]
    assert verdict(document, "date_of_birth").result is Result.FAILED
    assert verdict(document, "date_of_birth").detail == "line 2, position 18: not a character of this field"
    assert "date_of_birth" not in document.fields


@pytest.mark.parametrize(
    ("line", "position", "seen", "check"),
    [
        (2, 16, "O", "date_of_birth"),
        (2, 24, "O", "date_of_expiry"),
        (2, 20, "Z", "date_of_birth_check"),
        (2, 13, "0", "nationality"),
        (1, 5, "0", "issuing_state"),
        (1, 8, "1", "names"),
    ],
)
def test_a_lookalike_is_read_as_its_field_demands_and_the_verdict_says_so(line, position, seen, check):
    document = read(changed(PASSPORT, line, position, seen))

    assert verdict(document, check).result is Result.DOUBTFUL
    assert f"line {line}, position {position}" in verdict(document, check).detail
    assert document.fields == read("\n".join(PASSPORT)).fields


def test_a_document_number_is_never_repaired():
    document = read(changed(PASSPORT, 2, 2, "B"))

    assert document.fields["document_number"] == "LB98902C3"
    assert verdict(document, "document_number_check").result is Result.FAILED


def test_the_place_of_a_single_lookalike_is_named_but_the_number_stays_failed():
    document = read(changed(PASSPORT, 2, 1, f"M3749Z7C3{check_digit('M374927C3')}"))

    assert document.fields["document_number"] == "M3749Z7C3"
    assert verdict(document, "document_number_check").result is Result.FAILED
    assert verdict(document, "document_number_check").detail.endswith("it would with a lookalike at line 2, position 6")


def test_a_6_read_as_g_is_doubtful_only_when_flagged():
    was = with_digits("L898662C3")
    payload = was.replace("L898662C3", "L8986G2C3")

    assert wanting(read(payload)) == {"specimen": Result.DOUBTFUL}
    assert wanting(read(payload, unrecognised=(45 + 5,))) == {
        "document_number": Result.DOUBTFUL,
        "specimen": Result.DOUBTFUL,
    }
    assert read(payload, unrecognised=(45 + 5,)).fields["document_number"] == "L8986G2C3"


def test_a_substitute_character_costs_its_field_and_no_other():
    document = read(changed(PASSPORT, 2, 3, "?"))

    assert "document_number" not in document.fields
    assert wanting(document) == {
        "document_number": Result.FAILED,
        "document_number_check": Result.NOT_DONE,
        "composite_check": Result.NOT_DONE,
        "specimen": Result.DOUBTFUL,
    }
    assert document.fields["date_of_birth"] == "1974-08-12"


@pytest.mark.parametrize(("code", "kind"), [("XXA", "stateless"), ("XXB", "refugee"), ("XXX", "unspecified")])
def test_a_stateless_persons_or_refugees_nationality_is_a_nationality(code, kind):
    document = read(changed(PASSPORT, 2, 11, code))

    assert document.fields["nationality"] == code
    assert verdict(document, "nationality").result is Result.OK


def test_germany_is_d():
    document = read(changed(PASSPORT, 1, 3, "D<<"))

    assert document.fields["issuing_state"] == "D"
    assert verdict(document, "issuing_state").result is Result.OK


@pytest.mark.parametrize(
    ("published", "number"),
    [
        # specimens that their states have published
        (
            "P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<\nC01X00T478D<<6408125F2702283<<<<<<<<<<<<<<<4",
            "C01X00T47",
        ),
        (
            "I<PRT000024759<ZZ72<<<<<<<<<<<\n8010100F2006017PRT<<<<<<<<<<<8\nCARLOS<MONTEIRO<<AMELIA<VANESS",
            "000024759ZZ7",
        ),
        ("IDD<<T220001293<<<<<<<<<<<<<<<\n6408125<2010315D<<<<<<<<<<<<<4\nMUSTERMANN<<ERIKA<<<<<<<<<<<<<", "T22000129"),
    ],
)
def test_specimens_of_states_hold(published, number):
    document = read(published)

    assert document.fields["document_number"] == number
    assert set(wanting(document)) <= {"validity", "names_complete"}


def test_letters_that_a_state_writes_as_digits_are_left_and_said():
    names = "PNRUSZAKONNOV<<PETR<NIKOLAEVI3".ljust(44, "<")
    document = read(f"{names}\n{PASSPORT[1]}")

    assert document.fields["secondary_identifier"] == "PETR NIKOLAEVI3"
    assert verdict(document, "names").result is Result.DOUBTFUL


def test_a_date_that_stands_for_no_expiry_is_not_called_expired():
    card = encode(
        "TD1",
        {"document_code": "I", "issuing_state": "ESP", "document_number": "BAA000589", "date_of_expiry": "9999-01-01"},
    )

    assert verdict(read("\n".join(card)), "validity").result is Result.DOUBTFUL


def test_a_code_that_no_state_has_fails_and_is_kept():
    document = read(changed(PASSPORT, 1, 3, "QQQ"))

    assert document.fields["issuing_state"] == "QQQ"
    assert verdict(document, "issuing_state").result is Result.FAILED


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("P<", Result.OK),
        ("PP", Result.OK),
        ("PD", Result.OK),
        ("PE", Result.OK),
        ("P1", Result.DOUBTFUL),
        ("A<", Result.FAILED),
    ],
)
def test_document_codes_of_passports(code, result):
    assert verdict(read(changed(PASSPORT, 1, 1, code)), "document_code").result is result


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("I<", Result.OK),
        ("IP", Result.OK),
        ("AC", Result.OK),
        ("C<", Result.OK),
        ("C1", Result.OK),  # the resident card of the United States
        ("IV", Result.DOUBTFUL),
        ("P<", Result.FAILED),
    ],
)
def test_document_codes_of_cards(code, result):
    assert verdict(read(changed(CARD, 1, 1, code)), "document_code").result is result


@pytest.mark.parametrize(
    ("letter", "field", "result"),
    [
        ("M", "M", Result.OK),
        ("F", "F", Result.OK),
        ("<", "X", Result.OK),
        ("X", "X", Result.DOUBTFUL),
        ("K", None, Result.FAILED),
    ],
)
def test_sex_unspecified_is_x(letter, field, result):
    document = read(changed(PASSPORT, 2, 21, letter))

    assert document.fields.get("sex") == field
    assert verdict(document, "sex").result is result


@pytest.mark.parametrize(
    ("names", "primary", "secondary", "result"),
    [
        ("ERIKSSON<<ANNA<MARIA", "ERIKSSON", "ANNA MARIA", Result.OK),
        ("ARKFREITH", "ARKFREITH", None, Result.OK),
        ("<<ANNA", None, "ANNA", Result.DOUBTFUL),
        ("VAN<DER<MULLER<<ANNA", "VAN DER MULLER", "ANNA", Result.OK),
        ("ERIKSSON<<ANNA<<MARIA", "ERIKSSON", "ANNA MARIA", Result.DOUBTFUL),
        ("ERIKSSON<<<ANNA", "ERIKSSON", "ANNA", Result.DOUBTFUL),
        ("", None, None, Result.FAILED),
        ("ERIKSSON<<AN?A", "ERIKSSON", None, Result.FAILED),
        ("ERIK?SON<<ANNA", None, "ANNA", Result.FAILED),
    ],
)
def test_names(names, primary, secondary, result):
    document = read(changed(PASSPORT, 1, 6, names.ljust(39, "<")))

    assert document.fields.get("primary_identifier") == primary
    assert document.fields.get("secondary_identifier") == secondary
    assert verdict(document, "names").result is result


def test_a_name_that_fills_its_field_may_have_been_cut():
    document = read(changed(PASSPORT, 1, 6, "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K"))

    assert verdict(document, "names_complete").result is Result.DOUBTFUL


def test_a_passport_without_optional_data_may_have_the_filler_as_its_digit():
    for digit in "<0":
        document = read(changed(PASSPORT, 2, 29, "<" * 14 + digit))
        assert verdict(document, "optional_data_check").result is Result.OK


def test_a_document_without_expiry_is_neither_valid_nor_expired():
    document = read(changed(VISA_A, 2, 22, "<<<<<<0"))

    assert document.fields["date_of_expiry"] == "XXXX-XX-XX"
    assert results(document, "date_of_expiry", "date_of_expiry_check") == [Result.OK, Result.OK]
    assert verdict(document, "validity").result is Result.NOT_DONE


def test_long_numbers_hold_with_the_filler_counted_and_without():
    principal, rest = "D23145890", "AB12"
    digits = {str(check_digit(principal + rest)), str(check_digit(f"{principal}<{rest}"))}
    assert len(digits) == 2
    for digit in digits:
        document = read(changed(CARD, 1, 6, f"{principal}<{rest}{digit}<<<<<<<<<<"))
        assert document.fields["document_number"] == principal + rest
        assert verdict(document, "document_number_check").result is Result.OK


def test_fillers_are_no_number_even_when_flagged():
    document = read(changed(PASSPORT, 2, 1, "<" * 9), unrecognised=(46,))

    assert "document_number" not in document.fields
    assert verdict(document, "document_number").result is not Result.OK


def test_a_number_that_begins_with_a_filler_is_doubtful():
    document = read(changed(PASSPORT, 2, 1, "<"))

    assert verdict(document, "document_number").detail == "begins with a filler"


def test_a_document_code_read_as_a_lookalike_is_kept_and_said():
    document = read(changed(CARD, 1, 1, "1"))

    assert document.fields["document_code"] == "I"
    assert verdict(document, "document_code").result is Result.DOUBTFUL


def test_no_verdict_quotes_the_document():
    for position in range(1, 45):
        for line in (1, 2):
            document = read(changed(PASSPORT, line, position, "?"))
            said = " ".join(one.detail for one in document.verdicts)
            assert not any(value in said for value in document.fields.values() if len(value) > 2)


@given(payload=st.binary(max_size=300) | st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_payload_gives_a_document(payload):
    document = read(payload)

    assert document.is_understood or document.fields == {}


@given(
    kind=st.sampled_from(list(SPECIMENS)),
    position=st.integers(0, 89),
    character=st.characters(max_codepoint=255),
    unrecognised=st.lists(st.integers(-5, 120), max_size=3),
)
@settings(max_examples=200, deadline=None)
def test_one_wrong_character_never_costs_more_than_two_fields(kind, position, character, unrecognised):
    text = "\n".join(SPECIMENS[kind])
    position %= len(text)
    if text[position] == "\n" or character in "\r\n":
        return
    whole = read(text).fields
    document = read(text[:position] + character + text[position + 1 :], unrecognised=tuple(unrecognised))

    assert document.is_understood
    assert len(whole.items() - document.fields.items()) <= 2
