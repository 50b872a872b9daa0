"""The true picamera2 in the true child: libcamera's virtual pipeline shows a drawn traveller (`make camera`)."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from hw.camera import ChildCamera, picamera2_command
from hw.camera_child import NO_CAMERA
from hw.devices import DeviceLost, DeviceReady, PhotoTaken
from hw.settings import CameraSettings
from hw.sight import Sight
from hw.sight import command as sight_command
from tests.hw.conftest import Inbox, eventually
from tests.hw.photo.drawn import jpeg, traveller

BUILT = Path(os.environ.get("LANDFALL_LIBCAMERA") or Path.home() / ".cache" / "landfall" / "libcamera")
CHILD = Path(__file__).with_name("child.py")
pytestmark = pytest.mark.skipif(
    not (BUILT / "complete").exists(), reason=f"no libcamera is built in {BUILT}; run: make camera"
)

Opens = Callable[..., ChildCamera]


@pytest.fixture
def open_camera(inbox: Inbox) -> Iterator[Opens]:
    _draw_frames()
    opened = []

    def open_it(**settings: int) -> ChildCamera:
        asked = CameraSettings(driver="picamera2", python=str(BUILT / "python/bin/python"), deadline_s=20, **settings)
        python, isolated, _, *numbers = picamera2_command(asked)
        libraries = f"LD_LIBRARY_PATH={BUILT / 'lib'}"
        command = ["/usr/bin/env", libraries, "LIBCAMERA_LOG_LEVELS=*:FATAL", python, isolated, str(CHILD), *numbers]
        camera = ChildCamera(asked, command, Sight(sight_command()))
        opened.append(camera)
        camera.start(inbox.put)
        return camera

    yield open_it
    for camera in opened:
        camera.stop()


def _draw_frames() -> None:
    """Write the pictures that the camera shows: always the same, and whole at any time, for others may look too."""
    for number in range(2):
        unfinished = BUILT / "frames" / f"{os.getpid()}.part"
        unfinished.write_bytes(jpeg(traveller("brown"), quality=95))
        unfinished.rename(BUILT / "frames" / f"{number}.jpg")


def child_of(camera: ChildCamera) -> int:
    """Return the process id of a camera's child."""
    found = [int(path.name) for path in Path("/proc").glob("[0-9]*") if _runs_child(path)]
    (process,) = [process for process in found if _parent_of(process) == os.getpid()]
    return process


def _runs_child(process: Path) -> bool:
    try:
        return str(CHILD).encode() in (process / "cmdline").read_bytes()
    except OSError:
        return False


def _parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def test_the_true_picamera2_takes_small_good_photos_without_exif(open_camera: Opens, inbox: Inbox) -> None:
    camera = open_camera()
    assert inbox.wait_for(DeviceReady) == DeviceReady("camera")
    for request in ("1", "2", "3"):
        camera.take_photo(request)
        taken = inbox.wait_for(PhotoTaken)
        assert (taken.request, taken.quality) == (request, ())
        with Image.open(io.BytesIO(taken.jpeg)) as image:
            assert (image.size, dict(image.getexif())) == ((640, 480), {})
            red, green, blue = image.convert("RGB").getpixel((320, 150))
        assert len(taken.jpeg) <= 40_000
        assert red > green > blue > 40  # the forehead, in its colours


def test_the_true_picamera2_that_stands_still_is_started_again_and_still_takes_the_photo(
    open_camera: Opens, inbox: Inbox
) -> None:
    camera = open_camera()
    inbox.wait_for(DeviceReady)
    os.kill(child_of(camera), signal.SIGSTOP)
    camera.take_photo("1")
    assert inbox.wait_for(DeviceLost).reason == "the camera did not answer in time"
    assert inbox.wait_for(PhotoTaken).request == "1"


def test_a_camera_that_the_board_has_not_is_lost_with_what_to_look_at(open_camera: Opens, inbox: Inbox) -> None:
    open_camera(number=7)
    assert inbox.wait_for(DeviceLost).reason == NO_CAMERA


def test_stopping_lets_go_of_the_camera(open_camera: Opens, inbox: Inbox) -> None:
    camera = open_camera()
    inbox.wait_for(DeviceReady)
    process = child_of(camera)
    camera.stop()
    eventually(lambda: not Path(f"/proc/{process}").exists())
