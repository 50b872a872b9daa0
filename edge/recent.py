"""What happened at the devices a moment ago, for who sets a kiosk up: a short memory without travellers.

Owns what of an event may be told: the device, what kind of document it read, which checks had which result, how long it
took; never a field, a picture, or the detail of a check. It lives in the main loop. Always true: it is bounded, a
restart forgets it, and nothing of it is logged or sent.
"""

from __future__ import annotations

from collections import deque
from datetime import date
from typing import Any

from edge.documents.verdict import Document
from edge.events import CrossingDraft, Moment, ReceiptAccepted, Recorded, StateKept
from edge.traveller import Reads
from hw.devices import (
    ButtonPressed,
    CaseClosed,
    CaseOpened,
    DeviceLost,
    DeviceReady,
    DocumentRead,
    DoorClosed,
    DoorOpened,
    PhotoFailed,
    PhotoTaken,
    ReadFailed,
    Signal,
)

MOST_KEPT = 256


class Recent:
    """The last `MOST_KEPT` happenings, each with a number of its own and the CLOCK_BOOTTIME at which it was noticed."""

    def __init__(self) -> None:
        self._kept: deque[dict[str, Any]] = deque(maxlen=MOST_KEPT)
        self._number = 0

    def after(self, number: int) -> dict[str, Any]:
        """Return what happened after a number, oldest first, and the number of the last that did."""
        return {"last": self._number, "happenings": [one for one in self._kept if one["number"] > number]}

    def take(self, event: object, now: Moment) -> None:
        """Take note of an event, as far as it is one of a device or of the store."""
        match event:
            case DocumentRead(device=device, frame=frame, took_s=took_s):
                took = {} if took_s is None else {"took_ms": round(1000 * took_s, 1)}
                self._note("document_read", now, device=device, framing=frame.family, **took)
            case ReadFailed(device=device, reason=reason):
                self._note("read_failed", now, device=device, reason=reason)
            case PhotoTaken(device=device, request=request, jpeg=jpeg, quality=quality, sharpness=sharpness):
                looked = {} if quality is None else {"quality": [one.value for one in quality], "sharpness": sharpness}
                self._note("photo_taken", now, device=device, request=request, bytes=len(jpeg), **looked)
            case PhotoFailed(device=device, request=request, reason=reason):
                self._note("photo_failed", now, device=device, request=request, reason=reason)
            case ButtonPressed(device=device, button=button):
                self._note("button_pressed", now, device=device, button=button.value)
            case DeviceLost(device=device, reason=reason):
                self._note("device_lost", now, device=device, reason=reason)
            case Recorded(position=position):
                self._note("recorded", now, stream=position.stream, sequence=position.sequence)
            case ReceiptAccepted(stream=stream, up_to=up_to):
                self._note("receipt_accepted", now, stream=stream, up_to=up_to)
            case StateKept(key=key, is_kept=is_kept):
                self._note("state_kept", now, key=key, is_kept=is_kept)
            case _ if (what := _PLAIN.get(type(event))) is not None:
                self._note(what, now, device=event.device)  # type: ignore[attr-defined]

    def shown(self, lane: str, signal: Signal, now: Moment) -> None:
        """Take note of what a lane's panel was told to show."""
        self._note("signal_shown", now, lane=lane, signal=signal.value)

    def decided(self, lane: str, draft: CrossingDraft, now: Moment) -> None:
        """Take note that a crossing is on its way to the disk."""
        about = {"result": draft.outcome.result, "is_practice": draft.training, "reasons": list(draft.outcome.reasons)}
        self._note("crossing_decided", now, lane=lane, **about)

    def watched(self, read: Reads) -> Reads:
        """Return a reading that tells the kind and the checks of what it found.

        The main loop takes note of a read and hands it to its lane in the same turn, so what is found now belongs to
        the last that was read.
        """

        def reading(
            payload: bytes, *, today: date | None, symbology: str | None, unrecognised: tuple[int, ...]
        ) -> Document:
            found = read(payload, today=today, symbology=symbology, unrecognised=unrecognised)
            if self._kept and self._kept[-1]["what"] == "document_read":
                checks = {one.check: one.result.value for one in found.verdicts}
                self._kept[-1] |= {"kind": found.kind, "source": found.source, "checks": checks}
            return found

        return reading

    def _note(self, what: str, now: Moment, **about: object) -> None:
        self._number += 1
        self._kept.append({"number": self._number, "at_s": now.clock.boottime_s, "what": what, **about})


_PLAIN: dict[type, str] = {
    CaseOpened: "case_opened",
    CaseClosed: "case_closed",
    DoorOpened: "door_opened",
    DoorClosed: "door_closed",
    DeviceReady: "device_ready",
}
