"""The process that looks at pictures: OpenCV lives here, so that the daemon stays small.

Runs on Landfall's own Python. A request is a letter and a JPEG or PNG. `L`: what is not right with this photo of a
traveller? The answer is words of `Guidance` with commas between. `D`: which documents are in this picture? The answer
is a JSON list of frames. Always true: nothing of a picture is kept or logged.
"""

from __future__ import annotations

from collections.abc import Callable

from hw.camera_child import serve

LOOK, DOCUMENTS = b"L", b"D"


def open_sight() -> Callable[[bytes], bytes]:
    """Load OpenCV and the model and return what answers requests."""
    import cv2
    import numpy as np

    from hw.photo.quality import Examiner

    cv2.setNumThreads(1)
    examiner = Examiner()

    def answer_to(request: bytes) -> bytes:
        picture = cv2.imdecode(np.frombuffer(request, np.uint8, offset=1), cv2.IMREAD_COLOR)
        if request[:1] != LOOK or picture is None:
            raise ValueError("not a request that is known")
        return ",".join(examiner.flaws(picture)).encode("ascii")

    return answer_to


if __name__ == "__main__":
    serve(open_sight)
