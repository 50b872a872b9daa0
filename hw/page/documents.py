"""Every document in a picture: machine readable zones and barcodes.

Owns which is looked for first. Always true: a picture that is none is one `PictureError`, as `hw.picture` says.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from hw.devices import Frame
from hw.page.reading import ZoneReader
from hw.picture import barcodes, grey

_SMALL = (64, 36)
_NOISE = 12  # grey levels
_MOST_LOOKS = 3


class DocumentFinder:
    """Finds documents, one picture after the other."""

    def __init__(self) -> None:
        self._reader = ZoneReader()
        self._seen: Image.Image | None = None
        self._looks = 0

    def documents(self, picture: bytes) -> list[Frame]:
        """Return the zone of a PNG or JPEG, and its barcodes from top to bottom. Raises PictureError."""
        zone = self._reader.zone(np.asarray(grey(picture)))
        return [*([zone] if zone is not None else []), *barcodes(picture)]

    def shown(self, picture: bytes) -> list[Frame]:
        """Return what was newly shown to a camera: a zone, or else barcodes. Raises PictureError.

        What lies still is looked at again only while it was not read, or not surely, and no more than `_MOST_LOOKS`
        times: an empty place costs nothing.
        """
        image = grey(picture)
        seen = image.resize(_SMALL, Image.Resampling.BOX)
        self._looks = self._looks + 1 if self._seen is not None and _is_same(seen, self._seen) else 1
        self._seen = seen
        if self._looks > _MOST_LOOKS:
            return []
        zone = self._reader.zone(np.asarray(image))
        frames = [zone] if zone is not None else barcodes(picture)
        if frames and not any(frame.unrecognised for frame in frames):
            self._looks = _MOST_LOOKS
        return frames


def _is_same(one: Image.Image, other: Image.Image) -> bool:
    """Tell whether two small pictures differ by no more than noise and a flickering lamp."""
    difference = np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16))
    return float(np.percentile(difference, 98)) < _NOISE
