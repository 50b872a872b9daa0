import io
import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
import segno
import zxingcpp
from PIL import Image

from provisioning.label import label_svg, label_terminal, label_text, sheet

PIN = "MUFJ-GLFM-AWL7-NG4I-QLFB"
ADDRESS = "https://centre.example.org:8443"
LONGEST = f"{'s' * 31}/{'k' * 32}"


@pytest.mark.parametrize("kiosk", ["dm-roseau/ferry-01", LONGEST])
def test_a_phone_reads_name_pin_and_address_from_the_code(kiosk):
    out = io.BytesIO()
    segno.make(label_text(kiosk, PIN, ADDRESS), error="m").save(out, kind="png", scale=4)
    (found,) = zxingcpp.read_barcodes(Image.open(out))
    assert found.text == f"Landfall {kiosk}\npin {PIN}\n{ADDRESS}"


@pytest.mark.parametrize("kiosk", ["a/b", "dm-roseau/ferry-01", LONGEST])
def test_everything_that_is_printed_stays_on_the_label(kiosk):
    svg = ElementTree.fromstring(label_svg(kiosk, PIN, ADDRESS))
    lines = [element for element in svg if element.tag.endswith("text")]
    assert "".join(line.text for line in lines[2:4]) == PIN
    assert [line.text for line in lines[:2]] == kiosk.split("/")
    for line in lines:
        width_mm = len(line.text) * float(line.get("font-size")) * 0.602  # an advance of DejaVu Sans Mono
        assert 29 + width_mm <= 61
        assert float(line.get("y")) <= 28


def test_a_terminal_shows_the_code_in_80_columns():
    assert max(len(line) for line in label_terminal(LONGEST, PIN, ADDRESS).splitlines()) <= 80


def test_a_sheet_has_80_columns_and_a_box_for_each_step():
    at = datetime(2026, 3, 1, tzinfo=UTC)
    lines = sheet(LONGEST, PIN, ADDRESS, "America/Argentina/ComodRivadavia", at, at).splitlines()
    assert max(map(len, lines)) <= 80
    assert len([line for line in lines if re.match(r" {2}\[ \] ", line)]) == 10
