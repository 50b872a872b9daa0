"""What real airlines and readers do to a boarding pass: tolerated, and said."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.documents.bcbp import CHECKS, is_boarding_pass, parse
from edge.documents.verdict import Result

TODAY = date(2016, 8, 14)
FULL = (
    "M2DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 14D>6181WW6225BAC 00141234560032A0141234567890 "
    "1AC AC 1234567890123    20KYLX58ZDEF456 FRAGVALH 3664 227C012C0002 12E2A0140987654321 1AC AC 1234567890123    "
    "2PCNWQ^108GIWVC5EH"
)
ONE = (
    "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 13B>60B1W 6225BAC 2A   1234567890 "
    "1AC AC 1234567890123    20KY"
)


def answer(document, check):
    [verdict] = [verdict for verdict in document.verdicts if verdict.check == check]
    return verdict.result


def read(text):
    return parse(text, today=TODAY)


def differing(document, text=FULL):
    """The checks that answer otherwise than for the pass as the standard writes it."""
    before = {verdict.check: verdict.result for verdict in read(text).verdicts}
    return {
        verdict.check: verdict.result for verdict in document.verdicts if verdict.result is not before[verdict.check]
    }


def test_the_whole_pass_is_in_order():
    assert {verdict.check for verdict in read(FULL).verdicts if verdict.result is not Result.OK} == {"security_data"}


@pytest.mark.parametrize("after", ["\r\n", "\r", "\n", "\x00", "\x03", "\x1d"])
@pytest.mark.parametrize("before", ["", "\x02", " \n", "\ufeff"])
def test_what_a_reader_puts_around_the_pass_is_ignored_and_said(before, after):
    document = read(before + FULL + after)
    assert document.fields == read(FULL).fields
    assert differing(document) == {}
    assert "around the pass" in document.verdicts[0].detail


@pytest.mark.parametrize("case", [str.lower, str.swapcase])
def test_a_pass_in_lower_case_is_read_as_capitals(case):
    document = read(case(ONE))
    assert document.fields == read(ONE).fields
    assert document.verdicts[0].detail == "lower case; read as capitals"
    assert differing(document, ONE) == {}


def test_sizes_in_lower_case_are_sizes():
    assert read(FULL.replace("14D>", "14d>")).fields == read(FULL).fields


@pytest.mark.parametrize("written", ["150>", "14C>", "100>", "1FF>", "1 4>", "1ZZ>"])
def test_a_wrong_size_of_the_first_leg_does_not_lose_the_second(written):
    document = read(FULL.replace("14D>", written))
    assert document.fields == read(FULL).fields
    assert differing(document) == {"field_sizes": Result.DOUBTFUL}


@pytest.mark.parametrize("written", ["12D2", "12F2", "1002", "1FF2", "1XX2"])
def test_a_wrong_size_of_the_last_leg_does_not_lose_the_security_data(written):
    document = read(FULL.replace("12E2", written))
    assert document.fields == read(FULL).fields
    assert differing(document) == {"field_sizes": Result.DOUBTFUL}


def test_a_decimal_size_is_seen_to_be_wrong_and_nothing_is_lost():
    document = read(ONE.replace("13B>", "159>"))
    assert document.fields == read(ONE).fields
    assert answer(document, "field_sizes") is Result.DOUBTFUL


def test_conditional_items_behind_a_size_of_zero_are_found():
    document = read(ONE.replace("13B>", "100>"))
    assert document.fields == read(ONE).fields
    assert differing(document, ONE) == {"field_sizes": Result.DOUBTFUL}


def test_a_missing_mark_before_the_version_is_seen():
    document = read(ONE.replace("13B>60B", "13A60B"))
    assert document.fields == read(ONE).fields
    assert differing(document, ONE) == {"version": Result.DOUBTFUL}


@pytest.mark.parametrize("version", ["0", "9", "A", " "])
def test_a_version_to_come_is_read_as_version_8(version):
    document = read(ONE.replace(">6", f">{version}"))
    assert document.fields["legs"] == read(ONE).fields["legs"]
    assert differing(document, ONE) == {"version": Result.DOUBTFUL}


@pytest.mark.parametrize("version", "12345678")
def test_versions_1_to_8_are_in_order(version):
    document = read(ONE.replace(">6", f">{version}"))
    assert document.fields["version_number"] == version
    assert differing(document, ONE) == {}


def test_conditional_data_without_a_version_is_kept_as_the_airlines():
    document = read(ONE[:58] + "05HELLO")
    assert document.fields["legs"][0]["for_individual_airline_use"] == "HELLO"
    assert differing(document, ONE[:58] + "00") == {"version": Result.DOUBTFUL}


def test_spaces_dropped_at_the_end_are_seen_as_such():
    document = read(ONE[:-4] + "    ")
    shorter = read((ONE[:-4] + "    ").rstrip())
    assert shorter.fields == document.fields
    assert answer(shorter, "field_sizes") is Result.DOUBTFUL


def test_spaces_added_at_the_end_change_nothing():
    assert read(ONE + "   ").fields == read(ONE).fields
    assert differing(read(ONE + "   "), ONE) == {}


def test_a_reader_that_drops_spaces_inside_the_name_is_caught():
    document = read(FULL.replace("LUC       E", "LUC E"))
    assert document.fields == read(FULL).fields
    assert differing(document) == {"mandatory_items": Result.DOUBTFUL}


def test_a_reader_that_adds_spaces_behind_the_name_is_caught():
    document = read(FULL.replace("LUC       E", "LUC          E"))
    assert document.fields == read(FULL).fields


@pytest.mark.parametrize(
    ("said", "written", "name", "value"),
    [
        ("0834 ", "834  ", "flight_number", "834"),
        ("0834 ", " 834 ", "flight_number", "834"),
        ("0834 ", "00834", "flight_number", "00834"),
        ("0834 ", "0834A", "flight_number", "0834A"),
        ("226F", "26 F", "date_of_flight_julian", "26"),
        ("226F", " 26F", "date_of_flight_julian", "26"),
        ("001A", "1A  ", "seat_number", "1A"),
        ("001A", "NS  ", "seat_number", "NS"),
        ("001A", "GATE", "seat_number", "GATE"),
        ("001A", "  1A", "seat_number", "1A"),
        ("001A", "INF ", "seat_number", "INF"),
        ("0025 ", "025  ", "check_in_sequence_number", "025"),
        ("0025 ", "   25", "check_in_sequence_number", "25"),
        ("0025 ", "00025", "check_in_sequence_number", "00025"),
        ("0025 ", "0025A", "check_in_sequence_number", "0025A"),
        ("AC 0834", "ACA0834", "operating_carrier_designator", "ACA"),
        ("ABC123 ", "ABC1234", "operating_carrier_pnr_code", "ABC1234"),
        ("ABC123 ", " ABC123", "operating_carrier_pnr_code", "ABC123"),
    ],
)
def test_an_item_written_otherwise_is_kept_and_harms_no_check(said, written, name, value):
    document = read(ONE.replace(said, written))
    assert document.fields["legs"][0][name] == value
    assert differing(document, ONE) == {}


@pytest.mark.parametrize(
    ("said", "written", "check", "name"),
    [
        ("ABC123 ", "       ", "mandatory_items", "operating_carrier_pnr_code"),
        ("YUL", "   ", "mandatory_items", "from_city_airport_code"),
        ("YUL", "Y1L", "item_forms", "from_city_airport_code"),
        ("YUL", "QQQ", "airports_known", "from_city_airport_code"),
        ("0834 ", "08#4 ", "item_forms", "flight_number"),
    ],
)
def test_an_item_that_is_wrong_is_named_and_harms_no_other(said, written, check, name):
    document = read(ONE.replace(said, written))
    [verdict] = [verdict for verdict in document.verdicts if verdict.check == check]
    assert verdict.result is Result.DOUBTFUL
    assert f"legs[0].{name}" in verdict.detail
    whole = read(ONE).fields["legs"][0]
    rest = document.fields["legs"][0]
    assert {key: value for key, value in rest.items() if key != name} == {
        key: value for key, value in whole.items() if key != name
    }


@pytest.mark.parametrize(("digit", "said"), [("0", 1), ("5", 1), ("2", 1), ("X", 1), (" ", 1)])
def test_a_wrong_number_of_legs_fails_and_the_legs_are_read_all_the_same(digit, said):
    document = read("M" + digit + ONE[2:])
    assert answer(document, "number_of_legs") is Result.FAILED
    assert len(document.fields["legs"]) == said
    assert document.fields["legs"] == read(ONE).fields["legs"]


def test_a_leg_more_than_declared_is_read():
    document = read("M1" + FULL[2:])
    assert document.fields["legs"] == read(FULL).fields["legs"]
    assert answer(document, "number_of_legs") is Result.FAILED


def test_a_blank_leg_keeps_its_place():
    blank = ONE[:23] + " " * 35 + "06>60000" + FULL[FULL.index("DEF456") : FULL.index("^")]
    document = read("M2" + blank[2:])
    assert document.fields["legs"][0] == {}
    assert document.fields["legs"][1]["flight_number"] == "3664"


@pytest.mark.parametrize(("version", "result"), [("8", Result.OK), ("7", Result.DOUBTFUL)])
@pytest.mark.parametrize("gender", ["X", "U"])
def test_gender_x_and_u_came_with_version_8(version, gender, result):
    document = read(ONE.replace(">60B1", f">{version}0B{gender}"))
    assert document.fields["passenger_description"] == gender
    assert answer(document, "item_forms") is result


def test_items_of_a_version_to_come_are_kept_and_said():
    text = ONE.replace("2A   ", "2C   ").replace("13B>", "13D>") + "Z9"
    document = read(text)
    assert document.fields["legs"][0]["undefined_repeated_items"] == "Z9"
    assert answer(document, "field_sizes") is Result.DOUBTFUL


@pytest.mark.parametrize(
    ("security", "result"),
    [
        ("^108GIWVC5EH", Result.NOT_DONE),
        ("^10AGIWVC5EH", Result.DOUBTFUL),
        ("^1XXGIWVC5EH", Result.DOUBTFUL),
        ("^", Result.DOUBTFUL),
        ("^100", Result.NOT_DONE),
        ("", Result.NOT_DONE),
    ],
)
def test_security_data_stays_opaque_and_is_never_said_to_be_good(security, result):
    document = read(ONE + security)
    assert answer(document, "security_data") is result
    assert document.fields.get("security_data", "") == security[4:]


def test_security_data_may_hold_anything_even_carets_and_lower_case():
    document = read(ONE + "^10Ba^b^108C>8é")
    assert document.fields["security_data"] == "a^b^108C>8é"
    assert differing(document, ONE) == {}


@pytest.mark.parametrize(
    ("printed", "parts"),
    [
        ("DESMARAIS/LUC MR", ("DESMARAIS", "LUC", "MR")),
        ("DESMARAIS/A JEAN DR", ("DESMARAIS", "A JEAN", "DR")),
        ("DESMARAIS/LUCMR", ("DESMARAIS", "LUCMR", None)),
        ("DESMARAIS/AMR", ("DESMARAIS", "AMR", None)),
        ("DESMARAIS/MR", ("DESMARAIS", "MR", None)),
        ("DESMARAIS MR", ("DESMARAIS MR", None, None)),
        ("DE LA RUE/ANNE MARIE", ("DE LA RUE", "ANNE MARIE", None)),
        ("DESMARAIS/", ("DESMARAIS", None, None)),
        ("/LUC", ("", "LUC", None)),
    ],
)
def test_a_title_is_split_off_only_where_a_space_sets_it_apart(printed, parts):
    fields = read("M1" + printed.ljust(20) + ONE[22:]).fields
    assert fields["passenger_name"] == printed
    assert (fields["surname"], fields.get("given_names"), fields.get("title")) == parts


def test_a_name_that_fills_its_room_may_be_cut():
    [verdict] = [v for v in read("M1DESMARAISDESMARAIS/A" + ONE[22:]).verdicts if v.check == "passenger_name"]
    assert verdict.result is Result.OK
    assert "may be cut" in verdict.detail


def test_no_verdict_quotes_the_pass():
    text = "M9DESMARAIS/LUC       QABC#23 Y1LFRAAC 08x4 999F001A0025 1ZZ>GIWVC5EHJNTFVNJ^1XXSECRET"
    for verdict in read(text).verdicts:
        for secret in ("DESMARAIS", "LUC", "ABC", "08x4", "GIWVC", "SECRET", "999"):
            assert secret not in verdict.detail


@pytest.mark.parametrize(
    "payload", ["", "M", "X1", "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<<", "@\n\x1e\rANSI 636000", "HC1:6BF", "MX"]
)
def test_other_documents_are_not_taken_for_a_boarding_pass(payload):
    assert not is_boarding_pass(payload)
    assert read(payload).kind == "unknown"


def test_a_pass_whose_first_letter_was_misread_is_still_a_pass():
    document = read("N" + ONE[1:])
    assert document.kind == "BCBP"
    assert answer(document, "format_code") is Result.FAILED
    assert document.fields["legs"] == read(ONE).fields["legs"]


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300), st.text("M12 >^0AFEKCYUL\r\n5/", max_size=300)))
def test_any_payload_gives_one_verdict_a_check(payload):
    for text in (payload, ONE[:23].encode() + payload if isinstance(payload, bytes) else ONE[:60] + payload):
        document = read(text)
        expected = CHECKS if document.is_understood else ("understood",)
        assert tuple(verdict.check for verdict in document.verdicts) == expected


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_one_wrong_character_harms_no_more_than_its_item(data):
    place = data.draw(st.integers(2, len(ONE) - 1))
    character = data.draw(st.characters(min_codepoint=32, max_codepoint=126))
    document = read(ONE[:place] + character + ONE[place + 1 :])
    assert document.kind == "BCBP"
    assert len(document.fields["legs"]) >= 1
    if place < 20:
        assert document.fields["legs"] == read(ONE).fields["legs"]


@pytest.mark.parametrize(
    "filler", ["^", " ", "A", ">", "1", "^10", "\n", "ABC123 YULFRAAC 0834 226F001A0025 100", "\xff"]
)
def test_a_payload_of_64_kib_ends(filler):
    payload = (ONE + filler * (65536 // len(filler)))[:65536]
    document = read(payload)
    assert document.kind == "BCBP"
    assert document.fields["legs"][0]["seat_number"] == "001A"
    assert all(len(verdict.detail) <= 400 for verdict in document.verdicts)


def test_a_first_leg_that_begins_with_a_misread_caret_is_a_leg():
    document = read(ONE[:23] + "^" + ONE[24:])
    assert document.fields["legs"][0]["to_city_airport_code"] == "FRA"
    assert differing(document, ONE) == {"item_forms": Result.DOUBTFUL}


def test_a_name_that_is_cut_off_lends_no_letter_to_the_indicator():
    # one of the malformed passes of martinmroz/iata_bcbp
    document = read("M2DESMARAIS")
    assert document.fields["passenger_name"] == "DESMARAIS"
    assert "electronic_ticket_indicator" not in document.fields
    assert answer(document, "mandatory_items") is Result.FAILED


def test_a_single_0_for_a_baggage_tag_says_that_there_is_none():
    # as Finnair prints it (the tests of jklausa/swift-bcbp; passenger and numbers are made up there)
    document = read(
        "M1KLAUSA/JAN          EWHYAYE HELBERAY 1435 345Y025A0021 34A>5180 W    BAY 0            "
        "2A1059991113332  AY BA 12345678            Y2Y"
    )
    assert [answer(document, check) for check in ("item_forms", "baggage_tags")] == [Result.OK, Result.OK]
    assert document.fields["legs"][0]["for_individual_airline_use"] == "2Y"


def test_a_second_leg_is_read_behind_a_first_without_ticket_or_issuer():
    # a forum's pass of Air France in the tests of jklausa/swift-bcbp, with a made-up passenger
    document = read(
        "M2GUY/SOME            EABC123 LAXCDGAF 4097 356J070A0174 347>2180      B                "
        "29             0                           ABC123 CDGTLSAF 7794 357Y006A0006 32B"
        "29             0    AF 1112223334/P        "
    )
    first, second = document.fields["legs"]
    assert (first["selectee_indicator"], second["frequent_flyer_number"]) == ("0", "1112223334/P")
    assert [answer(document, check) for check in ("item_forms", "field_sizes")] == [Result.OK, Result.OK]
