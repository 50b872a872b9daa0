"""PURE. Which of two health messages of a kiosk was said later, also over its boots.

Owns the order that the watcher believes: within a boot the boot's own seconds; over boots that a message is never taken
twice, then the kiosk's count of its boots, then the time of day where both clocks were synchronised. Always true: what
was taken once is not taken again, whoever plays it back; a kiosk whose clock is unset, or whose count began anew with
its store, is believed as soon as the boot before it is quiet.
"""

from __future__ import annotations

import msgspec

from central.fleet.report import Report, moment

QUIET_S = 90.0  # three times the pause between two messages: the boot that was heard last has ended
MOST_SEEN = 16


def is_old(report: Report, last: Report, *, quiet_s: float) -> bool:
    """Tell whether this was said before `last`; `quiet_s` is for how long nothing was taken from the kiosk."""
    if report.boot_id == last.boot_id:
        return _is_at_or_before(report.boottime_s, last.boottime_s)
    if _is_at_or_before(report.boottime_s or 0.0, last.seen_boots.get(report.boot_id)):
        return True
    boots, last_boots = report.machine.boots, last.machine.boots
    if boots is not None and last_boots is not None and boots > last_boots:
        return False
    if report.clock_state == last.clock_state == "synchronised":
        at, last_at = moment(report.at), moment(last.at)
        if at is not None and last_at is not None:
            return at <= last_at
    # A count that went back is of an older boot, or of a store that is new.
    return boots is not None and last_boots is not None and boots < last_boots and quiet_s < QUIET_S


def remembering(report: Report, last: Report | None) -> Report:
    """Return the report with how far each earlier boot was heard, the latest of them."""
    if last is None:
        return report
    seen = dict(last.seen_boots)
    if report.boot_id != last.boot_id:
        seen.pop(last.boot_id, None)
        seen[last.boot_id] = last.boottime_s or 0.0
    seen.pop(report.boot_id, None)
    return msgspec.structs.replace(report, seen_boots=dict(list(seen.items())[-MOST_SEEN:]))


def _is_at_or_before(boottime_s: float | None, last_s: float | None) -> bool:
    return boottime_s is not None and last_s is not None and boottime_s <= last_s
