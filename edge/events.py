"""What can happen, and what a lane can ask for.

Owns the vocabulary between the main loop and everything else: events of a lane, of the recorder and of the uplink in
the past tense, actions of a lane in the imperative. The events of devices come from `hw.devices`. Always true: what was
read and photographed is withheld from every `repr`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from typing import Literal

from edge.wire.commands import Command, Desired
from edge.wire.crossing import (
    Clock,
    Conveyance,
    Direction,
    LaneKind,
    Outcome,
    OutcomeResult,
    ReadDocument,
    VoidReason,
    VoidReasonOfOfficer,
)
from edge.wire.record import Position
from hw.devices import (
    ButtonPressed,
    DocumentRead,
    Guidance,
    PhotoFailed,
    PhotoGuidance,
    PhotoTaken,
    ReadFailed,
    Signal,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of the clock: `at` is UTC, `clock` says how far it can be trusted and holds CLOCK_BOOTTIME.

    `zone` is that of the post: whether a document has expired depends on the date there.
    """

    at: datetime
    clock: Clock
    zone: tzinfo = UTC

    @property
    def today(self) -> date | None:
        """Return today's date at the post, or None while the clock is unset."""
        return None if self.clock.state == "unset" else self.at.astimezone(self.zone).date()

    @property
    def text(self) -> str:
        """Return `at` as RFC 3339 in UTC with milliseconds."""
        return self.at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.at.microsecond // 1000:03d}Z"


# --- events -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The deadline that the lane had set is here."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A draft of this lane is committed and synced; `id` is the draft's."""

    id: str
    position: Position


@dataclass(frozen=True, slots=True)
class RecordFailed:
    """A draft could not be put on disk; nothing of it is there."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class StoreReady:
    """The store takes records."""


@dataclass(frozen=True, slots=True)
class StoreClosed:
    """No further crossing can be recorded (no room, no key, no power): a ready lane closes before somebody comes."""


@dataclass(frozen=True, slots=True)
class DocumentKeyed:
    """An officer has keyed in the document of the traveller at the lane; `officer` is a service number, or empty."""

    document: ReadDocument
    officer: str = ""


@dataclass(frozen=True, slots=True)
class FormKeyed:
    """An officer has keyed in a form that was filled in while the lane was closed.

    `written_at` is the time that stands on the form, RFC 3339 in UTC.
    """

    document: ReadDocument
    written_at: str
    direction: Direction
    result: OutcomeResult
    officer: str


@dataclass(frozen=True, slots=True)
class DecisionTaken:
    """An officer has decided about the traveller at the lane, or about the last one who was referred."""

    result: OutcomeResult
    officer: str


@dataclass(frozen=True, slots=True)
class VoidAsked:
    """An officer says that the last crossing of the lane does not count, or the last form that was keyed in."""

    reason: VoidReasonOfOfficer
    officer: str
    is_form: bool = False


LaneEvent = (
    DocumentRead
    | ReadFailed
    | PhotoTaken
    | PhotoFailed
    | PhotoGuidance
    | ButtonPressed
    | DocumentKeyed
    | FormKeyed
    | DecisionTaken
    | VoidAsked
    | DeadlinePassed
    | Recorded
    | RecordFailed
    | StoreReady
    | StoreClosed
)


# --- events of the uplink and the recorder ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReceiptAccepted:
    """The centre holds a stream up to `up_to`, by a receipt that was checked in every way and signed at `at`."""

    stream: str
    epoch: str
    up_to: int
    generation: str
    is_forked: bool
    at: str = ""


@dataclass(frozen=True, slots=True)
class UplinkTrouble:
    """Something about a stream that the centre or the broker said was not followed; `what` says why in one word.

    `count` is how often, since it was told last.
    """

    stream: str
    what: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class ResendAsked:
    """The centre asks, signed, for everything after `after` again."""

    stream: str
    after: int
    generation: str


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """The centre's receipt proves that this store is an older copy (rolled_back) or has a twin (forked)."""

    stream: str
    epoch: str
    reason: Literal["rolled_back", "forked"]


