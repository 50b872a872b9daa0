"""A camera as a document reader: what is laid before it is told once, and what fails is tried again."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hw.choose import open_devices
from hw.devices import DeviceError, DeviceLost, DeviceReady, DocumentRead
from hw.page.documents import DocumentFinder
from hw.page_camera import PageCamera
from hw.settings import DeviceSettings, ReaderSettings
from hw.sight import Sight, command
from hw.simulated.travellers import specimen
from tests.hw.conftest import Inbox
from tests.hw.page.drawn import blurred, file_of, noisy, page

PASSPORT, CARD = (specimen(3, 17, kind).mrz.decode().split("\n") for kind in ("TD3", "TD1"))
Opens = Callable[..., PageCamera]


@pytest.fixture
def open_page_camera(inbox: Inbox, tmp_path: Path) -> Iterator[Opens]:
    """Return what opens a page camera that sees these pictures, the last one for ever."""
    opened = []

    def open_it(*pictures: bytes, crash_at: int = 0) -> PageCamera:
        for number, picture in enumerate(pictures):
            (tmp_path / f"{number}.jpg").write_bytes(picture)
        source = f"""
            import itertools, os, pathlib
            from hw.camera_child import serve
            numbers = itertools.count()
            def take(_):
                number = next(numbers)
                if {crash_at} and number == {crash_at}: os.abort()
                return pathlib.Path({str(tmp_path)!r}, f"{{min(number, {len(pictures) - 1})}}.jpg").read_bytes()
            serve(lambda: take)"""
        child = [sys.executable, "-c", textwrap.dedent(source)]
        reader = PageCamera("page", child, Sight(command()), look_every_s=0.02)
        opened.append(reader)
        reader.start(inbox.put)
        return reader

    yield open_it
    for reader in opened:
        reader.stop()


def test_each_document_that_is_laid_there_is_told_once(open_page_camera: Opens, inbox: Inbox) -> None:
    reader = open_page_camera(*(file_of(page(lines)) for lines in (PASSPORT, PASSPORT, CARD, PASSPORT)))
    told = [inbox.wait_for(DocumentRead) for _ in range(3)]
    reader.stop()
    assert [one.frame.payload.decode().split("\n") for one in told] == [PASSPORT, CARD, PASSPORT]
    assert {(one.device, one.frame.family) for one in told} == {("page", "camera")}
    assert DocumentRead not in {type(event) for event in inbox.rest()}


def test_a_camera_that_crashes_is_lost_once_and_started_again(open_page_camera: Opens, inbox: Inbox) -> None:
    open_page_camera(file_of(page(CARD)), crash_at=1)
    inbox.wait_for(DeviceReady)
    assert inbox.wait_for(DeviceLost) == DeviceLost("page", "the camera's process ended")
    assert inbox.wait_for(DeviceReady) == DeviceReady("page")


def test_a_page_that_lies_still_is_looked_at_again_only_until_it_was_read_well() -> None:
    finder, sharp = DocumentFinder(), page(CARD)
    assert len(finder.shown(file_of(sharp))) == 1
    assert finder.shown(file_of(noisy(sharp, 4))) == []
    looks = [finder.shown(file_of(blurred(sharp, 5))) for _ in range(4)]
    assert looks[-1] == []


@pytest.mark.parametrize(
    ("path", "message"), [("front", "page: path front is no camera's number"), ("", "page: path is missing")]
)
def test_a_page_camera_without_a_number_is_refused_with_a_remedy(path: str, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        open_devices(DeviceSettings(readers=[ReaderSettings(name="page", driver="page_camera", path=path)]))
