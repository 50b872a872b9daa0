"""The letters: what a record says once the centre has opened it.

Owns the crossing, its amendment, the photo, the audit event and the start of an epoch. Fields carry the names and
codes of ICAO Doc 9303, RFC 3339, ISO 3166-1, UN/LOCODE and IATA. Always true: every letter repeats its position, so
that nobody can sign another's letter as their own; and no `repr` shows what is in it.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from edge.documents.verdict import Verdict
from edge.wire.record import Position

MAX_PHOTO_BYTES = 512 * 1024  # base64 twice, it still is a letter that the centre opens (`edge.seal`)

SERVICE_NUMBER = r"^(?=[A-Z0-9.-]*[0-9])[A-Z0-9][A-Z0-9.-]{0,15}\Z"  # never a name: without a digit it is none
Direction = Literal["entry", "exit", "transit"]
ClockState = Literal["synchronised", "holdover", "unset"]
LaneKind = Literal["desk", "self_service"]
ConveyanceKind = Literal["flight", "vessel", "vehicle", "private"]
OutcomeResult = Literal["passed", "referred"]
VoidReasonOfOfficer = Literal["entered_twice", "wrong_person", "wrong_direction", "turned_back", "test", "other"]
VoidReason = Literal["recorded_too_late"] | VoidReasonOfOfficer


class Clock(msgspec.Struct, frozen=True):
    """How far `at` can be trusted.

    `error_bound_s` is null while the clock is unset; `boot_id` and `boottime_s` (CLOCK_BOOTTIME) let the centre date
    the record later from others of the same boot.
    """

    state: ClockState
    error_bound_s: float | None
    boot_id: str
    boottime_s: float


class ReadDocument(msgspec.Struct, frozen=True):
    """One document of the traveller with a verdict for every check."""

    source: Literal["mrz", "chip", "bcbp", "aamva", "vds", "dcc", "manual", "paper"]
    kind: str
    reader: str
    fields: dict[str, Any]
    verdicts: tuple[Verdict, ...]

    def __repr__(self) -> str:
        return f"ReadDocument(source={self.source!r}, kind={self.kind!r}, reader={self.reader!r})"


class Conveyance(msgspec.Struct, frozen=True, omit_defaults=True):
    """The flight, vessel or vehicle, as far as it is known; `number` is a flight number or a ship's IMO number."""

    kind: ConveyanceKind
    number: str = ""
    name: str = ""
    date: str = ""
    seat: str = ""

    def __repr__(self) -> str:
        return f"Conveyance(kind={self.kind!r})"


class Photo(msgspec.Struct, frozen=True, omit_defaults=True):
    """Either the photo's SHA-256 and its sequence in the evidence stream, or the reason why it is absent.

    `quality` says what is not right with the photo, an empty list that nothing is; it is left out where nobody looked.
    """

    sha256: str = ""
    evidence_sequence: int = 0
    absent: str = ""
    quality: tuple[str, ...] | None = None


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of it. There is no third result: the machine passes, or it calls an officer."""

    result: OutcomeResult
    by: Literal["rule", "officer"]
    reasons: tuple[str, ...] = ()
    officer: str = ""


class Crossing(msgspec.Struct, frozen=True, omit_defaults=True):
    """One person crossing one border at one post; `at` is RFC 3339 in UTC, `id` a UUIDv7.

    `at` and `clock` are always the kiosk's own: when the record was made. `written_at` is there only for a paper form
    that was keyed in later: the time that stands on it, which no clock of ours vouches for.
    """

    id: str
    kiosk: str
    site: str
    position: Position
    direction: Direction
    lane: LaneKind
    at: str
    clock: Clock
    documents: tuple[ReadDocument, ...]
    conveyance: Conveyance | None
    group: str | None
    photo: Photo
    outcome: Outcome
    training: bool
    written_at: str = ""

    def __repr__(self) -> str:
        return f"Crossing(position={self.position!r}, result={self.outcome.result!r})"


class Amendment(msgspec.Struct, frozen=True):
    """A correction of an earlier record, named by its `id`, or of a boot's clock, named by the boot's id.

    Nothing is ever rewritten. `detail` of a clock is `{boot_id, at_boottime_0: [earliest, latest]}`: a record of that
    boot was made between these times, its own `clock.boottime_s` added to both.
    """

    id: str
    kiosk: str
    position: Position
    at: str
    clock: Clock
    amends: str
    kind: Literal["void", "decision", "clock"]
    detail: dict[str, Any]

    def __repr__(self) -> str:
        return f"Amendment(position={self.position!r}, kind={self.kind!r})"


class Evidence(msgspec.Struct, frozen=True):
    """The photo of one crossing; `content` is base64 in JSON."""

    id: str
    kiosk: str
    position: Position
    crossing: str
    at: str
    media_type: Literal["image/jpeg"]
    sha256: str
    content: bytes

    def __repr__(self) -> str:
        return f"Evidence(position={self.position!r}, bytes={len(self.content)})"


class AuditEvent(msgspec.Struct, frozen=True):
    """Something the centre must be able to prove later: start, stop, case opened, record set aside."""

    id: str
    kiosk: str
    position: Position
    at: str
    clock: Clock
    event: str
    detail: dict[str, Any]


class EpochStart(msgspec.Struct, frozen=True):
    """The first record of an epoch in each stream: what the store knew of the epoch before it, and why it ended.

    `last_sequence` and `last_hash` are those of the stream's record before this one; zero and empty on a new store.
    """

    id: str
    kiosk: str
    position: Position
    at: str
    previous_epoch: str
    last_sequence: int
    last_hash: str
    reason: Literal["new_store", "rolled_back", "forked", "other_hardware", "salvaged"]


Letter = Crossing | Amendment | Evidence | AuditEvent | EpochStart
