"""Whether documents of one crossing belong together."""

from datetime import date

import pytest

from edge.documents.crosscheck import Agreement, boarding_pass_and_document, visa_and_passport
from edge.documents.mrz import encode
from edge.documents.read import read
from edge.documents.verdict import Document, Result

TODAY = date(2026, 11, 22)
HOLDER = {
    "issuing_state": "UTO",
    "primary_identifier": "ERIKSSON",
    "secondary_identifier": "ANNA MARIA",
    "document_number": "L898902C3",
    "nationality": "UTO",
    "date_of_birth": "1974-08-12",
    "sex": "F",
    "date_of_expiry": "2034-04-15",
}


def zone(kind="TD3", code="P", **changes):
    return read("\n".join(encode(kind, {"document_code": code} | HOLDER | changes)), today=TODAY)


def boarding_pass(name):
    return read(f"M1{name[:20]:20}EABC123 YULFRAAC 0834 226F001A0025 100", today=TODAY)


def results(agreements):
    return {one.check: one.verdict.result for one in agreements}


@pytest.mark.parametrize("name", ["ERIKSSON/ANNA", "ERIKSSON/ANNA MARIA MS", "ERIKSSON/ANNAMARIAMRS", "ANNA/ERIKSSON"])
def test_a_boarding_pass_of_the_holder_agrees(name):
    (agreement,) = boarding_pass_and_document(boarding_pass(name), zone())

    assert agreement.verdict.result is Result.OK


@pytest.mark.parametrize(("name", "result"), [("ERIKSSON/PETER", Result.DOUBTFUL), ("STEVENSON/PETER", Result.FAILED)])
def test_another_passengers_boarding_pass_is_noticed(name, result):
    (agreement,) = boarding_pass_and_document(boarding_pass(name), zone())

    assert agreement.verdict.result is result
    assert not any(part in agreement.verdict.detail for part in ("ERIKSSON", "PETER", "STEVENSON", "ANNA"))


def test_a_name_cut_at_20_characters_agrees():
    name = "NILAVADHANANANDA/CHAYAPA"
    holder = zone(primary_identifier="NILAVADHANANANDA", secondary_identifier="CHAYAPA DEJTHAMRONG")

    (agreement,) = boarding_pass_and_document(boarding_pass(name), holder)

    assert agreement.verdict.result is Result.OK


def test_without_a_name_nothing_is_compared():
    (agreement,) = boarding_pass_and_document(Document("BCBP", "bcbp", {}, ()), zone())

    assert agreement.verdict.result is Result.NOT_DONE


def test_a_visa_belongs_to_its_passport():
    visa = zone("MRV-A", "V")

    assert set(results(visa_and_passport(visa, zone())).values()) == {Result.OK}


def test_a_visa_with_a_number_of_its_own_is_doubtful_in_that_alone():
    visa = zone("MRV-B", "V", document_number="V1234567")

    assert results(visa_and_passport(visa, zone())) == {
        "visa_name": Result.OK,
        "visa_date_of_birth": Result.OK,
        "visa_nationality": Result.OK,
        "visa_document_number": Result.DOUBTFUL,
    }


def test_another_persons_visa_fails():
    visa = zone("MRV-A", "V", primary_identifier="STEVENSON", secondary_identifier="PETER", date_of_birth="1934-07-12")

    found = results(visa_and_passport(visa, zone()))

    assert (found["visa_name"], found["visa_date_of_birth"]) == (Result.FAILED, Result.FAILED)


def test_an_unspecified_nationality_is_not_compared():
    found = results(visa_and_passport(zone("MRV-A", "V", nationality="XXX"), zone()))

    assert found["visa_nationality"] is Result.NOT_DONE


def test_a_date_that_is_open_agrees_as_far_as_it_is_known():
    found = results(visa_and_passport(zone("MRV-A", "V", date_of_birth="1974-XX-XX"), zone()))

    assert found["visa_date_of_birth"] is Result.DOUBTFUL


def test_a_verdict_carries_the_score():
    assert Agreement("visa_name", 0.873, "the primary identifiers differ").verdict.detail == (
        "the primary identifiers differ (0.87)"
    )
