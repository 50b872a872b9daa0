"""How well and how quickly pictures are judged and read: `python -m bench photo`.

Drawn travellers of six skins, good and bad, and drawn data pages in ten lights and three prints of OCR-B. Drawings
measure whether limits hold and whether doubt is told; how real faces and worn pages do, a post has to measure itself.
"""

from __future__ import annotations

import statistics
import time

import cv2

from bench.row import Row
from edge.documents.mrz import parse
from edge.documents.verdict import Result
from hw.page.reading import ZoneReader
from hw.photo.quality import Examiner
from hw.simulated.travellers import KINDS, specimen
from tests.hw.page.drawn import LIGHTS, PRINTS, page, turned
from tests.hw.photo import drawn

PAGES, QUICK_PAGES = 150, 10
BAD_PHOTOS = {
    "dark": lambda one: drawn.dimmed(one, 0.3),
    "backlit": drawn.backlit,
    "blurred": lambda one: drawn.blurred(one, 3),
    "moved": lambda one: drawn.moved(one, 15),
    "leaning": lambda one: drawn.tilted(one, 24),
}


def run(quick: bool) -> list[Row]:
    """Judge photos and read pages."""
    cv2.setNumThreads(1)
    return [*_photos(), *_pages(QUICK_PAGES if quick else PAGES)]


def _photos() -> list[Row]:
    examiner, took_ms = Examiner(), []
    good = bad = 0
    for skin in drawn.SKINS:
        picture = drawn.noisy(drawn.traveller(skin))
        start = time.perf_counter()
        good += examiner.flaws(picture) == ()
        took_ms.append((time.perf_counter() - start) * 1000)
        bad += sum(bool(examiner.flaws(spoil(drawn.traveller(skin)))) for spoil in BAD_PHOTOS.values())
    return [
        Row("good photos taken for good, of 6 skins", good, "of 6", bar=6, bar_is="least"),
        Row("bad photos noticed (5 faults, 6 skins)", bad, "of 30", bar=30, bar_is="least"),
        Row("one photo judged, median", statistics.median(took_ms), "ms"),
    ]


def _pages(count: int) -> list[Row]:
    reader, took_ms = ZoneReader(), []
    found = characters = wrong = flagged = surely_wrong = good_but_wrong = 0
    for number in range(count):
        kind, light = KINDS[number % len(KINDS)], list(LIGHTS.values())[number // len(KINDS) % len(LIGHTS)]
        payload = specimen(5, number + 1, kind).mrz.decode()
        font = list(PRINTS)[number % len(PRINTS)]
        seen = light(turned(page(payload.split("\n"), font=font), number % 21 - 10 + 180 * (number % 4 == 0)))
        start = time.perf_counter()
        frame = reader.zone(seen)
        took_ms.append((time.perf_counter() - start) * 1000)
        if frame is None:
            continue
        text, unsure = frame.payload.decode(), set(frame.unrecognised)
        if len(text) != len(payload):
            surely_wrong += len(payload)
            continue
        errors = {place for place, (was, read) in enumerate(zip(payload, text, strict=True)) if was != read}
        found, characters = found + 1, characters + len(text)
        wrong, flagged, surely_wrong = wrong + len(errors), flagged + len(unsure), surely_wrong + len(errors - unsure)
        document = parse(frame.payload, today=None, unrecognised=frame.unrecognised)
        bad = {one.check for one in document.verdicts if one.result in (Result.FAILED, Result.DOUBTFUL)}
        good_but_wrong += bool(errors) and bad <= {"specimen"}
    return [
        Row(f"pages with a zone found, of {count} in ten lights", found, "pages"),
        Row("characters read right, of those", 100 * (1 - wrong / max(characters, 1)), "%"),
        Row("characters flagged as not surely read", 100 * flagged / max(characters, 1), "%"),
        Row("characters wrong without a flag", surely_wrong, "characters", bar=0),
        Row("documents wrong and yet good in every check", good_but_wrong, "documents", bar=0),
        Row("one page, median", statistics.median(took_ms), "ms"),
    ]
