"""Barcodes in pictures: every symbology of travel documents, straight and skewed, and what is no picture."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from edge.documents.read import read
from hw.picture import MOST_PIXELS, PictureError, barcodes, grey
from hw.simulated.travellers import specimen
from tests.hw.framing.samples import AAMVA, DCC

VECTORS = Path(__file__).parents[1] / "vectors"
SEAL = bytes.fromhex(json.loads((VECTORS / "vds-public.jsonl").read_text().splitlines()[0])["seal"])
BOARDING_PASS = specimen(1, 7).boarding_pass
SYMBOLOGIES = {"PDF417": "]L", "Aztec": "]z", "QRCode": "]Q", "DataMatrix": "]d"}
CODED = [
    *((symbology, BOARDING_PASS) for symbology in SYMBOLOGIES),
    ("PDF417", AAMVA),
    ("QRCode", DCC),
    ("DataMatrix", SEAL),
    ("Aztec", bytes(range(256))),
    ("PDF417", bytes(range(256))),
]


def drawn(payload: bytes, symbology: str, *, scale: int = 6) -> Image.Image:
    """Return a page with a barcode on it, at so many pixels a module."""
    barcode = zxingcpp.create_barcode(payload, getattr(zxingcpp.BarcodeFormat, symbology))
    image = zxingcpp.write_barcode_to_image(barcode, scale=scale)
    height, width = image.shape
    page = Image.new("L", (width + 160, height + 160), 255)
    page.paste(Image.frombytes("L", (width, height), bytes(memoryview(image))), (80, 80))
    return page


def file_of(page: Image.Image, degrees: float = 0.0, form: str = "PNG") -> bytes:
    """Return a picture file of a page that lies askew."""
    out = io.BytesIO()
    page.rotate(degrees, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC).save(out, form)
    return out.getvalue()


def found(picture: bytes) -> list[tuple[bytes, str | None]]:
    """Return payload and symbology of each barcode."""
    return [(frame.payload, frame.symbology) for frame in barcodes(picture)]


@pytest.mark.parametrize(("symbology", "payload"), CODED)
@pytest.mark.parametrize("degrees", [0, 8, 17, 187])
def test_a_barcode_is_read_at_any_skew(symbology, payload, degrees) -> None:
    assert found(file_of(drawn(payload, symbology), degrees)) == [(payload, SYMBOLOGIES[symbology])]


@pytest.mark.parametrize("degrees", [6, 7, 9])
def test_a_skewed_pdf417_is_never_read_as_another_text(degrees) -> None:
    for ordinal in range(1, 6):
        payload = specimen(1, ordinal).boarding_pass
        assert found(file_of(drawn(payload, "PDF417", scale=4), degrees)) == [(payload, "]L")]


@pytest.mark.parametrize("symbology", ["Code128", "Code39"])
def test_a_linear_barcode_is_read(symbology) -> None:
    assert [payload for payload, _ in found(file_of(drawn(b"UTO L898902", symbology)))] == [b"UTO L898902"]


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize("mode", ["L", "RGB", "1", "P"])
def test_a_picture_may_have_any_form_and_colours(form, mode) -> None:
    page = drawn(BOARDING_PASS, "Aztec").convert("L" if (form, mode) in [("JPEG", "1"), ("JPEG", "P")] else mode)
    out = io.BytesIO()
    page.save(out, form)
    assert found(out.getvalue()) == [(BOARDING_PASS, "]z")]


def test_a_barcode_on_a_transparent_ground_is_read() -> None:
    page = drawn(BOARDING_PASS, "QRCode")
    ink = page.point(lambda grey: 255 - grey)
    clear = Image.new("RGBA", page.size, (0, 0, 0, 0))
    clear.putalpha(ink)
    assert found(file_of_as_it_is(clear)) == [(BOARDING_PASS, "]Q")]


def file_of_as_it_is(image: Image.Image) -> bytes:
    """Return a PNG of an image."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_several_barcodes_come_from_top_to_bottom() -> None:
    upper, lower = drawn(BOARDING_PASS, "Aztec"), drawn(DCC, "QRCode")
    page = Image.new("L", (max(upper.width, lower.width), upper.height + lower.height), 255)
    page.paste(lower, (0, upper.height))
    page.paste(upper, (0, 0))
    assert found(file_of_as_it_is(page)) == [(BOARDING_PASS, "]z"), (DCC, "]Q")]


def test_a_binary_seal_comes_out_of_a_picture_as_the_seal_that_it_is() -> None:
    (frame,) = barcodes(file_of(drawn(SEAL, "DataMatrix"), 3))
    assert frame.family == "picture"
    assert read(frame.payload, today=date(2026, 11, 22), symbology=frame.symbology).kind == "VDS"


def test_a_picture_without_a_barcode_is_an_empty_list() -> None:
    assert barcodes(file_of(Image.new("L", (200, 100), 255))) == []


@pytest.mark.parametrize("picture", [b"", b"hello", b"GIF89a" + b"\0" * 40, b"%PDF-1.7", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_one_error(picture) -> None:
    with pytest.raises(PictureError):
        barcodes(picture)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_picture_cut_off_at_any_place_is_an_error_or_no_barcode(form) -> None:
    whole = file_of(drawn(BOARDING_PASS, "Aztec", scale=3), form=form)
    for size in range(0, len(whole), max(1, len(whole) // 20)):
        try:
            assert found(whole[:size]) in ([], [(BOARDING_PASS, "]z")])
        except PictureError:
            continue


def test_a_picture_that_would_fill_the_memory_is_refused_unseen() -> None:
    side = int(MOST_PIXELS**0.5) + 100
    out = io.BytesIO()
    Image.new("1", (side, side), 1).save(out, "PNG")
    with pytest.raises(PictureError, match="more than"):
        barcodes(out.getvalue())


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_a_transparent_picture_is_laid_on_paper_as_it_would_be_in_one_piece(mode) -> None:
    page = Image.effect_noise((300, 700), 90).convert("RGB")
    page.putalpha(Image.linear_gradient("L").resize(page.size))
    page = page.convert(mode) if mode != "RGB" else page.convert("RGB")
    out = io.BytesIO()
    page.save(out, "PNG", **({"transparency": (10, 10, 10)} if mode == "RGB" else {}))
    with Image.open(out) as saved:
        whole = saved.convert("RGBA")
    expected = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole).convert("L")
    assert grey(out.getvalue()).tobytes() == expected.tobytes()


_PEAK = """
import sys
from hw.picture import grey
grey(sys.stdin.buffer.read())
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(int(peak.split()[1]) // 1024)
"""


@pytest.mark.parametrize(("mode", "form", "most_mb"), [("RGBA", "PNG", 350), ("RGB", "JPEG", 180)])
def test_the_largest_picture_takes_no_more_memory_than_a_kiosk_has_to_spare(mode, form, most_mb) -> None:
    out = io.BytesIO()
    Image.new(mode, (8000, 6000), "white").save(out, form, **({"compress_level": 1} if form == "PNG" else {}))
    done = subprocess.run([sys.executable, "-c", _PEAK], input=out.getvalue(), capture_output=True, check=True)
    assert int(done.stdout) < most_mb
