"""Which standard a payload goes to."""

import subprocess
import sys
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.documents.mrz import encode, parse
from edge.documents.read import LONGEST_PAYLOAD, read
from edge.documents.verdict import Document, Result
from tests.edge.documents.mrz.specimens import PASSPORT, SPECIMENS

TODAY = date(2026, 11, 22)
MRZ = "\n".join(PASSPORT)
BOARDING_PASS = "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 100"


@pytest.mark.parametrize("kind", SPECIMENS)
def test_lines_of_a_zone_go_to_the_zone(kind):
    assert read("\n".join(SPECIMENS[kind]), today=TODAY).kind == kind


@pytest.mark.parametrize(
    "prefix", ["]o", "]o1", "]z", "]z0", "]zA", "]zC", "]Q", "]Q3", "]L", "]L0", "]d2", "]C", "]C1", "]A", "]A0", "]X0"]
)
def test_an_aim_prefix_left_on_the_payload_does_no_harm(prefix):
    payload = MRZ if prefix.startswith("]o") else BOARDING_PASS

    assert read(prefix + payload, today=TODAY) == read(payload, today=TODAY, symbology=prefix[:2])
    assert read(prefix + payload, today=TODAY).is_understood


@pytest.mark.parametrize("prefix", ["]o1", "\x02]o1", "]o1\x02", "\x02", "\ufeff"])
def test_flagged_offsets_count_from_what_stands_before_the_payload_on(prefix):
    document = read(prefix + MRZ, today=TODAY, unrecognised=(0, len(prefix) + 45 + 4))

    assert [(one.check, one.detail) for one in document.of(Result.DOUBTFUL) if one.check == "document_number"] == [
        ("document_number", "line 2, position 5: not recognised by the reader")
    ]


@pytest.mark.parametrize("payload", [BOARDING_PASS, BOARDING_PASS.encode()])
def test_a_boarding_pass_goes_to_bcbp(payload):
    assert read(payload, today=TODAY).source == "bcbp"


@pytest.mark.parametrize("begins", ["M0", "M9", "N1", "?1", "Mi", "m1", " M1", "\r\nM1", "\x02M1"])
def test_a_boarding_pass_damaged_at_its_beginning_is_still_one(begins):
    assert read(begins + BOARDING_PASS[2:], today=TODAY).kind == "BCBP"


@pytest.mark.parametrize("kind", SPECIMENS)
@pytest.mark.parametrize("joined", ["\n".join, "".join])
@pytest.mark.parametrize("filler", ["<", " ", "_"])
def test_a_zone_is_not_taken_for_a_boarding_pass(kind, joined, filler):
    assert read(joined(SPECIMENS[kind]).replace("<", filler), today=TODAY).kind == kind


@pytest.mark.parametrize("kind", ["TD2", "TD3", "MRV-A", "MRV-B"])
def test_a_zone_from_bottom_to_top_whose_number_begins_like_a_boarding_pass_is_a_zone(kind):
    lines = encode(kind, parse("\n".join(SPECIMENS[kind]), today=TODAY).fields | {"document_number": "M1234567"})

    assert read("\n".join(reversed(lines)), today=TODAY).kind == kind


def test_a_number_of_digits_behind_a_long_name_does_not_make_a_boarding_pass_of_a_passport():
    fields = {"document_code": "P", "issuing_state": "UTO", "primary_identifier": "A" * 36, "nationality": "UTO"}
    fields |= {"secondary_identifier": "BB", "document_number": "123456789", "date_of_birth": "1974-08-12", "sex": "F"}
    run = "".join(encode("TD3", fields | {"date_of_expiry": "2034-04-15"}))

    assert read(run, today=TODAY).kind == read(run.replace("<", " "), today=TODAY).kind == "TD3"


@pytest.mark.parametrize(
    ("payload", "source"),
    [
        ("HC1:6BF", "dcc"),
        (b"HC1:6BF", "dcc"),
        ('{"data": {}, "sig": {}}', "vds"),
        (b"\xdc\x03\xda\xc9", "vds"),
        ("\xdc\x03\xda\xc9", "vds"),
        ("\xdc\x03\xda\xc9".encode(), "vds"),
        ("@\n\x1e\rANSI 636000100002DL00410278", "aamva"),
        ("%UTSPECIMEN^DOE$JANE^?", "aamva"),
        (";636000123456789=1234?", "aamva"),
    ],
)
def test_content_decides_where_no_identifier_does(payload, source):
    assert read(payload, today=TODAY).source == source


