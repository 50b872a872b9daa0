"""Every document in a picture: machine readable zones and barcodes.

Owns which is looked for first. Always true: a picture that is none is one `PictureError`, as `hw.picture` says.
"""

from __future__ import annotations

import numpy as np

from hw.devices import Frame
from hw.page.reading import ZoneReader
from hw.picture import barcodes, grey


class DocumentFinder:
    """Finds documents, one picture after the other."""

    def __init__(self) -> None:
        self._reader = ZoneReader()

    def documents(self, picture: bytes) -> list[Frame]:
        """Return the zone of a PNG or JPEG, and its barcodes from top to bottom. Raises PictureError."""
        zone = self._reader.zone(np.asarray(grey(picture)))
        return [*([zone] if zone is not None else []), *barcodes(picture)]

    def shown(self, picture: bytes) -> list[Frame]:
        """Return what somebody shows a camera: a zone, or else barcodes, which take longer. Raises PictureError."""
        zone = self._reader.zone(np.asarray(grey(picture)))
        return [zone] if zone is not None else barcodes(picture)
