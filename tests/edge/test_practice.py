"""Practice: marked crossings for as long as somebody renews it, and a report that the kiosk signs."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest

from edge.door import Door
from edge.events import CrossingDraft, StoreReady
from edge.groups import Group
from edge.log import Log
from edge.practice import MOST_S, Practice
from edge.recent import Recent
from edge.seal import Signer, Verifier
from edge.wire.acceptance import ACCEPTANCE_TYP
from edge.wiring import Lane
from hw.choose import Devices
from hw.devices import Signal
from tests.edge import lane as simple
from tests.edge.lane import moment
from tests.harness.kiosk_records import new_signing_key

KEY = new_signing_key()
ABOUT = {"kiosk": "dm-roseau/ferry-01", "version": "0.1.0", "settings_sha256": "ab"}
REPORT: dict[str, Any] = {
    "by": "T-7",
    "began_at": "2026-03-01T12:00:00Z",
    "accepted": True,
    "inputs": 4,
    "findings": [{"what": "card", "verdict": "ok", "measured": {"sync_p95_ms": 11.0}}],
}


class Panel:
    """Remembers what it was told to show."""

    def __init__(self) -> None:
        self.shown: list[Signal] = []

    def show(self, signal: Signal) -> None:
        self.shown.append(signal)


class Camera:
    """Remembers which photos were asked for."""

    def __init__(self) -> None:
        self.requests: list[str] = []

    def take_photo(self, request: str) -> None:
        self.requests.append(request)


class Store:
    """Stands for the recorder: what was audited and noted."""

    def __init__(self) -> None:
        self.audited: list[str] = []
        self.noted: list[tuple[str, str, dict[str, Any]]] = []

    def audit(self, event: str, **detail: object) -> None:
        self.audited.append(event)

    def note(self, key: str, value: str, event: str, **detail: Any) -> None:
        self.noted.append((key, event, detail))


class Post:
    """One lane with a panel and a camera, and its practice."""

    def __init__(self, **policy: Any) -> None:
        self.people = simple.Lane(**policy)
        self.people.tell(StoreReady())
        self.panel, self.camera, self.store = Panel(), Camera(), Store()
        devices = Devices((), self.camera, self.panel)  # type: ignore[arg-type]
        lane = Lane(self.people.settings, self.people.kiosk, devices, Door(10, 15), Signal.READY)
        self.practice = Practice([lane], Recent(), self.store, Signer(KEY), Log(io.StringIO()), ABOUT)  # type: ignore[arg-type]

    def ask(self, verb: str, **arguments: object) -> dict[str, Any]:
        answer = self.practice.answer(verb, arguments, moment(self.people.now_s))
        assert answer is not None
        return answer


def test_crossings_are_marked_from_now_on_and_count_again_when_it_has_ended() -> None:
    post = Post()
    assert post.ask("practice", for_s=60) == {"practice": True}
    post.people.read("TD3 alice")
    post.people.recorded()
    post.people.pass_deadline()
    assert post.ask("practice", for_s=0) == {"practice": False}
    post.people.wait(10)
    post.people.read("TD3 bob")
    assert [draft.training for draft in crossings(post)] == [True, False]
    assert post.store.audited == ["practice_began", "practice_ended"]


def test_whoever_is_at_the_lane_stays_what_they_are_when_practice_ends() -> None:
    post = Post(optional=("boarding_pass",))
    post.ask("practice", for_s=60)
    post.people.read("TD3 alice")
    post.ask("practice", for_s=0)
    post.people.pass_deadline()
    assert [draft.training for draft in crossings(post)] == [True]


def test_practice_does_not_begin_while_somebody_is_at_the_lane() -> None:
    post = Post(optional=("boarding_pass",))
    post.people.read("TD3 alice")
    assert "somebody is at lane left" in post.ask("practice", for_s=60)["error"]
    post.people.pass_deadline()
    assert [draft.training for draft in crossings(post)] == [False]


def test_what_was_scanned_in_practice_for_later_is_nobodys_crossing() -> None:
    post = Post()
    post.ask("practice", for_s=60)
    post.people.read("TD3 alice")
    post.people.read("TD3 bob")  # held until the lamp was seen
    post.ask("practice", for_s=0)
    post.people.recorded()
    post.people.pass_deadline()
    assert [draft.training for draft in crossings(post)] == [True]


def test_no_group_counts_a_practice_crossing() -> None:
    post = Post()
    post.people.kiosk.group.open(Group("g", "2026-03-01T12:00:00Z", None, None, ""), moment(post.people.now_s))
    post.ask("practice", for_s=60)
    post.people.read("TD3 alice")
    post.people.recorded()
    assert post.people.kiosk.group.count == 0
    assert crossings(post)[0].group is None


def test_practice_ends_by_itself_when_nobody_renews_it() -> None:
    post = Post()
    post.ask("practice", for_s=60)
    post.ask("practice_signal", lane="left", signal="closed")
    assert post.practice.status(moment(130))["practice"]["left_s"] == 30
    post.practice.tick(moment(161))
    assert post.practice.status(moment(161)) == {}
    assert post.panel.shown == [Signal.CLOSED, Signal.READY], "the panel is the lane's again"
    assert post.store.audited == ["practice_began", "practice_ended"]


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("practice_photo", {"lane": "left"}),
        ("practice_signal", {"lane": "left", "signal": "closed"}),
    ],
)
def test_photos_and_lamps_are_for_practice_alone(verb: str, arguments: dict[str, str]) -> None:
    post = Post()
    assert post.ask(verb, **arguments) == {"error": "there is no practice now"}
    assert (post.camera.requests, post.panel.shown) == ([], [])


def test_no_request_lights_the_green_lamp() -> None:
    post = Post()
    post.ask("practice", for_s=60)
    assert "is not right" in post.ask("practice_signal", lane="left", signal="passed")["error"]
    assert post.panel.shown == []


@pytest.mark.parametrize("for_s", [-1, MOST_S + 1, "60", None, float("nan")])
def test_a_lease_that_is_none_is_refused(for_s: object) -> None:
    post = Post()
    assert "is not right" in post.ask("practice", for_s=for_s)["error"]
    assert post.practice.deadline_s is None


def test_a_report_is_signed_as_one_and_the_kiosk_says_itself_who_it_is() -> None:
    post = Post()
    answer = post.ask("accepted", report={**REPORT, "kiosk": "dm-roseau/another"})
    report = msgspec.json.decode(Verifier([KEY]).verify(answer["signed"], ACCEPTANCE_TYP))
    assert (report["kiosk"], report["version"], report["accepted"]) == ("dm-roseau/ferry-01", "0.1.0", True)
    (noted,) = post.store.noted
    assert msgspec.json.decode(msgspec.json.encode(noted)) == ["accepted", "acceptance", report]


def test_a_report_is_not_accepted_when_a_finding_says_otherwise() -> None:
    post = Post()
    failed = [{"what": "card", "verdict": "failed"}]
    answer = post.ask("accepted", report={**REPORT, "findings": failed})
    assert msgspec.json.decode(Verifier([KEY]).verify(answer["signed"], ACCEPTANCE_TYP))["accepted"] is False


def test_the_largest_report_is_signed_and_can_be_verified() -> None:
    post = Post()
    large = [{"what": f"step {number}", "verdict": "warn", "detail": "x" * 230} for number in range(96)]
    answer = post.ask("accepted", report={**REPORT, "findings": large})
    report = msgspec.json.decode(Verifier([KEY]).verify(answer["signed"], ACCEPTANCE_TYP))
    assert len(report["findings"]) == 96


WRONG = {
    "no report": None,
    "a name for a number": {**REPORT, "by": "ERIKSSON"},
    "nothing found": {**REPORT, "findings": []},
    "too much found": {**REPORT, "findings": REPORT["findings"] * 97},
    "an escape": {**REPORT, "findings": [{"what": "\x1b[2J", "verdict": "ok"}]},
    "a long story": {**REPORT, "findings": [{"what": "card", "verdict": "ok", "detail": "x" * 241}]},
    "no verdict": {**REPORT, "findings": [{"what": "card", "verdict": "fine"}]},
}


@pytest.mark.parametrize("report", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_report_is_not_signed(report: object) -> None:
    post = Post()
    assert post.ask("accepted", report=report)["error"].startswith("not an acceptance report: ")
    assert post.store.noted == []


def crossings(post: Post) -> list[CrossingDraft]:
    """Return the crossings that the lane wants recorded."""
    return [draft for draft in post.people.drafts if isinstance(draft, CrossingDraft)]
