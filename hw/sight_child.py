"""The process that looks at pictures: OpenCV lives here, so that the daemon stays small.

Runs on Landfall's own Python. A request is a letter and a JPEG or PNG. `L`: what is not right with this photo of a
traveller, and how sharp is the face? The answer is words of `Guidance` with commas between, and after a blank a number
where there is a face. `D`: which documents are in this picture? The answer
is a JSON list of frames. Always true: nothing of a picture is kept or logged.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from hw.camera_child import serve
from hw.devices import Frame, Guidance

if TYPE_CHECKING:
    import numpy as np

    from hw.page.documents import DocumentFinder
    from hw.photo.quality import Examiner

LOOK, DOCUMENTS = b"L", b"D"


def open_sight() -> Callable[[bytes], bytes]:
    """Load OpenCV and return what answers requests; the model and the glyphs come with the first that needs them."""
    import cv2

    cv2.setNumThreads(1)
    examiner, finder = cache(_examiner), cache(_finder)

    def answer_to(request: bytes) -> bytes:
        match request[:1]:
            case b"L":
                return _as_words(*examiner().look(_picture(request[1:])))
            case b"D":
                return _as_json(finder().shown(request[1:]))
        raise ValueError("not a request that is known")

    return answer_to


def _examiner() -> Examiner:
    from hw.photo.quality import Examiner

    return Examiner()


def _finder() -> DocumentFinder:
    from hw.page.documents import DocumentFinder

    return DocumentFinder()


def _picture(photo: bytes) -> np.ndarray:
    import cv2
    import numpy as np

    picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError("no picture")
    return picture


def _as_words(flaws: tuple[Guidance, ...], sharpness: float | None) -> bytes:
    measured = "" if sharpness is None else f" {sharpness:.3f}"
    return f"{','.join(flaws)}{measured}".encode("ascii")


def _as_json(frames: list[Frame]) -> bytes:
    return msgspec.json.encode(frames)


if __name__ == "__main__":
    serve(open_sight)
