"""Practice while a kiosk is being set up: crossings that are marked, a photo and lamps to look at, and the report.

Owns what `landfall-provision accept` may ask of the running kiosk. It runs in the main loop. Always true: practice is a
lease that ends by itself, so that a technician who is cut off leaves no lane in it; it begins only while nobody is at a
lane; it is on the audit stream; it lights no green lamp and opens no gate, which only a crossing on disk does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from edge.errors import ContractError, KeyDropped
from edge.events import Moment
from edge.kiosk import State
from edge.log import Log, Priority
from edge.recent import Recent
from edge.recorder import Recorder
from edge.seal import Signer
from edge.verbs import Refused, take_apart
from edge.wire import acceptance
from edge.wiring import Lane
from hw.devices import Signal

MOST_S = 120.0
PHOTO = "acceptance"  # the request of a photo that belongs to no crossing
ACCEPTED = "accepted"  # the key under which the store keeps the digest of the last report


class PracticeAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Practise for so long from now on; 0 ends it."""

    for_s: Annotated[float, Meta(ge=0, le=MOST_S)]


class PhotoAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Take a photo that nobody keeps."""

    lane: str


class SignalAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Show a signal on the panel of a free lane; `ready` ends it."""

    lane: str
    signal: Literal["ready", "try_again", "call_officer", "closed"]


class RecentAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Say what happened at the devices after this number."""

    after: int


class ReportAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Sign a report and put it on the audit stream."""

    report: Any


VERBS: dict[str, type[msgspec.Struct]] = {
    "practice": PracticeAsked,
    "practice_photo": PhotoAsked,
    "practice_signal": SignalAsked,
    "recent": RecentAsked,
    "accepted": ReportAsked,
}


class Practice:
    """Answers who sets the kiosk up; `about` is what the kiosk says of itself in a report."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        recent: Recent,
        recorder: Recorder,
        signer: Signer,
        log: Log,
        about: dict[str, str],
    ) -> None:
        self._lanes = {lane.settings.name: lane for lane in lanes}
        self._recent, self._recorder, self._signer, self._log = recent, recorder, signer, log
        self._about = about
        self._shown: set[str] = set()  # lanes whose panel shows what was asked for
        self.deadline_s: float | None = None

    def answer(self, verb: str, arguments: dict[str, Any], now: Moment) -> dict[str, Any] | None:
        """Do what is asked and return the answer; None for a verb that is none of these."""
        if verb not in VERBS:
            return None
        try:
            match take_apart(verb, arguments, VERBS):
                case PracticeAsked(for_s=for_s):
                    return self._practise(for_s, now)
                case PhotoAsked(lane=name):
                    return self._photo(name)
                case SignalAsked(lane=name, signal=signal):
                    return self._show(name, Signal(signal))
                case RecentAsked(after=number):
                    return self._recent.after(number)
                case ReportAsked(report=report):
                    return self._sign(report, now)
        except (Refused, ContractError, KeyDropped) as refused:
            return {"error": str(refused)}
        return None

    def tick(self, now: Moment) -> None:
        """End practice that was not renewed."""
        if self.deadline_s is not None and self.deadline_s <= now.clock.boottime_s:
            self._end("not renewed")

    def status(self, now: Moment) -> dict[str, Any]:
        """Return what `landfall status` says of it: nothing while there is no practice."""
        if self.deadline_s is None:
            return {}
        return {"practice": {"left_s": round(max(0.0, self.deadline_s - now.clock.boottime_s), 1)}}

    def _practise(self, for_s: float, now: Moment) -> dict[str, Any]:
        if for_s == 0:
            if self.deadline_s is not None:
                self._end("asked for")
            return {"practice": False}
        if self.deadline_s is None:
            for lane in self._lanes.values():
                _free(lane)
            for lane in self._lanes.values():
                lane.kiosk.practise(True)
            self._recorder.audit("practice_began")
            self._log(Priority.WARNING, "practice began, crossings are marked and not counted")
        self.deadline_s = now.clock.boottime_s + for_s
        return {"practice": True}

    def _end(self, why: str) -> None:
        self.deadline_s = None
        for name in tuple(self._shown):
            self._show(name, Signal.READY)
        for lane in self._lanes.values():
            lane.kiosk.practise(False)
        self._recorder.audit("practice_ended", reason=why)
        self._log(Priority.WARNING, "practice ended", reason=why)

    def _photo(self, name: str) -> dict[str, Any]:
        lane = self._practising(name)
        if lane.devices.camera is None:
            raise Refused(f"lane {name} has no camera")
        lane.devices.camera.take_photo(PHOTO)
        return {"request": PHOTO}

    def _show(self, name: str, signal: Signal) -> dict[str, Any]:
        """Show a signal, or what the lane itself shows again."""
        lane = self._lanes.get(name) if signal is Signal.READY else self._practising(name)
        if lane is None or lane.devices.panel is None:
            raise Refused(f"there is no panel at lane {name}")
        if signal is Signal.READY:
            self._shown.discard(name)
            lane.devices.panel.show(lane.signal)
        else:
            self._shown.add(name)
            lane.devices.panel.show(signal)
        return {"lane": name, "signal": signal.value}

    def _practising(self, name: str) -> Lane:
        if name not in self._lanes:
            raise Refused(f"there is no lane {name}")
        if self.deadline_s is None:
            raise Refused("there is no practice now")
        return _free(self._lanes[name])

    def _sign(self, report: object, now: Moment) -> dict[str, Any]:
        found = acceptance.acceptance(report)
        findings = found.findings
        found = msgspec.structs.replace(
            found, **self._about, signed_at=now.text, accepted=found.accepted and acceptance.is_accepted(findings)
        )
        payload = acceptance.encode(found)
        token = self._signer.sign(payload, acceptance.ACCEPTANCE_TYP)
        sha256 = hashlib.sha256(payload).hexdigest()
        self._recorder.note(ACCEPTED, sha256, acceptance.EVENT, **acceptance.detail(found))
        self._log(Priority.NOTICE, "acceptance report", accepted=found.accepted, findings=len(findings))
        return {"signed": token, "sha256": sha256}


def _free(lane: Lane) -> Lane:
    if lane.kiosk.state not in (State.READY, State.CLOSED):
        raise Refused(f"somebody is at lane {lane.settings.name}; try again in a moment")
    return lane
