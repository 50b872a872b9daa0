"""The camera's own process, the only file that knows picamera2.

Runs on the system's Python, where apt put picamera2 and libcamera, and imports nothing else that is not in the standard
library. picamera2 can hang for ever: that costs this process, which the parent kills, and one photo.

Messages on the pipes: the parent sends one byte for each photo it wants; the answers are a letter, the length in four
bytes, big-endian, and that many bytes. `R`: the camera works. `P`: a JPEG. `F`: no photo, with the reason. `X`: the
camera cannot be used, with the reason. The process ends when its standard input does.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable

READY, PHOTO, FAILED, UNUSABLE = b"R", b"P", b"F", b"X"
TAKE = b"T"
NOT_INSTALLED = "picamera2 is not installed; apt install --no-install-recommends python3-picamera2"


def main() -> None:
    """Serve photos of the size and quality given as arguments."""
    width, height, quality = (int(argument) for argument in sys.argv[1:4])
    serve(lambda: open_picamera2(width, height, quality))


def serve(open_camera: Callable[[], Callable[[], bytes]]) -> None:
    """Open the camera, then answer each request with what its function returns, until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up between the answers
    try:
        take = open_camera()
    except Exception as error:  # the wrapper of the process: libcamera's errors have no common base
        reason = (
            str(error) if isinstance(error, ImportError) else f"the camera cannot be opened: {type(error).__name__}"
        )
        _answer(answers, UNUSABLE, reason.encode())
        return
    _answer(answers, READY, b"")
    while os.read(0, 1):
        try:
            jpeg = take()
        except Exception as error:  # as above: one photo that failed is not the end of the camera
            _answer(answers, FAILED, f"the camera failed: {type(error).__name__}".encode())
        else:
            _answer(answers, PHOTO, jpeg)


def open_picamera2(width: int, height: int, quality: int) -> Callable[[], bytes]:
    """Start the first camera of the system and return what takes a JPEG with it."""
    try:
        from picamera2 import Picamera2
    except ImportError as error:
        raise ImportError(NOT_INSTALLED) from error
    camera = Picamera2()
    camera.configure(camera.create_video_configuration(main={"size": (width, height)}))
    camera.options["quality"] = quality
    camera.start()

    def take() -> bytes:
        jpeg = io.BytesIO()
        camera.capture_file(jpeg, format="jpeg")
        return jpeg.getvalue()

    return take


def _answer(answers: io.BufferedWriter, kind: bytes, body: bytes) -> None:
    answers.write(kind + len(body).to_bytes(4, "big") + body)
    answers.flush()


if __name__ == "__main__":
    main()
