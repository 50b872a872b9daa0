"""What is written is read back the same, for every version; what does not fit is refused by name."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.documents.aamva import encode, parse
from edge.documents.aamva.elements import Kind, elements_of
from edge.documents.aamva.issuers import issuer, issuers
from edge.documents.states import state
from edge.documents.verdict import Result

TODAY = date(2026, 8, 14)
TEXT = st.from_regex(r"[A-Z0-9][A-Z0-9 ]{0,3}[A-Z0-9]", fullmatch=True).filter(lambda text: text != "NONE")
SPLIT_NAMES = {"customer_name", "customer_given_names"}


def values(element):
    match element.kind:
        case Kind.DATE:
            return st.dates(date(1901, 1, 1), date(2099, 12, 31)).map(date.isoformat)
        case Kind.SEX:
            return st.sampled_from("MFX")
        case _ if element.form.pattern.startswith("."):
            size = {"name_suffix": 5}.get(element.name, 4)
            return TEXT.map(lambda text: text[:size].strip()).filter(element.form.fullmatch)
        case _:
            return st.from_regex(element.form, fullmatch=True).map(str.strip).filter(element.form.fullmatch)


def cards(version):
    elements = {element.name: element for element in elements_of(version).values()}
    return st.fixed_dictionaries(
        {
            "aamva_version_number": st.just(version),
            "issuer_identification_number": st.sampled_from(["636000", "636012", "636056"]),
            "subfile_type": st.sampled_from(["DL", "ID"]),
        },
        optional={name: values(element) for name, element in elements.items() if name not in SPLIT_NAMES}
        | {"other_subfiles": st.just({"ZV": {"ZVA": "01"}})},
    )


@pytest.mark.parametrize("version", range(1, 12))
def test_a_card_of_any_version_is_read_back_as_it_was_written(version):
    @settings(max_examples=15, deadline=None)
    @given(cards(version))
    def read_back(fields):
        document = parse(encode(fields), today=TODAY)
        assert {name: document.fields.get(name) for name in fields} == fields
        checks = {verdict.check: verdict.result for verdict in document.verdicts}
        for check in ("header", "version", "number_of_entries", "subfile_offsets", "element_forms"):
            assert checks[check] is Result.OK
        assert parse(encode(document.fields), today=TODAY) == document

    read_back()


def a_card(**changes):
    return {"issuer_identification_number": "636000", "customer_family_name": "SAMPLE", **changes}


def test_offsets_and_lengths_point_at_the_subfiles():
    text = encode(a_card(other_subfiles={"ZV": {"ZVA": "01"}}))
    assert text == "@\n\x1e\rANSI 636000100002DL00410012ZV00530008DLDCSSAMPLE\rZVZVA01\r"


def test_names_of_version_1_and_3_are_written_once():
    text = encode(a_card(aamva_version_number=1, customer_name="SAMPLE,ANNA,MARIA", customer_first_name="ANNA"))
    assert text.count("ANNA") == 1
    text = encode(a_card(aamva_version_number=3, customer_given_names="ANNA,MARIA", customer_first_name="ANNA"))
    assert text.count("ANNA") == 1


def test_dates_are_in_the_order_of_the_state():
    assert "DBB12081974" in encode(a_card(date_of_birth="1974-12-08"))
    assert "DBB19741208" in encode(a_card(date_of_birth="1974-12-08", country_identification="CAN"))
    assert "DBB19741208" in encode(a_card(date_of_birth="1974-12-08", aamva_version_number=1))
    assert "DBB12001974" in encode(a_card(date_of_birth="1974-12-XX"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"issuer_identification_number": "63600"}, "issuer_identification_number: must be six digits"),
        ({"aamva_version_number": 0}, "aamva_version_number: must be 1 to 11"),
        ({"aamva_version_number": 12}, "aamva_version_number: must be 1 to 11"),
        ({"jurisdiction_version_number": 100}, "jurisdiction_version_number: must be 0 to 99"),
        ({"date_of_birth": "1974-13-01"}, "date_of_birth: must be YYYY-MM-DD"),
        ({"date_of_birth": "1874-12-01"}, "date_of_birth: must be YYYY-MM-DD"),
        ({"date_of_birth": 1974}, "date_of_birth: must be YYYY-MM-DD"),
        ({"sex": "1"}, "sex: must be M, F or X"),
        ({"family_name_truncation": "Y"}, "family_name_truncation: does not have the form of DDE"),
        ({"customer_first_name": "AN\nNA"}, "customer_first_name: must be text without control characters"),
        ({"customer_name": "A,B"}, "customer_name: is no field of this version"),
        ({"other_elements": {"QQQ": "1"}}, "other_elements: an ID is D, P or Z"),
        ({"subfile_type": "dl"}, "subfile_type: must be two capitals"),
        ({"other_elements": {"DZZ": "X" * 10000}}, "other_subfiles: the bar code must not be longer"),
        ({"unplaced_text": ["X"]}, "unplaced_text: text without an element ID cannot be written"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        encode(a_card(**changes))


def test_every_issuer_has_a_state_and_six_digits():
    for number, known in issuers().items():
        assert (len(number), number.isdecimal()) == (6, True)
        assert state(known.state) is not None
    assert issuer("636012").name == "Ontario"
    assert issuer("999999") is None