@dataclass(frozen=True, slots=True)
class RecordUnreadable:
    """The uplink could not read a record, or the broker takes none so large; a tombstone must take its place.

    `hash` and `prev` are those of the record, as far as its neighbours know them, `epoch` is the one it belongs to.
    """

    stream: str
    epoch: str
    sequence: int
    hash: str
    prev: str
    reason: str


@dataclass(frozen=True, slots=True)
class UplinkChanged:
    """The connection to the broker came or went."""

    is_connected: bool
    reason: str


@dataclass(frozen=True, slots=True)
class StoreChanged:
    """The recorder moved the store on; the uplink must look at the heads again.

    `rewound` lists streams whose held position went back; `commit_s` is how long an append took, sync included.
    """

    rewound: tuple[str, ...] = ()
    commit_s: float | None = None


class Room(StrEnum):
    """What the disk has room for."""

    PLENTY = "plenty"  # everything
    SHORT = "short"  # crossings without photos; receipted records go early
    NONE = "none"  # no crossing: only the reserve is left


@dataclass(frozen=True, slots=True)
class RoomMeasured:
    """How much room there is for records; `free_bytes` counts what purged records have left inside the store too."""

    room: Room
    free_bytes: int


@dataclass(frozen=True, slots=True)
class CommandArrived:
    """A command came that the centre has signed; whether it is for us, new and in time is not decided yet."""

    command: Command


@dataclass(frozen=True, slots=True)
class SettingsDesired:
    """Settings came that the centre has signed, new or not."""

    desired: Desired


@dataclass(frozen=True, slots=True)
class RenewalAnswered:
    """Somebody who may publish as the centre answered a request for a new certificate; nobody has verified it yet."""

    answer: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StateKept:
    """What was to be kept under a key of the store is on disk, or could not be put there."""

    key: str
    value: str
    is_kept: bool


@dataclass(frozen=True, slots=True)
class KeyWasDropped:
    """The recorder signs nothing any more, since the case was opened: now, or before this start."""

    is_new: bool


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """The store cannot be used at all; the daemon must restart, which salvages what can be read."""

    reason: str


# --- actions ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Show:
    """Show a signal on the lane's panel."""

    signal: Signal


@dataclass(frozen=True, slots=True)
class OpenGate:
    """Let one traveller through."""


@dataclass(frozen=True, slots=True)
class TakePhoto:
    """Ask the lane's camera for a photo under this request."""

    request: str


@dataclass(frozen=True, slots=True)
class Guide:
    """Tell the traveller what would make a better photo; None: nothing any more."""

    guidance: Guidance | None


@dataclass(frozen=True, slots=True)
class CrossingDraft:
    """A crossing as the lane knows it; the recorder adds the position, and the photo's sequence.

    Exactly one of `photo` (JPEG) and `photo_absent` (the reason) says something; `photo_quality` is what is not right
    with the photo, None where nobody looked. `written_at` is the time on a paper form, empty for who is at the lane.
    """

    id: str
    moment: Moment
    direction: Direction
    lane: LaneKind
    documents: tuple[ReadDocument, ...] = field(repr=False)
    conveyance: Conveyance | None
    outcome: Outcome
    training: bool
    photo: bytes | None = field(default=None, repr=False)
    photo_absent: str = ""
    photo_quality: tuple[Guidance, ...] | None = None
    group: str | None = None
    written_at: str = ""


@dataclass(frozen=True, slots=True)
class DecisionDraft:
    """An officer's decision after a referral, to be recorded as an amendment of `amends`."""

    id: str
    moment: Moment
    amends: str
    result: OutcomeResult
    officer: str = ""


@dataclass(frozen=True, slots=True)
class VoidDraft:
    """That the record `amends` does not count, to be recorded as an amendment; `group` is the crossing's.

    `recorded_too_late`: it was late on disk and shown to nobody; every other reason is an officer's.
    """

    id: str
    moment: Moment
    amends: str
    reason: VoidReason = "recorded_too_late"
    officer: str = ""
    group: str | None = None


Draft = CrossingDraft | DecisionDraft | VoidDraft


@dataclass(frozen=True, slots=True)
class Record:
    """Put this on disk and answer with `Recorded` or `RecordFailed`."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class ProbeStore:
    """Try whether the store takes records again, and answer with `StoreReady` if it does."""


Action = Show | OpenGate | TakePhoto | Guide | Record | ProbeStore
