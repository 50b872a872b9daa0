"""A lane for tests: a `Kiosk` with a clock that the test turns and a reader whose documents say what they are.

A payload such as `TD3 alice` is read as a good passport; a word with `=` is a verdict: `TD3 alice validity=failed`; and
`born:1974-08-12` is a date of birth.
`BCBP`, `MRV-A`, `AAMVA` and `VDS` are other documents; anything else is not understood. `specimen=doubtful` and the
like go through the same rules as what the standards' modules say.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count

from edge.documents.verdict import Document, Result, Verdict
from edge.events import (
    Action,
    CrossingDraft,
    DeadlinePassed,
    DecisionDraft,
    DocumentKeyed,
    FormKeyed,
    LaneEvent,
    Moment,
    Record,
    Recorded,
    RecordFailed,
    StoreReady,
)
from edge.kiosk import Kiosk, State
from edge.settings import LaneSettings, PolicySettings
from edge.wire.crossing import Clock, ReadDocument
from edge.wire.record import Position
from hw.devices import (
    Button,
    ButtonPressed,
    DocumentRead,
    Frame,
    Guidance,
    PhotoFailed,
    PhotoGuidance,
    PhotoTaken,
    ReadFailed,
)

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCES = {"TD3": "mrz", "TD1": "mrz", "MRV-A": "mrz", "BCBP": "bcbp", "AAMVA": "aamva", "VDS": "vds", "DCC": "dcc"}


def moment(at_s: float = 0.0, state: str = "synchronised") -> Moment:
    """Return the moment `at_s` seconds after the start."""
    return Moment(START + timedelta(seconds=at_s), Clock(state, None, "boot", at_s))  # type: ignore[arg-type]


class Lane:
    """Drives one `Kiosk`: each call hands in one event and returns the actions; `now_s` is the time."""

    def __init__(self, *, clock: str = "synchronised", kind: str = "self_service", **policy: object) -> None:
        self.settings = LaneSettings(name="left", kind=kind, policy=PolicySettings(**policy))  # type: ignore[arg-type]
        numbers = count(1)
        self.days: list[date | None] = []
        self.kiosk = Kiosk(self.settings, new_id=lambda: f"id-{next(numbers)}", read=self._read, memory_key=b"k" * 32)
        self.now_s = 100.0
        self.clock = clock
        self.drafts: list[CrossingDraft | DecisionDraft] = []

    def _read(
        self, payload: bytes, *, today: date | None, symbology: str | None, unrecognised: tuple[int, ...]
    ) -> Document:
        self.days.append(today)
        kind, *words = payload.decode().split() or [""]
        if kind not in SOURCES:
            return Document("unknown", "mrz", {}, (Verdict("structure", Result.FAILED, "nothing known"),))
        said = [word.partition("=") for word in words if "=" in word]
        verdicts = tuple(Verdict(check, Result(result)) for check, _, result in said)
        fields = {"legs": [{"operating_carrier_designator": "UT", "flight_number": "204"}]} if kind == "BCBP" else {}
        if born := next((word for word in words if word.startswith("born:")), ""):
            fields["date_of_birth"] = born.removeprefix("born:")
        return Document(kind, SOURCES[kind], fields, verdicts)

    @property
    def state(self) -> State:
        """Return where the lane is."""
        return self.kiosk.state

    @property
    def draft(self) -> CrossingDraft | DecisionDraft:
        """Return the draft that was asked to be recorded last."""
        return self.drafts[-1]

    def tell(self, event: LaneEvent) -> list[Action]:
        """Hand in an event."""
        actions = self.kiosk.handle(event, moment(self.now_s, self.clock))
        self.drafts += [action.draft for action in actions if isinstance(action, Record)]
        return actions

    def open(self) -> Lane:
        """Let the store be ready, and return the lane."""
        self.tell(StoreReady())
        return self

    def read(self, payload: str, device: str = "passport") -> list[Action]:
        """A reader delivers a document."""
        return self.tell(DocumentRead(device, Frame(payload.encode(), "raw")))

    def fail_read(self) -> list[Action]:
        """A reader delivers noise."""
        return self.tell(ReadFailed("passport", "half a message"))

    def press(self, button: Button) -> list[Action]:
        """Somebody presses a button."""
        return self.tell(ButtonPressed("panel", button))

    def key_in(self, kind: str = "TD", *verdicts: Verdict, officer: str = "A-1042") -> list[Action]:
        """An officer has keyed a document in; `none` is a person without one."""
        return self.tell(DocumentKeyed(ReadDocument("manual", kind, "keyed", {}, verdicts), officer))

    def key_form(self, result: str = "passed") -> list[Action]:
        """An officer has keyed in a form of an outage."""
        document = ReadDocument("paper", "TD", "keyed", {}, ())
        return self.tell(FormKeyed(document, "2026-03-01T09:00:00Z", "exit", result, "A-1042"))  # type: ignore[arg-type]

    def photo(self, request: str = "id-1", quality: tuple[Guidance, ...] | None = None) -> list[Action]:
        """The camera delivers."""
        return self.tell(PhotoTaken("camera", request, b"jpeg", quality))

    def guide(self, guidance: Guidance, request: str = "id-1") -> list[Action]:
        """The camera tries again."""
        return self.tell(PhotoGuidance("camera", request, guidance))

    def no_photo(self, request: str = "id-1", reason: str = "no answer") -> list[Action]:
        """The camera gives up."""
        return self.tell(PhotoFailed("camera", request, reason))

    def recorded(self, id: str = "") -> list[Action]:
        """The store has the last draft, or the one that is named."""
        return self.tell(Recorded(id or self.draft.id, Position("utopia/lane-1", "e", "crossing", len(self.drafts))))

    def record_failed(self) -> list[Action]:
        """The store could not take the last draft."""
        return self.tell(RecordFailed(self.draft.id, "disk full"))

    def wait(self, seconds: float) -> None:
        """Let time pass without anything happening."""
        self.now_s += seconds

    def pass_deadline(self) -> list[Action]:
        """Wait for the deadline that the lane has set."""
        assert self.kiosk.deadline_s is not None
        self.now_s = max(self.now_s, self.kiosk.deadline_s)
        return self.tell(DeadlinePassed())
