"""What kiosks put on record of themselves: when their boots were, and who laid hands on them.

Owns `boot_clock`, and which audit events are incidents. Always true: what is written here is what a verified, opened
record says, once for each record; a letter of a form that is not known here changes nothing and is kept all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from sqlalchemy import Connection

from central import database
from central.database import rfc3339
from central.fleet.report import moment
from central.fleet.tables import boot_clock
from central.incidents import Incident, Kind
from central.shelf import EpochKey
from central.verify import AmendmentHead, AuditHead

KINDS = {
    "case_opened": Kind.TAMPER,
    "door_forced": Kind.DOOR_FORCED,
    "settings_rolled_back": Kind.SETTINGS_ROLLED_BACK,
}
_MAX_BOOT_ID = 128

Written = tuple[EpochKey, int, str, object]  # epoch, sequence, hash and letter of a record that was stored


class _BootClock(msgspec.Struct, frozen=True):
    boot_id: str
    at_boottime_0: tuple[str | None, str]


def take(connection: Connection, written: Iterable[Written]) -> list[Incident]:
    """Write down when boots were, and return what somebody has to look at."""
    rows, found = [], []
    for key, sequence, hash, letter in written:
        if isinstance(letter, AmendmentHead):
            rows += _dated(key, sequence, hash, letter)
        elif isinstance(letter, AuditHead) and isinstance(letter.event, str) and letter.event in KINDS:
            found.append(Incident(KINDS[letter.event], *key, sequence))
    if rows:
        connection.execute(database.insert(connection, boot_clock).on_conflict_do_nothing(), rows)
    return found


def _dated(key: EpochKey, sequence: int, hash: str, letter: AmendmentHead) -> Iterator[dict[str, object]]:
    if letter.kind != "clock":
        return
    try:
        said = msgspec.convert(letter.detail, _BootClock)
    except msgspec.ValidationError:
        return
    earliest, latest = said.at_boottime_0
    until = moment(latest)
    after = None if earliest is None else moment(earliest)
    if until is None or not 1 <= len(said.boot_id) <= _MAX_BOOT_ID or not said.boot_id.isprintable():
        return
    if after is not None and after > until:
        return  # it contradicts itself
    yield {
        "kiosk": key.kiosk,
        "boot_id": said.boot_id,
        "epoch": key.epoch,
        "sequence": sequence,
        "hash": hash,
        "earliest": after and rfc3339(after),
        "latest": rfc3339(until),
    }
