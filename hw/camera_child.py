"""The camera's own process, the only file that knows picamera2.

Runs on the system's Python, where apt put picamera2, libcamera and Pillow, and imports nothing else that is not in the
standard library: this file is run by its path, and no package of ours is in sight. picamera2 can hang for ever: that
costs this process, which the parent kills, and no crossing. Always true: a photo carries no EXIF, and it is taken after
it was asked for, once exposure and focus have settled or their time is over.

Messages on the pipes, see `hw.child` for the parent's end: a request is its length in four bytes, big-endian, and that
many bytes (a photo's has none). An answer has a letter in front. `R`: ready, sent once. `A`: what was asked for, here a
JPEG. `F`: there is none this time, with the kind of error. `X`: there never will be, with the reason. The process ends
with its standard input.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

READY, ANSWER, FAILED, UNUSABLE = b"R", b"A", b"F", b"X"
NOT_INSTALLED = "picamera2 is not installed; apt install --no-install-recommends python3-picamera2"
NO_CAMERA = "no camera is connected; see that its cable sits straight and rpicam-hello --list-cameras names it"

_WARM_UP_S = 3.0  # white balance takes longest
_SETTLE_S = 0.5
_FIRST_FRAMES = 3  # what they say of exposure was measured before there was any
_SEARCHING, _SCANNING = 1, 1  # libcamera: AeStateSearching, AfStateScanning
_CONTINUOUS = 2  # libcamera: AfModeContinuous
_LEAST_QUALITY, _QUALITY_STEP = 25, 10


class Unusable(Exception):
    """There will be no answer, ever; the text is shown to people."""


def main() -> None:
    """Serve photos: number of the camera, width, height, JPEG quality and most bytes come as arguments."""
    number, width, height, quality, most_bytes = (int(argument) for argument in sys.argv[1:6])
    serve(lambda: open_picamera2(number, width, height, quality, most_bytes))


def serve(open_it: Callable[[], Callable[[bytes], bytes]]) -> None:
    """Open something, then answer each request with what its function returns, until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up between the answers
    try:
        answer_to = open_it()
    except Exception as error:  # the wrapper of the process: libcamera's errors have no common base
        reason = str(error) if isinstance(error, Unusable) else f"cannot be opened: {error or type(error).__name__}"
        _say(answers, UNUSABLE, reason.encode())
        return
    _say(answers, READY, b"")
    while (request := _request()) is not None:
        try:
            answer = answer_to(request)
        except Exception as error:  # as above: one answer that failed is not the end; its text may quote a picture
            _say(answers, FAILED, type(error).__name__.encode())
        else:
            _say(answers, ANSWER, answer)


def open_picamera2(number: int, width: int, height: int, quality: int, most_bytes: int) -> Callable[[bytes], bytes]:
    """Start a camera of the system, let it warm up, and return what takes a JPEG with it."""
    try:
        from picamera2 import Picamera2
    except ImportError as error:
        raise Unusable(NOT_INSTALLED) from error
    if number >= len(Picamera2.global_camera_info()):
        raise Unusable(NO_CAMERA)
    camera = Picamera2(number)
    camera.configure(camera.create_video_configuration(main={"size": (width, height), "format": "RGB888"}))
    if "AfMode" in camera.camera_controls:
        camera.set_controls({"AfMode": _CONTINUOUS})
    camera.start()
    for _ in range(_FIRST_FRAMES):
        camera.capture_metadata()
    _wait_until_settled(camera, _WARM_UP_S)

    def take(_: bytes) -> bytes:
        said = _wait_until_settled(camera, _SETTLE_S)
        # Only a camera that tells its exposure can be asked for the frame that began after now.
        request = camera.capture_request(flush="ExposureTime" in said)
        try:
            image = _image(request)
        finally:
            request.release()
        return encoded(image, quality, most_bytes)

    return take


def is_settled(said: Mapping[str, Any]) -> bool:
    """Tell from a frame's metadata whether exposure and focus have settled; who has neither always has."""
    exposure = said["AeState"] != _SEARCHING if "AeState" in said else said.get("AeLocked", True)
    return bool(exposure) and said.get("AfState") != _SCANNING


def encoded(image: Image, quality: int, most_bytes: int) -> bytes:
    """Return a JPEG without EXIF of no more than so many bytes, or else the smallest that still shows something."""
    while True:
        jpeg = io.BytesIO()
        image.save(jpeg, "JPEG", quality=quality)
        if jpeg.tell() <= most_bytes or quality <= _LEAST_QUALITY:
            return jpeg.getvalue()
        quality = max(_LEAST_QUALITY, quality - _QUALITY_STEP)


def _wait_until_settled(camera: Any, within_s: float) -> Mapping[str, Any]:
    """Return the metadata of the frame with which exposure and focus have settled, or their time is over."""
    until_s = time.monotonic() + within_s
    while True:
        said = camera.capture_metadata()
        if is_settled(said) or time.monotonic() >= until_s:
            return said


def _image(request: Any) -> Image:
    """Return the picture of a request; not every pipeline gives the RGB that was asked for."""
    from PIL import Image

    stream = request.config["main"]
    if stream["format"] != "NV12":
        return request.make_image("main").convert("RGB")
    (width, height), planes = stream["size"], request.make_array("main")
    luma = Image.fromarray(planes[:height])
    chroma = planes[height:].reshape(height // 2, width // 2, 2)
    blue, red = (Image.fromarray(chroma[:, :, at].copy()).resize((width, height)) for at in (0, 1))
    return Image.merge("YCbCr", (luma, blue, red))


def _request() -> bytes | None:
    length = _exactly(4)
    return None if length is None else _exactly(int.from_bytes(length, "big"))


def _exactly(size: int) -> bytes | None:
    received = bytearray()
    while len(received) < size:
        piece = os.read(0, min(size - len(received), 2**16))
        if not piece:
            return None
        received += piece
    return bytes(received)


def _say(answers: io.BufferedWriter, kind: bytes, body: bytes) -> None:
    answers.write(kind + len(body).to_bytes(4, "big") + body)
    answers.flush()


if __name__ == "__main__":
    main()
