"""Receipts that were carried here on a stick, for a kiosk without a connection.

Owns the verb `receipts` of the control socket; `edge.queue.carried_receipts` reads them from the stick and asks, what a
receipt means is `edge.uplink.receipts`. It runs in the main loop, since the uplink may hang in an attempt to connect
while the network is gone. Always true: a receipt that was carried is judged, followed and reported as one that came by
MQTT.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge.cache import CacheReader
from edge.errors import StoreError
from edge.events import Moment
from edge.uplink.receipts import Consequence, Verifies, weigh_carried


class CarriedReceipts:
    """Judges receipts for one kiosk (`<site>/<kiosk>`); `take` is handed what follows from them."""

    def __init__(self, kiosk: str, centre: Verifies, take: Callable[[Consequence, Moment], None]) -> None:
        self._kiosk, self._centre, self._take = kiosk, centre, take

    def answer(self, receipts: object, reader: CacheReader | None, now: Moment) -> dict[str, Any]:
        """Return what each receipt means for this store; `reader` is None until the store is open."""
        if not isinstance(receipts, list) or not all(isinstance(receipt, str) for receipt in receipts):
            return {"error": "receipts are a list of texts"}
        if reader is None:
            return {"error": "the store is not open yet"}
        answers = []
        try:
            for receipt in receipts:
                weighed = weigh_carried(receipt, self._kiosk, self._centre, reader)
                for event in weighed.consequences:
                    self._take(event, now)
                answers.append({"meaning": weighed.meaning, **weighed.position})
        except StoreError as error:
            return {"error": error.message}
        return {"receipts": answers}
