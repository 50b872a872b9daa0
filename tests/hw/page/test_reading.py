"""Machine readable zones in pictures: read where they can be, flagged where not, and never surely wrong."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from edge.documents.read import read
from edge.documents.verdict import Result
from hw.devices import Frame
from hw.page.documents import DocumentFinder
from hw.page.glyphs import SHEET
from hw.page.reading import ZoneReader
from hw.picture import PictureError
from hw.simulated.travellers import KINDS, specimen
from tests.hw.page.drawn import FONTS, LIGHTS, file_of, page, turned
from tests.hw.page.sheet import sheet

TODAY = date(2026, 11, 22)
VECTORS = Path(__file__).parents[2] / "vectors" / "mrz-doc9303.jsonl"
ZONES = [
    lines
    for lines in (json.loads(line)["lines"] for line in VECTORS.read_text("utf-8").splitlines())
    if [len(line) for line in lines] in ([30] * 3, [36] * 2, [44] * 2)
]


@pytest.fixture(scope="module")
def reader() -> ZoneReader:
    return ZoneReader()


def lines_of(kind: str, ordinal: int = 17) -> list[str]:
    return specimen(3, ordinal, kind).mrz.decode().split("\n")


def surely(frame: Frame | None, lines: list[str]) -> list[tuple[str, str]]:
    """Return the characters that were read wrong without a flag, each with what it should have been."""
    if frame is None:
        return []
    text, right = frame.payload.decode(), "\n".join(lines)
    assert len(text) == len(right)
    return [(was, is_) for place, (was, is_) in enumerate(zip(right, text, strict=True))
            if was != is_ and place not in frame.unrecognised]  # fmt: skip


@pytest.mark.parametrize(("kind", "degrees"), [*((kind, 7) for kind in KINDS), ("TD3", 0), ("TD3", -12), ("TD1", 180)])
def test_a_zone_in_good_light_is_read_whole_at_any_angle(reader, kind, degrees) -> None:
    lines = lines_of(kind)
    frame = reader.zone(turned(page(lines), degrees))
    assert frame == Frame("\n".join(lines).encode(), "camera")
    assert frame.payload == "\n".join(lines).encode()
    document = read(frame.payload, today=TODAY, unrecognised=frame.unrecognised)
    assert (document.kind, document.of(Result.FAILED)) == (kind, ())


@pytest.mark.parametrize("lines", ZONES, ids=lambda lines: lines[-1][:9].rstrip("<"))
def test_the_specimens_of_doc_9303_are_never_surely_wrong(reader, lines) -> None:
    frame = reader.zone(page(lines))
    assert frame is not None
    assert surely(frame, lines) == []


@pytest.mark.parametrize(
    ("light", "font"),
    [*((light, "plain") for light in LIGHTS), ("in good light", "sharp"), ("moved", "sharp"), ("noisy", "oblique")],
)
def test_in_bad_light_no_character_is_surely_wrong(reader, light, font) -> None:
    lines = lines_of("TD3")
    assert surely(reader.zone(LIGHTS[light](turned(page(lines, font=font), 4))), lines) == []


@pytest.mark.parametrize("light", ["out of focus", "unevenly lit", "faint", "leaning"])
def test_in_bad_light_most_is_still_read(reader, light) -> None:
    lines = lines_of("TD1")
    frame = reader.zone(LIGHTS[light](page(lines)))
    assert frame is not None
    assert len(frame.unrecognised) < 18


@pytest.mark.parametrize("grey", [np.full((480, 640), 128, np.uint8), np.zeros((2, 3), np.uint8)], ids=["wall", "tiny"])
def test_a_picture_without_a_zone_has_none(reader, grey) -> None:
    assert reader.zone(grey) is None


def test_noise_is_no_zone(reader) -> None:
    assert reader.zone(np.random.default_rng(1).integers(0, 256, (600, 900), np.uint8).astype(np.uint8)) is None


def test_what_is_no_picture_is_an_error() -> None:
    with pytest.raises(PictureError):
        DocumentFinder().documents(b"hello")


def test_a_file_gives_the_zone_as_a_frame_of_the_camera() -> None:
    (frame,) = DocumentFinder().shown(file_of(page(lines_of("TD2"))))
    assert (frame.payload.decode().split("\n"), frame.family) == (lines_of("TD2"), "camera")


def test_the_sheet_is_what_its_maker_makes() -> None:
    import hw.page

    shipped = Path(hw.page.__file__).with_name(SHEET)
    assert FONTS.is_dir(), "apt install fonts-ocr-b"
    from PIL import Image

    with Image.open(shipped) as image:
        assert image.tobytes() == sheet().tobytes()


@pytest.mark.parametrize("shape", [(1, 1), (5000, 1), (1, 5000), (3, 100_000)], ids=str)
def test_a_picture_too_thin_for_a_page_has_no_zone(reader: ZoneReader, shape: tuple[int, int]) -> None:
    assert reader.zone(np.full(shape, 128, np.uint8)) is None
