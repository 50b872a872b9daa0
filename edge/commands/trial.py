"""Settings from afar: tried, and kept or taken back, whatever happens in between.

Owns the file `settings.json` beside the store and the steps between its states. The steps are pure; the file is
replaced as a whole and synced, so a power cut at any moment leaves one state or the next. Always true: settings that
were never seen to reach the centre are given up after `MOST_STARTS` starts or their time, and the kiosk then starts
with what worked before.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, Literal

import msgspec

from edge.cache.schema import sync_folder
from edge.errors import StoreError
from edge.wire.commands import LEAST_TRIAL_S, MOST_TRIAL_S, Desired

FILE = "settings.json"
MOST_STARTS = 3  # of one trial: a power cut is no proof against new settings, a crash at each start is

State = Literal["local", "trial", "settled", "rolled_back", "refused"]


class Trial(msgspec.Struct, frozen=True):
    """Settings on trial; `starts` counts how often the daemon has begun with them."""

    settings: dict[str, Any]
    trial_s: float
    starts: int = 0


class Overlays(msgspec.Struct, frozen=True):
    """What is kept: settings that have proved themselves, those on trial, and what came of the last that came.

    `id` and `revision` are those of the last desired settings that were taken, whatever came of them.
    """

    settled: dict[str, Any] = {}
    trial: Trial | None = None
    state: State = "local"
    id: str = ""
    revision: int = 0
    detail: str = ""

    @property
    def in_force(self) -> dict[str, Any]:
        """Return what stands on top of the kiosk's own file."""
        return self.settled if self.trial is None else self.trial.settings


def begun(overlays: Overlays, desired: Desired) -> Overlays:
    """Return the state in which new settings wait for the next start."""
    trial_s = min(max(desired.trial_s, LEAST_TRIAL_S), MOST_TRIAL_S)
    trial = Trial(desired.settings, trial_s)
    return Overlays(overlays.settled, trial, "trial", desired.id, desired.revision)


def refused(overlays: Overlays, desired: Desired, why: str) -> Overlays:
    """Return the state after settings that cannot be in force on this kiosk."""
    return Overlays(overlays.settled, None, "refused", desired.id, desired.revision, why)


def started(overlays: Overlays) -> Overlays:
    """Return the state with which the daemon begins; written before the settings are used."""
    if overlays.trial is None:
        return overlays
    if overlays.trial.starts >= MOST_STARTS:
        return rolled_back(overlays, f"the centre was not reached in {MOST_STARTS} starts")
    trial = msgspec.structs.replace(overlays.trial, starts=overlays.trial.starts + 1)
    return msgspec.structs.replace(overlays, trial=trial)


def settled(overlays: Overlays) -> Overlays:
    """Return the state after the centre was reached with the settings on trial."""
    return msgspec.structs.replace(overlays, settled=overlays.in_force, trial=None, state="settled", detail="")


def rolled_back(overlays: Overlays, why: str) -> Overlays:
    """Return the state after a trial that failed."""
    return msgspec.structs.replace(overlays, trial=None, state="rolled_back", detail=why)


def read(folder: Path) -> Overlays:
    """Return what is kept; nothing where there is no file, or one that no Landfall wrote."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Overlays)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Overlays()


def write(folder: Path, overlays: Overlays) -> None:
    """Replace what is kept, durably; raise `StoreError` when the disk does not take it."""
    draft = folder / f".{FILE}.new"
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(overlays))
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, folder / FILE)
        sync_folder(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise StoreError(
            f"{folder / FILE}: {error.strerror}", remedy="free space, and check the folder's owner"
        ) from None
