"""`python -m edge.clock_floor`: set the system clock forward to a time that is certainly past, before the kiosk starts.

A Raspberry Pi without a battery wakes up years ago; until it is synchronised every certificate is "not yet valid", and
neither the broker nor a time server with TLS can be reached. Owns the floor and the one call that sets the clock.
Always true: the clock never goes back and never beyond the floor; the store is not opened, only its dates are read.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from edge.clock import installed_s
from edge.config import load
from edge.errors import LandfallError
from edge.log import Log, Priority
from edge.settings import Settings

_MOST_AHEAD_S = 20 * 366 * 86_400  # a file dated further ahead than a kiosk lasts was dated by an upset clock


def floor_s(settings: Settings) -> float:
    """Return the latest Unix time that is past: of the setting, of this installation, of the store's last write."""
    built_s = max(datetime.fromisoformat(settings.clock.not_before).replace(tzinfo=UTC).timestamp(), installed_s())
    store = settings.resolve(settings.store.path)
    written = _modified_s(store.with_name(store.name + end) for end in ("", "-wal", "-shm", ".lock"))
    return max([built_s, *(at_s for at_s in written if at_s < built_s + _MOST_AHEAD_S)])


def _modified_s(paths: Iterable[Path]) -> list[float]:
    found = []
    for path in paths:
        try:
            found.append(path.stat().st_mtime)
        except OSError:
            continue  # not there yet, or not ours to see: the other times are a floor as well
    return found


def raise_clock(
    floor_s: float,
    *,
    now_s: Callable[[], float] = time.time,
    set_s: Callable[[float], None] = lambda to_s: time.clock_settime(time.CLOCK_REALTIME, to_s),
) -> bool:
    """Set the clock to the floor if it is behind, and return whether it was; raise `LandfallError` if it cannot be."""
    if now_s() >= floor_s:
        return False
    try:
        set_s(floor_s)
    except OSError as error:
        raise LandfallError(f"the clock cannot be set: {error.strerror}", remedy="CAP_SYS_TIME is needed") from None
    return True


def main() -> int:
    """Raise the clock once; exit status 1 when that was needed and not possible, 2 for a wrong setting."""
    parser = argparse.ArgumentParser(prog="python -m edge.clock_floor", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("/etc/landfall/kiosk.toml"))
    options = parser.parse_args()
    try:
        settings = load(options.config, dict(os.environ))
    except LandfallError as error:
        print(f"landfall: {error}", file=sys.stderr)
        return 2
    floor = floor_s(settings)
    try:
        was_behind = raise_clock(floor)
    except LandfallError as error:
        print(f"landfall: {error}", file=sys.stderr)
        return 1
    at = datetime.fromtimestamp(floor, UTC).isoformat(timespec="seconds")
    Log()(Priority.NOTICE, "clock raised to its floor" if was_behind else "clock is not behind its floor", floor=at)
    return 0


if __name__ == "__main__":
    sys.exit(main())
