"""Where settings from afar arrive, and how the kiosk finds out whether they work.

Owns when a trial begins, when it is won and when it is lost; the states and their file are those of
`edge.commands.trial`. It runs in the main loop; writing is done elsewhere and comes back as `OverlaysKept`. Always
true: settings are on trial until the centre was reached with them: by a receipt, by newer settings that came, or by a
connection that has held for `HELD_S`; whoever is connected can be sent better ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.commands import trial
from edge.commands.trial import Overlays
from edge.errors import SettingError
from edge.events import Moment
from edge.wire.commands import Desired, Reply, Reported, Result, SettingInForce

HELD_S = 10.0
WRITE_AGAIN_S = 30.0
_RESULTS = {"settled": Result.DONE, "rolled_back": Result.FAILED, "refused": Result.REFUSED}


@dataclass(frozen=True, slots=True)
class OverlaysKept:
    """A state of the settings from afar is on disk, or `error` says why not."""

    overlays: Overlays
    error: str = ""


@dataclass(frozen=True, slots=True)
class Hands:
    """What the desk may ask of the daemon. `check` raises SettingError for settings that cannot be in force."""

    check: Callable[[dict[str, Any]], object]
    write: Callable[[Overlays], None]
    audit: Callable[..., None]
    reply: Callable[[Reply], None]
    report: Callable[[Reported], None]
    restart: Callable[[str], None]


class SettingsDesk:
    """Tries settings from afar; `overlays` is what the daemon was started with, `in_force` what that comes to."""

    def __init__(
        self,
        kiosk: str,
        version: str,
        sha256: str,
        overlays: Overlays,
        hands: Hands,
        *,
        began_s: float,
        in_force: tuple[SettingInForce, ...] = (),
    ) -> None:
        self._kiosk, self._version, self._sha256, self._in_force = kiosk, version, sha256, in_force
        self._overlays, self._hands = overlays, hands
        self._lost_at_s = None if overlays.trial is None else began_s + overlays.trial.trial_s
        self._held_at_s: float | None = None  # when the connection will have held for long enough
        self._is_writing = self._has_said = False
        self._is_leaving = False  # what is on disk now is the next start's, which proves or loses it

    @property
    def deadline_s(self) -> float | None:
        """Return when something is due, or None; in seconds of CLOCK_BOOTTIME."""
        if self._is_writing or self._is_leaving:
            return None
        return min((at for at in (self._lost_at_s, self._held_at_s) if at is not None), default=None)

    def desired(self, desired: Desired) -> None:
        """Take settings that the centre has signed; those that were here before are not tried again."""
        is_new = desired.kiosk == self._kiosk and desired.revision > self._overlays.revision
        if not is_new or self._is_writing or self._is_leaving:
            return
        proven = trial.settled(self._overlays) if self._overlays.trial is not None else self._overlays
        try:
            self._hands.check(desired.settings)
        except SettingError as error:
            self._write(trial.refused(proven, desired, str(error)))
        else:
            self._write(trial.begun(proven, desired))

    def connected(self, now: Moment) -> None:
        """Take note of a new connection, and say with which settings it was made."""
        if self._lost_at_s is not None:
            self._held_at_s = now.clock.boottime_s + min(HELD_S, self._trial_s / 2)
        self._report(now)
        if not self._has_said:
            self._has_said = True
            self._say_result(now)

    def disconnected(self) -> None:
        """Take note that the connection is gone."""
        if self._lost_at_s is not None:
            self._held_at_s = None

    def reached(self) -> None:
        """Take note that the centre was reached: a trial is won."""
        if self._overlays.trial is not None and not self._is_writing and not self._is_leaving:
            self._write(trial.settled(self._overlays))

    def tick(self, now: Moment) -> None:
        """Do what is due."""
        if (due_s := self.deadline_s) is None or due_s > now.clock.boottime_s:
            return
        if due_s == self._held_at_s:
            self.reached()
        else:
            why = f"the centre was not reached within {self._trial_s:g} s"
            self._write(trial.rolled_back(self._overlays, why))

    def kept(self, event: OverlaysKept, now: Moment) -> None:
        """Go on from a state that is on disk; where the disk did not take it, the old one holds."""
        self._is_writing = False
        if event.error:
            self._later(event.overlays, now)
            return
        begins = event.overlays.state == "trial"
        self._overlays, self._lost_at_s, self._held_at_s = event.overlays, None, None
        self._hands.audit(f"settings_{event.overlays.state}", revision=event.overlays.revision)
        if begins or event.overlays.state == "rolled_back":
            self._is_leaving = True
            self._hands.restart("settings tried" if begins else "settings rolled back")
            return
        self._report(now)
        self._say_result(now)

    def _later(self, overlays: Overlays, now: Moment) -> None:
        """Put off what could not be written; a trial that was lost ends by a restart all the same, which counts it."""
        if overlays.state == "settled":
            self._held_at_s, self._lost_at_s = now.clock.boottime_s + WRITE_AGAIN_S, None
        elif overlays.state == "rolled_back":
            self._is_leaving = True
            self._hands.restart("settings rolled back")

    @property
    def _trial_s(self) -> float:
        return 0.0 if self._overlays.trial is None else self._overlays.trial.trial_s

    def _write(self, overlays: Overlays) -> None:
        self._is_writing = True
        self._hands.write(overlays)

    def _report(self, now: Moment) -> None:
        kept = self._overlays
        said = (kept.state, kept.id, kept.revision, kept.detail, kept.in_force, self._in_force)
        self._hands.report(Reported(self._kiosk, now.text, self._version, self._sha256, *said))

    def _say_result(self, now: Moment) -> None:
        if (result := _RESULTS.get(self._overlays.state)) is not None and self._overlays.id:
            detail = self._overlays.detail or "the settings are in force"
            self._hands.reply(Reply(self._overlays.id, self._kiosk, result, now.text, detail))