PAYLOADS = {
    "TD3": MRZ,
    "BCBP": BOARDING_PASS,
    "DCC": "HC1:6BF",
    "AAMVA": "@\n\x1e\rANSI 636000100002DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\r",
    "AAMVA-MAG": "%VARICHMOND^SAMPLE$MICHAEL^2300 WEST BROAD STREET^?;6360000123456789012=241219860607345?",
    "VDS": "\xdc\x03\xd9\xc5m2\xc8\xa7,\xb1\x0fq4}\x00\x17]\x01",
    "VDS-NC": '{"data":{"hdr":{"is":"UTO","t":"icao.vacc","v":1},"msg":{}},"sig":{}}',
}


@pytest.mark.parametrize("kind", PAYLOADS)
@pytest.mark.parametrize(
    "before", ["\x02", "\x01\x02", "\x00", "\r\n", "\t", "\x1d", "\ufeff", "\xef\xbb\xbf", "\x02]Q1"]
)
def test_control_characters_and_byte_order_marks_before_a_payload_do_no_harm(kind, before):
    document = read(before + PAYLOADS[kind], today=TODAY)

    assert document == read(PAYLOADS[kind], today=TODAY)
    assert document.source != "mrz" or kind == "TD3"


@pytest.mark.parametrize("kind", ["TD3", "BCBP", "DCC", "AAMVA", "AAMVA-MAG"])
def test_a_reader_that_sends_lower_case_changes_no_standard(kind):
    assert read(PAYLOADS[kind].lower(), today=TODAY).source == read(PAYLOADS[kind], today=TODAY).source


def test_a_zone_in_a_barcode_is_still_read():
    assert read(MRZ, today=TODAY, symbology="]L").kind == "TD3"


def test_an_ocr_reader_delivers_zones_alone():
    assert not read(BOARDING_PASS, today=TODAY, symbology="]o").is_understood


@pytest.mark.parametrize(("symbology", "source"), [(None, "mrz"), ("]o", "mrz"), ("]L", "bcbp"), ("]Q", "bcbp")])
def test_what_nothing_understands_is_unknown_and_says_so(symbology, source):
    document = read("hello", today=TODAY, symbology=symbology)

    assert (document.kind, document.source, document.fields) == ("unknown", source, {})
    assert [(one.check, one.result) for one in document.verdicts] == [("understood", Result.FAILED)]


def test_a_payload_beyond_any_standard_is_not_looked_at():
    assert not read(b"M1" * LONGEST_PAYLOAD, today=TODAY).is_understood


def test_no_standard_is_imported_before_its_first_payload():
    script = (
        "import sys\n"
        "import edge.documents.read\n"
        "assert not {name for name in sys.modules if name.startswith('edge.documents.')} - "
        "{'edge.documents.read', 'edge.documents.verdict'}\n"
    )

    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


BEGINNINGS = [
    b"",
    b"]o",
    b"]Q1",
    b"M1",
    b"HC1:",
    b"@\n\x1e\rANSI ",
    b"%",
    b";",
    b"\xdc\x03",
    b'{"data":{"sig"',
    b"P<UTO",
]


@given(beginning=st.sampled_from(BEGINNINGS), rest=st.binary(max_size=200), as_text=st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_payload_gives_a_document(beginning, rest, as_text):
    payload = (beginning + rest).decode("latin-1") if as_text else beginning + rest

    document = read(payload, today=TODAY, health=True)

    assert isinstance(document, Document)
    assert document.verdicts


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("filling", [b"A", b"<", b"\r", b"0\n", b"\x00", b"\xff", b">", b'{"', b"^", b"["])
def test_64_kib_of_anything_gives_a_document(beginning, filling):
    payload = (beginning + filling * LONGEST_PAYLOAD)[:LONGEST_PAYLOAD]

    assert read(payload, today=TODAY, health=True).verdicts
