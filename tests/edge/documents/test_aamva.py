"""AAMVA bar codes as the standard and real cards write them, and what readers do to them."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.documents.aamva import CHECKS, is_card, parse
from edge.documents.verdict import Document, Result

# The worked examples of the standard: 2020 (annex D) and 2000; Virginia's specimens.
VERSION_10 = (
    "@\n\x1e\rANSI 636000100102DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\nDDEN\nDACMICHAEL\nDDFN\nDADJOHN\nDDGN\n"
    "DCUJR\nDCAD\nDCBK\nDCDPH\nDBD06062019\nDBB06061986\nDBA12102024\nDBC1\nDAU068 in\nDAYBRO\n"
    "DAG2300 WEST BROAD STREET\nDAIRICHMOND\nDAJVA\nDAK232690000  \nDCF2424244747474786102204\nDCGUSA\nDCK123456789\n"
    "DDAF\nDDB06062018\nDDC06062020\nDDD1\rZVZVA01\r"
)
VERSION_1 = (
    "@\n\x1e\rANSI 6360000102DL00390187ZV02260032DLDAQ0123456789ABC\nDAAPUBLIC,JOHN,Q\nDAG123 MAIN STREET\nDAIANYTOWN\n"
    "DAJVA\nDAK123459999  \nDARDM  \nDAS          \nDAT     \nDAU509\nDAW175\nDAYBL \nDAZBR \nDBA20011201\n"
    "DBB19761123\nDBCM\nDBD19961201\rZVZVAJURISDICTIONDEFINEDELEMENT\r"
)
TODAY = date(2024, 1, 1)
LF, RS, CR = "\n", "\x1e", "\r"


def read(text, today=TODAY):
    return parse(text, today=today)


def answer(document: Document, check: str) -> Result:
    [verdict] = [verdict for verdict in document.verdicts if verdict.check == check]
    return verdict.result


def differing(document, text=VERSION_10):
    before = {verdict.check: verdict.result for verdict in read(text).verdicts}
    after = {verdict.check: verdict.result for verdict in document.verdicts}
    return {check: result for check, result in after.items() if result is not before[check]}


def changed(said, written, text=VERSION_10):
    assert text.count(said) == 1
    return text.replace(said, written)


def test_the_example_of_2020_gives_every_element():
    document = read(VERSION_10)
    assert (document.kind, document.source) == ("AAMVA", "aamva")
    assert document.fields == {
        "issuer_identification_number": "636000",
        "aamva_version_number": 10,
        "jurisdiction_version_number": 1,
        "issuing_state": "USA",
        "issuing_jurisdiction": "VA",
        "subfile_type": "DL",
        "customer_id_number": "T64235789",
        "customer_family_name": "SAMPLE",
        "family_name_truncation": "N",
        "customer_first_name": "MICHAEL",
        "first_name_truncation": "N",
        "customer_middle_names": "JOHN",
        "middle_name_truncation": "N",
        "name_suffix": "JR",
        "jurisdiction_specific_vehicle_class": "D",
        "jurisdiction_specific_restriction_codes": "K",
        "jurisdiction_specific_endorsement_codes": "PH",
        "document_issue_date": "2019-06-06",
        "date_of_birth": "1986-06-06",
        "document_expiration_date": "2024-12-10",
        "sex": "M",
        "height": "068 in",
        "eye_color": "BRO",
        "address_street_1": "2300 WEST BROAD STREET",
        "address_city": "RICHMOND",
        "address_jurisdiction_code": "VA",
        "address_postal_code": "232690000",
        "document_discriminator": "2424244747474786102204",
        "country_identification": "USA",
        "inventory_control_number": "123456789",
        "compliance_type": "F",
        "card_revision_date": "2018-06-06",
        "hazmat_endorsement_expiration_date": "2020-06-06",
        "limited_duration_document_indicator": "1",
        "other_subfiles": {"ZV": {"ZVA": "01"}},
    }
    assert {verdict.result for verdict in document.verdicts} == {Result.OK}


def test_the_example_of_2000_splits_its_name_and_reads_its_dates():
    document = read(VERSION_1, date(2001, 6, 1))
    fields = document.fields
    assert (fields["customer_family_name"], fields["customer_first_name"], fields["customer_middle_names"]) == (
        "PUBLIC",
        "JOHN",
        "Q",
    )
    assert (fields["date_of_birth"], fields["document_expiration_date"]) == ("1976-11-23", "2001-12-01")
    assert (fields["sex"], fields["height"], fields["eye_color"]) == ("M", "509", "BL")
    assert fields["other_subfiles"] == {"ZV": {"ZVA": "JURISDICTIONDEFINEDELEMENT"}}
    assert {verdict.result for verdict in document.verdicts} == {Result.OK}


def test_the_file_type_of_the_first_cards_is_read():
    document = read(VERSION_1.replace("ANSI ", "AAMVA").replace("636000", "636003"))
    assert document.fields["issuing_jurisdiction"] == "MD"
    assert answer(document, "header") is Result.OK


def test_every_check_answers_once_and_in_order():
    for text in (VERSION_10, VERSION_1, "@ANSI 636000", VERSION_10[:60], VERSION_10 * 20):
        assert tuple(verdict.check for verdict in read(text).verdicts) == CHECKS


@pytest.mark.parametrize("payload", ["", "M1DESMARAIS/LUC", "P<UTOERIKSSON", b"\x00\xff", "ANSI", "ANSI 63600"])
def test_what_is_no_card_is_unknown(payload):
    document = read(payload)
    assert document.kind == "unknown"
    assert [verdict.check for verdict in document.verdicts] == ["understood"]
    assert not is_card(payload if isinstance(payload, str) else payload.decode("latin-1"))


def test_canadian_dates_lead_with_the_year():
    text = VERSION_10.replace("636000", "636012").replace("DCGUSA", "DCGCAN").replace("DBB06061986", "DBB19860607")
    document = read(text.replace("DBD06062019", "DBD20190606").replace("DBA12102024", "DBA20241210"))
    assert document.fields["date_of_birth"] == "1986-06-07"
    assert document.fields["issuing_state"] == "CAN"
    assert "other order" not in " ".join(verdict.detail for verdict in document.verdicts if "date_of" in verdict.check)


@pytest.mark.parametrize(
    ("printed", "read_as", "result"),
    [
        ("06071986", "1986-06-07", Result.OK),
        ("19860607", "1986-06-07", Result.OK),  # the other order: said, not mistaken
        ("06/07/1986", "1986-06-07", Result.OK),
        ("06001986", "1986-06-XX", Result.OK),
        ("00001986", "1986-XX-XX", Result.OK),
        ("13321986", None, Result.FAILED),
        ("02301986", None, Result.FAILED),
        ("0607198", None, Result.FAILED),
        ("ABCDEFGH", None, Result.FAILED),
        ("06072150", None, Result.FAILED),
        ("06072050", "2050-06-07", Result.FAILED),  # in the future
    ],
)
def test_a_date_is_read_or_fails_alone(printed, read_as, result):
    document = read(changed("DBB06061986", "DBB" + printed))
    assert document.fields.get("date_of_birth") == read_as
    assert answer(document, "date_of_birth") is result
    assert document.fields["document_expiration_date"] == "2024-12-10"


@pytest.mark.parametrize(
    ("today", "result"),
    [
        (date(2024, 12, 10), Result.OK),
        (date(2024, 12, 11), Result.FAILED),
        (None, Result.NOT_DONE),
    ],
)
def test_a_card_is_valid_to_the_end_of_its_last_day(today, result):
    assert answer(read(VERSION_10, today), "validity") is result


@pytest.mark.parametrize("printed", ["99999999", "00000000", "NONE", ""])
def test_a_card_may_have_no_end(printed):
    document = read(changed("DBA12102024", "DBA" + printed))
    assert "document_expiration_date" not in document.fields
    assert answer(document, "validity") is Result.OK


def test_an_unset_clock_leaves_the_checks_of_today_undone():
    document = read(VERSION_10, None)
    assert {verdict.check for verdict in document.of(Result.NOT_DONE)} == {"validity", "date_of_birth"}


@pytest.mark.parametrize(("printed", "sex"), [("1", "M"), ("2", "F"), ("9", "X"), ("M", "M"), ("F", "F"), ("X", "X")])
def test_sex_is_a_digit_or_a_letter(printed, sex):
    assert read(changed("DBC1", "DBC" + printed)).fields["sex"] == sex


@pytest.mark.parametrize(("printed", "said"), [("T", "truncated"), ("U", "not known whether truncated"), ("N", "")])
def test_truncation_is_said_of_the_name(printed, said):
    [verdict] = [v for v in read(changed("DDEN", "DDE" + printed)).verdicts if v.check == "names"]
    assert verdict.result is Result.OK
    assert said in verdict.detail
    assert "SAMPLE" not in verdict.detail


def test_versions_2_and_3_hold_the_given_names_together():
    text = changed("636000100102", "636000030102")
    text = changed("DACMICHAEL\nDDFN\nDADJOHN\nDDGN\n", "DCTMICHAEL,JOHN\n", text)
    fields = read(text).fields
    assert (fields["customer_given_names"], fields["customer_first_name"]) == ("MICHAEL,JOHN", "MICHAEL")
    assert fields["customer_middle_names"] == "JOHN"
    assert answer(read(text), "mandatory_elements") is Result.OK


@pytest.mark.parametrize("absent", ["NONE", "unavl", ""])
def test_what_the_card_says_it_does_not_have_is_left_out(absent):
    assert "customer_middle_names" not in read(changed("DADJOHN", "DAD" + absent)).fields


@pytest.mark.parametrize("prelude", ["@\n\x1c\r", "@\r\n\x1e\r", "@\n\n", "@", "@\x1e\r\n", "garbage @\n\x1e\r"])
def test_other_control_characters_in_front_change_nothing(prelude):
    document = read(prelude + VERSION_10[4:])
    assert document.fields == read(VERSION_10).fields
    assert differing(document) == {}


def test_a_missing_compliance_indicator_is_said():
    document = read(VERSION_10[4:])
    assert document.fields == read(VERSION_10).fields
    assert differing(document) == {"header": Result.DOUBTFUL}


@pytest.mark.parametrize("separator", ["\r\n", "\r", "\x1e", "\n\n", "\n\r"])
def test_separators_of_another_kind_still_separate(separator):
    assert read(VERSION_10[:4] + VERSION_10[4:].replace("\n", separator)).fields == read(VERSION_10).fields


@pytest.mark.parametrize("substitute", [" ", "|", "_", "^", "\t", "\\", "*", "+", ";", "�"])
def test_a_character_that_stands_in_for_lf_is_found_out_and_said(substitute):
    document = read(VERSION_10.replace(LF, substitute).replace(RS, substitute).replace(CR, substitute))
    assert document.fields == read(VERSION_10).fields
    assert answer(document, "separators") is Result.OK
    [verdict] = [verdict for verdict in document.verdicts if verdict.check == "separators"]
    assert verdict.detail == "another character stands in for LF"


@pytest.mark.parametrize("family_name", ["SAMPLE", "MADDEN", "ADAMSON", "DADE", "DACOSTA", "OBRIEN-DEAN", "DUDACK"])
def test_lost_control_characters_leave_a_doubt_and_the_elements(family_name):
    text = VERSION_10.replace("SAMPLE", family_name)
    document = read(text.replace(LF, "").replace(RS, "").replace(CR, ""))
    assert document.fields == read(text).fields
    assert differing(document, text) == {"separators": Result.DOUBTFUL}


def test_one_lost_separator_is_suspected():
    document = read(VERSION_10.replace("T64235789\nDCS", "T64235789DCS"))
    assert answer(document, "separators") is Result.DOUBTFUL
    assert answer(document, "mandatory_elements") is Result.DOUBTFUL
    assert document.fields["customer_first_name"] == "MICHAEL"


@pytest.mark.parametrize("designators", ["DL00310999ZV03190008", "DL99999999ZV00000000", "DL00410270ZV03190007"])
def test_wrong_offsets_and_lengths_are_said_and_not_followed(designators):
    document = read(changed("DL00410278ZV03190008", designators))
    assert document.fields == read(VERSION_10).fields
    [verdict] = [verdict for verdict in document.verdicts if verdict.check == "subfile_offsets"]
    assert verdict.result is Result.OK
    assert verdict.detail


@pytest.mark.parametrize("header", ["636000100101", "636000100109", "636000100100"])
def test_a_wrong_number_of_entries_is_doubtful_and_harms_nothing(header):
    document = read(changed("636000100102", header))
    assert document.fields == read(VERSION_10).fields
    assert differing(document) == {"number_of_entries": Result.DOUBTFUL}


@pytest.mark.parametrize(("header", "version"), [("636000110102", 11), ("636000120102", 12), ("636000990102", 99)])
def test_versions_after_the_last_known_are_read_as_it(header, version):
    document = read(changed("636000100102", header))
    assert document.fields["aamva_version_number"] == version
    assert document.fields["customer_family_name"] == "SAMPLE"
    assert answer(document, "version") is (Result.OK if version == 11 else Result.DOUBTFUL)


def test_an_unknown_issuer_is_doubtful():
    document = read(changed("636000100102", "123456100102"))
    assert answer(document, "issuer_known") is Result.DOUBTFUL
    assert "issuing_state" not in document.fields


@pytest.mark.parametrize("kind", ["ID", "EN"])
def test_identification_cards_and_enhanced_licences_are_read(kind):
    text = VERSION_10.replace("02DL", f"02{kind}").replace("08DLDAQ", f"08{kind}DAQ")
    document = read(text)
    assert document.fields["subfile_type"] == kind
    assert differing(document) == {}


def test_an_element_that_no_version_knows_is_kept_under_its_id():
    fields = read(changed("DDAF\n", "DDAF\nDZZHELLO\n")).fields
    assert fields["other_elements"] == {"DZZ": "HELLO"}


def test_elements_of_version_1_are_read_on_later_cards():
    assert read(changed("DDAF\n", "DDAF\nDBHY\n")).fields["organ_donor_indicator"] == "Y"


def test_text_without_an_element_id_is_kept_and_doubtful():
    document = read(VERSION_10 + "\\928\\111\r\n")
    assert answer(document, "separators") is Result.DOUBTFUL
    assert document.fields["customer_id_number"] == "T64235789"


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_letters_outside_ascii_are_read_in_both_encodings(encoding):
    document = read(changed("DCSSAMPLE", "DCSGAGNÉ").encode(encoding))
    assert document.fields["customer_family_name"] == "GAGNÉ"


def test_a_card_in_lower_case_is_read_as_capitals():
    document = read(VERSION_10.lower())
    assert document.fields["customer_family_name"] == "SAMPLE"
    assert answer(document, "characters") is Result.OK


def test_no_verdict_quotes_the_card():
    text = VERSION_10.replace("DBB06061986", "DBBSECRET").replace("DAYBRO", "DAYSECRET").replace("DAJVA", "DAJSECRET")
    assert not any("SECRET" in verdict.detail for verdict in read(text).verdicts)


def test_any_cut_of_a_card_keeps_the_elements_before_the_cut():
    whole = read(VERSION_10).fields
    for length in range(22, len(VERSION_10)):
        fields = read(VERSION_10[:length]).fields
        assert fields["issuer_identification_number"] == "636000"
        if length > 100:
            assert fields["customer_id_number"] == whole["customer_id_number"]


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300), st.text("DACSQLZV\n\r\x1e 019@", max_size=300)))
def test_any_payload_gives_one_verdict_a_check(payload):
    for prefix in ("", VERSION_10[:41], VERSION_10[:120]):
        whole = prefix.encode() + payload if isinstance(payload, bytes) else prefix + payload
        document = read(whole)
        expected = CHECKS if document.is_understood else ("understood",)
        assert tuple(verdict.check for verdict in document.verdicts) == expected


@pytest.mark.parametrize(
    "filler", ["\n", " DAQ", "DAQ", "DDEN", "\nZZZ", "\nxx", "DL00000000", "A", "\nDAQ1", "@", "ZVZV"]
)
def test_a_payload_of_64_kib_ends(filler):
    payload = (VERSION_10[:60] + filler * 65536)[:65536]
    document = read(payload)
    assert document.kind == "AAMVA"
    assert answer(document, "characters") is Result.DOUBTFUL
    assert all(len(verdict.detail) <= 400 for verdict in document.verdicts)


@pytest.mark.parametrize("value", ["DROCKDALE", "DDONOR", "DXYX", "ZZZZ"])
def test_a_jurisdictions_value_that_reads_as_an_element_id_stays_a_value(value):
    # Georgia's specimen has the county ROCKDALE in ZGD, Indiana's has DONOR in ZID (the tests of rechner/py-aamva)
    document = read(changed("ZVZVA01", f"ZVZVA01\nZVB{value}\nZVC1"))
    assert document.fields["other_subfiles"] == {"ZV": {"ZVA": "01", "ZVB": value, "ZVC": "1"}}


def test_a_height_with_a_space_for_its_first_digit_is_a_height():
    # as Texas writes it (the tests of AppliedRecognition/AAMVA-Barcode-Parser-Apple)
    document = read(changed("DAU068 in", "DAU 68 IN"))
    assert document.fields["height"] == "68 IN"
    assert answer(document, "element_forms") is Result.OK
