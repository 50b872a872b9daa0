"""Magnetic stripes of driving licences: three tracks, each of which may be missing."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.documents.magstripe import CHECKS, encode, parse
from edge.documents.verdict import Result

TRACK_1 = "%VARICHMOND^SAMPLE$MICHAEL$JOHN^2300 WEST BROAD STREET^?"
TRACK_2 = ";6360000123456789012=241219860607345?"
TRACK_3 = "%1023269      D K         PH  1508175BROBLU7" + " " * 36 + "?"
TRACKS = TRACK_1 + TRACK_2 + TRACK_3
TODAY = date(2024, 1, 1)


def read(text, today=TODAY):
    return parse(text, today=today)


def answer(document, check):
    [verdict] = [verdict for verdict in document.verdicts if verdict.check == check]
    return verdict.result


def test_three_tracks_give_every_field():
    document = read(TRACKS)
    assert (document.kind, document.source) == ("AAMVA-MAG", "aamva")
    assert document.fields == {
        "address_jurisdiction_code": "VA",
        "address_city": "RICHMOND",
        "customer_family_name": "SAMPLE",
        "customer_first_name": "MICHAEL",
        "customer_middle_names": "JOHN",
        "address_street_1": "2300 WEST BROAD STREET",
        "issuer_identification_number": "636000",
        "issuing_state": "USA",
        "issuing_jurisdiction": "VA",
        "customer_id_number": "0123456789012345",
        "document_expiration_date": "2024-12-31",
        "date_of_birth": "1986-06-07",
        "card_design_standard_version": "1",
        "jurisdiction_version_number": "0",
        "address_postal_code": "23269",
        "vehicle_class": "D",
        "restriction_codes": "K",
        "endorsement_codes": "PH",
        "sex": "M",
        "height": "508",
        "weight": "175",
        "hair_color": "BRO",
        "eye_color": "BLU",
        "discretionary_data": "7",
    }
    assert {verdict.result for verdict in document.verdicts} == {Result.OK}
    assert tuple(verdict.check for verdict in document.verdicts) == CHECKS


@pytest.mark.parametrize("sentinel", "%#+!")
def test_readers_send_track_3_with_sentinels_of_their_own(sentinel):
    assert read(TRACK_1 + TRACK_2 + sentinel + TRACK_3[1:]) == read(TRACKS)


@pytest.mark.parametrize("between", ["\n", "\r\n", "\r", " "])
def test_tracks_may_be_lines(between):
    assert read(between.join((TRACK_1, TRACK_2, TRACK_3)) + between) == read(TRACKS)


def test_a_city_that_fills_its_room_needs_no_separator():
    fields = read("%VANEWPORTS NEWSSAMPLE$MICHAEL^2300 WEST BROAD STREET$APT 2^?").fields
    assert (fields["address_city"], fields["customer_family_name"]) == ("NEWPORTS NEWS", "SAMPLE")
    assert fields["address_street_2"] == "APT 2"


@pytest.mark.parametrize(
    ("missing", "left"),
    [(TRACK_1, "customer_id_number"), (TRACK_2, "customer_family_name"), (TRACK_3, "date_of_birth")],
)
def test_a_missing_track_is_doubtful_and_harms_no_other(missing, left):
    document = read(TRACKS.replace(missing, ""))
    assert answer(document, "tracks") is Result.DOUBTFUL
    assert document.fields[left] == read(TRACKS).fields[left]


@pytest.mark.parametrize(
    ("expiry", "last_day"),
    [
        ("2402", "2024-02-29"),
        ("2412", "2024-12-31"),
        ("2499", "2024-06-07"),  # the day of birth in that year
        ("2488", "2025-06-30"),  # the month of birth in the year after
        ("7777", None),  # never
        ("2413", None),
        ("24A1", None),
    ],
)
def test_an_expiry_may_point_at_the_birth(expiry, last_day):
    assert read(TRACKS.replace("=2412", f"={expiry}")).fields.get("document_expiration_date") == last_day


def test_an_expired_card_fails_and_an_endless_one_does_not():
    assert answer(read(TRACKS, date(2025, 1, 1)), "validity") is Result.FAILED
    assert answer(read(TRACKS, date(2024, 12, 31)), "validity") is Result.OK
    assert answer(read(TRACKS.replace("=2412", "=7777")), "validity") is Result.OK
    assert answer(read(TRACKS, None), "validity") is Result.NOT_DONE


def test_a_birth_that_is_no_date_fails_alone():
    document = read(TRACKS.replace("19860607", "19829909"))
    assert answer(document, "date_of_birth") is Result.FAILED
    assert document.fields["customer_id_number"] == "0123456789012345"


def test_a_track_without_its_end_is_doubtful():
    assert answer(read(TRACKS[:-1]), "tracks") is Result.DOUBTFUL


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "%",
        ";",
        "M1DESMARAIS/LUC",
        "%B4111111111111111^DOE/JOHN^2412?",
        "%B4111111111111111^DOE/JOHN^2412?;4111111111111111=24121010000012345678?",
        ";4111111111111111=24122010000012345678?",
        ";6011000990139424=24122010000012345678?",
        b"\xff%;?",
    ],
)
def test_what_is_no_licence_is_unknown(payload):
    document = read(payload)
    assert document.kind == "unknown"
    assert [verdict.check for verdict in document.verdicts] == ["understood"]


def test_an_issuer_that_the_table_lacks_is_doubtful():
    document = read(TRACK_2.replace("636000", "636999"))
    assert document.fields["date_of_birth"] == "1986-06-07"
    assert answer(document, "issuer_known") is Result.DOUBTFUL


def test_a_reader_that_sends_lower_case_changes_nothing():
    assert read(TRACKS.lower()) == read(TRACKS)


def test_what_is_written_is_read_back():
    fields = read(TRACKS).fields
    assert encode(fields) == TRACKS
    assert read(encode(fields)).fields == fields


words = st.from_regex("[A-Z][A-Z ]{0,6}[A-Z]", fullmatch=True)


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "address_jurisdiction_code": st.just("VA"),
            "issuer_identification_number": st.just("636000"),
            "customer_family_name": words,
            "customer_first_name": words,
            "customer_id_number": st.from_regex("[0-9]{1,18}", fullmatch=True),
            "date_of_birth": st.dates(date(1901, 1, 1), date(2020, 1, 1)).map(date.isoformat),
            "document_expiration_date": st.sampled_from(["2030-06-30", "2032-02-29"]),
        },
        optional={
            "customer_middle_names": words,
            "address_city": words,
            "address_street_1": words,
            "address_street_2": words,
            "sex": st.sampled_from("MFX"),
            "eye_color": st.just("BRO"),
            "address_postal_code": st.just("23269"),
        },
    )
)
def test_any_stripe_is_read_back_as_it_was_written(fields):
    if "address_street_2" in fields and "address_street_1" not in fields:
        fields["address_street_1"] = "X"
    document = read(encode(fields))
    assert {name: document.fields.get(name) for name in fields} == fields


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"customer_id_number": "A1"}, "customer_id_number: must be 1 to 18 digits"),
        ({"address_jurisdiction_code": ""}, "address_jurisdiction_code: must be two capitals"),
        ({"address_city": "X" * 14}, "address_city: at most 13 characters"),
        ({"customer_family_name": "X" * 36}, "customer_family_name and the names behind it: at most 35"),
        ({"customer_family_name": "A^B"}, "customer_family_name"),
        ({"date_of_birth": "1986"}, "date_of_birth: must be YYYY-MM-DD"),
        ({"eye_color": "BROWN"}, "eye_color: at most 3 characters"),
    ],
)
def test_what_a_track_has_no_room_for_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        encode({**read(TRACKS).fields, **changes})


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200), st.text("%;#?=^$VA0123456", max_size=200)))
def test_any_payload_gives_one_verdict_a_check(payload):
    for whole in (payload, TRACK_1[:20].encode() + payload if isinstance(payload, bytes) else TRACKS[:70] + payload):
        document = read(whole)
        expected = CHECKS if document.is_understood else ("understood",)
        assert tuple(verdict.check for verdict in document.verdicts) == expected


@pytest.mark.parametrize("filler", ["%VA", ";636000", "%", "^", "$", "?", "=", ";636000=%VA^"])
def test_a_payload_of_64_kib_ends(filler):
    assert read((TRACK_2 + filler * 65536)[:65536]).kind == "AAMVA-MAG"


def test_a_comma_behind_the_family_name_is_no_part_of_it():
    # as British Columbia writes it (the tests of AppliedRecognition/AAMVA-Barcode-Parser-Apple)
    assert read(TRACKS.replace("SAMPLE$", "SAMPLE,$")).fields == read(TRACKS).fields
