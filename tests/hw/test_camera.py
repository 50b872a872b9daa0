"""The camera's process: good photos, and every way in which a process can let one down."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from hw.camera import ChildCamera, picamera2_command
from hw.camera_child import NOT_INSTALLED
from hw.devices import DeviceLost, DeviceReady, PhotoFailed, PhotoTaken
from hw.settings import CameraSettings
from hw.simulated.camera_child import command, specimen_jpeg
from hw.simulated.scenario import CameraScenario
from tests.hw.conftest import Inbox

Opens = Callable[..., ChildCamera]


@pytest.fixture
def open_camera(inbox: Inbox) -> Iterator[Opens]:
    opened = []

    def open_it(child: list[str] | CameraScenario, *, deadline_s: float = 10.0) -> ChildCamera:
        started = command(child) if isinstance(child, CameraScenario) else child
        camera = ChildCamera(CameraSettings(deadline_s=deadline_s), started)
        opened.append(camera)
        camera.start(inbox.put)
        return camera

    yield open_it
    for camera in opened:
        camera.stop()


def behaving(**faults: int) -> CameraScenario:
    return CameraScenario(delay_s=0, **faults)


def child(source: str) -> list[str]:
    return [sys.executable, "-c", f"import os, sys, time\n{source}"]


def test_a_photo_that_is_asked_for_comes_under_its_request(open_camera: Opens, inbox: Inbox):
    camera = open_camera(behaving())
    assert inbox.next() == DeviceReady("camera")
    camera.take_photo("first")
    camera.take_photo("second")
    assert inbox.next() == PhotoTaken("camera", "first", specimen_jpeg(40_000))
    assert inbox.next() == PhotoTaken("camera", "second", specimen_jpeg(40_000))


def test_a_photo_asked_for_while_the_camera_starts_is_taken(open_camera: Opens, inbox: Inbox):
    open_camera(behaving()).take_photo("early")
    assert inbox.wait_for(PhotoTaken).request == "early"


def test_a_photo_that_fails_is_not_the_end_of_the_camera(open_camera: Opens, inbox: Inbox):
    camera = open_camera(behaving(fail_every=2))
    inbox.wait_for(DeviceReady)
    for request in ("1", "2", "3"):
        camera.take_photo(request)
    taken = [inbox.next() for _ in range(3)]
    assert [type(event) for event in taken] == [PhotoTaken, PhotoFailed, PhotoTaken]
    assert taken[1] == PhotoFailed("camera", "2", "the camera failed: RuntimeError")


def test_a_camera_that_hangs_costs_one_photo_and_is_started_again(open_camera: Opens, inbox: Inbox):
    camera = open_camera(behaving(hang_every=2), deadline_s=1.0)
    inbox.wait_for(DeviceReady)
    camera.take_photo("1")
    assert inbox.wait_for(PhotoTaken).request == "1"
    camera.take_photo("2")
    assert inbox.next() == PhotoFailed("camera", "2", "the camera did not answer in time")
    assert inbox.next() == DeviceLost("camera", "the camera did not answer in time")
    assert inbox.next() == DeviceReady("camera")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("crash_every", "the camera's process ended"),
        ("garbage_every", "the camera's process sent something unexpected"),
    ],
)
def test_a_process_that_crashes_or_babbles_costs_one_photo_and_is_started_again(
    open_camera: Opens, inbox: Inbox, fault: str, reason: str
):
    camera = open_camera(behaving(**{fault: 1}))
    inbox.wait_for(DeviceReady)
    camera.take_photo("1")
    assert inbox.next() == PhotoFailed("camera", "1", reason)
    assert inbox.next() == DeviceLost("camera", reason)
    assert inbox.next() == DeviceReady("camera")


@pytest.mark.parametrize(
    "source",
    [
        "sys.exit()",
        "print('Hello')",
        "os.write(1, b'R\\0\\0\\0\\0'); os.read(0, 1); os.write(1, b'P\\0\\0\\1\\0abc')",
        "os.write(1, b'R\\0\\0\\0\\0'); os.read(0, 1); os.write(1, b'P\\xff\\xff\\xff\\xff')",
        "os.write(1, b'R\\0\\0\\0\\0' * 2); time.sleep(60)",
    ],
    ids=["ends", "prints", "half a photo", "endless photo", "speaks unasked"],
)
def test_a_process_that_breaks_the_protocol_is_lost_once_and_the_photo_fails(
    open_camera: Opens, inbox: Inbox, source: str
):
    camera = open_camera(child(source), deadline_s=0.5)
    camera.take_photo("1")
    events = [inbox.next()]
    while not any(isinstance(event, PhotoFailed) for event in events):
        events.append(inbox.next())
    assert sum(isinstance(event, PhotoFailed) for event in events) == 1
    assert not any(isinstance(event, PhotoTaken) for event in events)


def test_a_photo_fails_in_time_while_the_camera_never_gets_ready(open_camera: Opens, inbox: Inbox):
    open_camera(child("time.sleep(60)"), deadline_s=0.1).take_photo("1")
    assert inbox.next() == PhotoFailed("camera", "1", "the camera is not available")


def test_an_interpreter_that_is_not_there_is_lost_once_with_its_name(open_camera: Opens, inbox: Inbox):
    camera = open_camera(["/usr/bin/no-such-python"], deadline_s=0.5)
    assert inbox.next() == DeviceLost("camera", "/usr/bin/no-such-python cannot be run: No such file or directory")
    camera.take_photo("1")
    assert inbox.next() == PhotoFailed("camera", "1", "the camera is not available")


def test_missing_picamera2_is_lost_with_the_package_to_install(open_camera: Opens, inbox: Inbox):
    started = picamera2_command(CameraSettings(python=sys.executable))
    started[1:2] = ["-I", "-S"]  # without site-packages there is no picamera2, wherever this runs
    open_camera(started)
    assert inbox.next() == DeviceLost("camera", NOT_INSTALLED)
    assert "python3-picamera2" in NOT_INSTALLED


def test_stop_ends_a_process_that_hangs_and_answers_what_was_asked(open_camera: Opens, inbox: Inbox):
    camera = open_camera(behaving(hang_every=1), deadline_s=60)
    inbox.wait_for(DeviceReady)
    camera.take_photo("1")
    camera.take_photo("2")
    camera.stop()
    camera.stop()
    assert {event.request for event in inbox.rest()} == {"1", "2"}


def test_the_specimen_has_the_size_that_is_asked_for():
    for size in (40_000, 40_001, 200_000):
        assert len(specimen_jpeg(size)) == size
    assert specimen_jpeg(0).startswith(b"\xff\xd8\xff")
    assert specimen_jpeg(0).endswith(b"\xff\xd9")
