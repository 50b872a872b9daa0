"""The camera's process: good photos, and every way in which a process can let one down."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Iterator

import pytest

from hw.camera import ChildCamera, picamera2_command, refuse_missing_picamera2
from hw.camera_child import NOT_INSTALLED
from hw.devices import DeviceError, DeviceLost, DeviceReady, Guidance, PhotoFailed, PhotoGuidance, PhotoTaken
from hw.settings import CameraSettings
from hw.sight import Sight
from hw.simulated.camera_child import command, specimen_jpeg
from hw.simulated.scenario import CameraScenario
from tests.harness.leftovers import child_processes
from tests.hw.conftest import Inbox

Opens = Callable[..., ChildCamera]


@pytest.fixture
def open_camera(inbox: Inbox) -> Iterator[Opens]:
    opened = []

    def open_it(child: list[str] | CameraScenario, sight: Sight | None = None, **settings: float) -> ChildCamera:
        started = command(child) if isinstance(child, CameraScenario) else child
        asked = {"deadline_s": 60.0, "capture_s": 60.0, "retake_pause_s": 0.01, **settings}
        camera = ChildCamera(CameraSettings(**asked), started, sight)
        opened.append(camera)
        camera.start(inbox.put)
        return camera

    yield open_it
    for camera in opened:
        camera.stop()


def behaving(**faults: int) -> CameraScenario:
    return CameraScenario(delay_s=0, **faults)


READY = r"os.write(1, b'R\0\0\0\0')"


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


def test_a_camera_that_hangs_is_started_again_and_the_photo_is_still_taken(open_camera: Opens, inbox: Inbox):
    camera = open_camera(behaving(hang_every=2), capture_s=3.0)
    inbox.wait_for(DeviceReady)
    camera.take_photo("1")
    assert inbox.wait_for(PhotoTaken).request == "1"
    camera.take_photo("2")
    assert inbox.next() == DeviceLost("camera", "the camera did not answer in time")
    assert inbox.next() == DeviceReady("camera")
    assert inbox.next() == PhotoTaken("camera", "2", specimen_jpeg(40_000))


def test_a_camera_that_hangs_longer_than_the_crossing_waits_costs_one_photo(open_camera: Opens, inbox: Inbox):
    camera = open_camera(behaving(hang_every=1), deadline_s=2.0)
    inbox.wait_for(DeviceReady)
    camera.take_photo("1")
    assert inbox.next() == PhotoFailed("camera", "1", "the camera did not answer in time")
    assert inbox.next() == DeviceLost("camera", "the camera did not answer in time")
    assert inbox.next() == DeviceReady("camera")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("hang_every", "the camera did not answer in time"),
        ("crash_every", "the camera's process ended"),
        ("garbage_every", "the camera's process sent something unexpected"),
        ("flood_every", "the camera's process sent something unexpected"),
    ],
)
def test_a_process_that_fails_twice_costs_one_photo_and_is_started_again(
    open_camera: Opens, inbox: Inbox, fault: str, reason: str
):
    camera = open_camera(behaving(**{fault: 1}), capture_s=1.0 if fault == "hang_every" else 60.0)
    inbox.wait_for(DeviceReady)
    camera.take_photo("1")
    assert [inbox.next() for _ in range(5)] == [
        DeviceLost("camera", reason),
        DeviceReady("camera"),
        PhotoFailed("camera", "1", reason),
        DeviceLost("camera", reason),
        DeviceReady("camera"),
    ]


def test_a_process_that_is_killed_between_two_photos_is_lost_at_once_and_started_again(
    open_camera: Opens, inbox: Inbox
):
    open_camera(child(f"{READY}; os.kill(os.getpid(), 9)"))
    assert inbox.next() == DeviceReady("camera")
    assert inbox.next() == DeviceLost("camera", "the camera's process ended")
    assert inbox.next() == DeviceReady("camera")


def test_a_hundred_restarts_leave_no_process_and_no_descriptor(open_camera: Opens, inbox: Inbox, monkeypatch):
    monkeypatch.setattr("hw.camera._PAUSES_S", (0.0,))
    before, others = len(os.listdir("/proc/self/fd")), set(child_processes())
    camera = open_camera(["/bin/sh", "-c", r"printf 'R\0\0\0\0'"])
    for _ in range(100):
        assert inbox.wait_for(DeviceLost).reason == "the camera's process ended"
    camera.stop()
    assert len(os.listdir("/proc/self/fd")) <= before
    assert set(child_processes()) <= others


@pytest.mark.parametrize(
    "source",
    [
        "sys.exit()",
        "print('Hello')",
        READY + "; os.read(0, 4); os.write(1, b'A\\0\\0\\1\\0abc')",
        READY + "; os.read(0, 4); os.write(1, b'A\\xff\\xff\\xff\\xff')",
        READY + "; " + READY + "; time.sleep(60)",
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


def test_picamera2_that_goes_missing_is_lost_with_the_package_to_install(open_camera: Opens, inbox: Inbox):
    started = picamera2_command(CameraSettings(python=sys.executable))
    started[1:2] = ["-I", "-S"]  # without site-packages there is no picamera2, wherever this runs
    open_camera(started)
    assert inbox.next() == DeviceLost("camera", NOT_INSTALLED)
    assert "python3-picamera2" in NOT_INSTALLED


@pytest.mark.parametrize(
    ("python", "message"),
    [
        ("/usr/bin/no-such-python", "camera: /usr/bin/no-such-python cannot be run"),
        (sys.executable, "has no picamera2; apt install --no-install-recommends python3-picamera2"),
    ],
)
def test_a_kiosk_without_picamera2_does_not_start_and_says_what_to_install(python: str, message: str):
    with pytest.raises(DeviceError, match=message):
        refuse_missing_picamera2(CameraSettings(python=python))


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


# --- what is looked at ------------------------------------------------------------------------------------------------


def seeing(*answers: str) -> Sight:
    """Return what sees this in one photo after the other; `hang`, `crash` and `babble` are what they say."""
    source = f"""
        from hw.camera_child import serve
        def open_it():
            answers = iter({answers!r})
            def answer_to(_):
                match next(answers):
                    case "hang": time.sleep(60)
                    case "crash": os.abort()
                    case "error": raise RuntimeError
                    case answer: return answer.encode()
            return answer_to
        serve(open_it)"""
    return Sight(child(textwrap.dedent(source)))


def photographed(inbox: Inbox) -> list[object]:
    """Return what came of the photo `1`, without the JPEG."""
    seen = []
    while not seen or not isinstance(seen[-1], PhotoTaken):
        seen.append(inbox.next())
    return [event.quality if isinstance(event, PhotoTaken) else event for event in seen]


def guided(*words: str) -> list[PhotoGuidance]:
    return [PhotoGuidance("camera", "1", Guidance(word)) for word in words]


@pytest.mark.parametrize(
    ("answers", "guidance", "quality"),
    [
        (("",), (), ()),
        (("closer", ""), ("closer",), ()),
        (("closer,hold_still", "too_dark", "hold_still"), ("closer", "too_dark"), ("hold_still",)),
        (("hold_still", "nobody_there", "closer"), ("hold_still", "nobody_there"), ("hold_still",)),
        (("nobody_there",) * 3, ("nobody_there",) * 2, ("nobody_there",)),
    ],
    ids=["good at once", "good at last", "better each time", "worse each time", "nobody there"],
)
def test_a_photo_that_is_not_good_is_taken_again_at_most_twice_and_the_best_counts(
    open_camera: Opens, inbox: Inbox, answers, guidance, quality
):
    camera = open_camera(behaving(), seeing(*answers))
    inbox.wait_for(DeviceReady)
    camera.take_photo("1")
    assert photographed(inbox) == [*guided(*guidance), quality]


def test_how_sharp_the_face_is_comes_with_the_photo_that_is_kept(open_camera: Opens, inbox: Inbox):
    camera = open_camera(behaving(), seeing("hold_still 0.05", " 0.24"))
    inbox.wait_for(DeviceReady)
    camera.take_photo("1")
    taken = inbox.wait_for(PhotoTaken)
    assert (taken.quality, taken.sharpness) == ((), 0.24)


def test_no_photo_is_taken_again_where_there_is_no_time_for_it(open_camera: Opens, inbox: Inbox):
    camera = open_camera(behaving(), seeing("closer"), deadline_s=60, retake_pause_s=60)
    inbox.wait_for(DeviceReady)
    camera.take_photo("1")
    assert photographed(inbox) == [(Guidance.CLOSER,)]


def test_a_camera_that_hangs_at_the_second_attempt_does_not_cost_the_first_photo(open_camera: Opens, inbox: Inbox):
    camera = open_camera(behaving(hang_every=2), seeing("closer"), deadline_s=4.0)
    inbox.wait_for(DeviceReady)
    camera.take_photo("1")
    assert photographed(inbox) == [*guided("closer"), (Guidance.CLOSER,)]


@pytest.mark.parametrize("fault", ["hang", "crash", "error", "no word of ours"])
def test_a_photo_that_nobody_could_look_at_is_kept_and_that_is_told_once(
    open_camera: Opens, inbox: Inbox, monkeypatch, fault: str
):
    monkeypatch.setattr("hw.sight.LOOK_S", 1.0)
    camera = open_camera(behaving(), seeing(fault))
    inbox.wait_for(DeviceReady)
    for _ in range(2):
        camera.take_photo("1")
    (lost, first), (second,) = photographed(inbox), photographed(inbox)
    assert (type(lost), lost.device) == (DeviceLost, "camera-sight")
    assert (first, second) == (None, None)


def test_what_looks_again_is_told_and_a_missing_interpreter_costs_no_photo(open_camera: Opens, inbox: Inbox):
    camera = open_camera(behaving(), Sight(["/usr/bin/no-such-python"]))
    inbox.wait_for(DeviceReady)
    camera.take_photo("1")
    reason = "/usr/bin/no-such-python cannot be run: No such file or directory"
    assert photographed(inbox) == [DeviceLost("camera-sight", reason), None]
