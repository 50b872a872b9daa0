"""A kiosk and its officers, for tests: lanes, groups and verbs whose recorder is the test."""

from __future__ import annotations

from itertools import count
from typing import Any

from edge.door import Door
from edge.events import Draft, LaneEvent, Moment, Record, Recorded, RecordFailed, StoreReady
from edge.kiosk import Kiosk
from edge.officers import Officers
from edge.open_groups import OpenGroups
from edge.wire.record import Position
from edge.wiring import Lane
from hw.choose import Devices
from tests.edge import lane as simple
from tests.edge.lane import moment

TYPED = {
    "document_code": "P",
    "issuing_state": "UTO",
    "document_number": "L898902C3",
    "primary_identifier": "Eriksson",
    "nationality": "UTO",
    "date_of_birth": "1974-08-12",
    "sex": "F",
    "date_of_expiry": "2031-04-15",
}


class Store:
    """Stands for recorder and reader: what is kept, audited, and on its way to the disk."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.audited: list[tuple[str, dict[str, Any]]] = []

    def keep(self, key: str, value: str) -> None:
        self.kept[key] = value

    def audit(self, event: str, **detail: object) -> None:
        self.audited.append((event, detail))

    def state(self, key: str) -> str | None:
        return self.kept.get(key)


class Post:
    """A kiosk with lanes whose recorder is the test."""

    def __init__(self, *names: str, **policy: Any) -> None:
        numbers = count(1)
        self.now = moment(100)
        self.store = Store()
        self.drafts: list[Draft] = []
        self.lanes = []
        for name in names or ("left",):
            settings = simple.Lane(**{"specimens": "accept", **policy}).settings
            settings = type(settings)(name=name, policy=settings.policy)
            kiosk = Kiosk(settings, new_id=lambda: f"id-{next(numbers)}", read=self._read, memory_key=b"k" * 32)
            self.lanes.append(Lane(settings, kiosk, Devices((), None, None), Door(10, 15)))
        self.groups = OpenGroups(self.lanes, self.store, lambda: f"group-{next(numbers)}")  # type: ignore[arg-type]
        self.officers = Officers(self.lanes, self.hand, self.groups)
        for lane in self.lanes:
            self.hand(lane, StoreReady(), self.now)

    def _read(self, payload: bytes, **about: object) -> Any:
        raise AssertionError("nobody shows anything")

    @property
    def lane(self) -> Kiosk:
        return self.lanes[0].kiosk

    def hand(self, lane: Lane, event: LaneEvent, now: Moment) -> list[Draft]:
        drafts = [action.draft for action in lane.kiosk.handle(event, now) if isinstance(action, Record)]
        for draft in drafts:
            self.officers.drafted(draft)
        self.drafts += drafts
        return drafts

    def ask(self, verb: str, **arguments: object) -> dict[str, Any]:
        answer = self.officers.answer(verb, arguments, self.now)
        assert answer is not None
        return answer

    def settle(self, event: Recorded | RecordFailed | None = None) -> None:
        """The last draft is on disk, or something else came of it."""
        id = self.drafts[-1].id
        event = event or Recorded(id, Position("utopia/lane-1", "e", "crossing", 7))
        self.officers.recorded(event)
        self.hand(self.lanes[0], event, self.now)
