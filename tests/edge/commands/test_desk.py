"""A command is admitted once, noted before it is carried out, and answered."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edge.commands.desk import KEY, CommandDesk
from edge.events import Moment, StateKept
from edge.wire.commands import MAX_REPLY_BYTES, Command, CommandName, Reply, Result
from tests.edge.lane import moment

KIOSK = "utopia/lane-1"
LATER = "2026-03-01T12:15:00.000Z"


def command(number: int = 1, name: str = "identify", **changed: Any) -> Command:
    given = Command(f"0190a5b2-0000-7000-8000-{number:012d}", KIOSK, name, number, "", LATER)
    return msgspec.structs.replace(given, **changed)


class Post:
    """A desk with a recorder whose disk the test lets work or fail."""

    def __init__(self, kept: str | None = None) -> None:
        self.noted: list[tuple[str, str]] = []
        self.audits: list[tuple[str, dict]] = []
        self.done: list[str] = []
        self.replies: list[Reply] = []
        self.answer: tuple[Result, str] | None = (Result.DONE, "fine")
        deeds = dict.fromkeys(CommandName, self._carry_out)
        self.desk = CommandDesk(KIOSK, self, self.replies.append, deeds)  # type: ignore[arg-type]
        self.desk.store_ready(kept, moment(0))

    def note(self, key: str, value: str, event: str, **detail: object) -> None:
        self.noted.append((key, value))
        self.audits.append((event, detail))

    def _carry_out(self, given: Command, now: Moment) -> tuple[Result, str] | None:
        self.done.append(given.id)
        return self.answer

    def take(self, given: Command, now: Moment | None = None, *, is_kept: bool = True) -> None:
        """Let a command arrive, and the disk take its note or not."""
        before = len(self.noted)
        self.desk.arrived(given, now or moment(0))
        for key, value in self.noted[before:]:
            self.desk.kept(StateKept(key, value, is_kept), now or moment(0))

    def results(self) -> list[tuple[Result, str]]:
        return [(reply.result, reply.detail) for reply in self.replies]


def test_a_command_is_noted_and_audited_then_carried_out_then_answered() -> None:
    post = Post()
    post.desk.arrived(command(), moment(0))
    assert (post.done, post.replies) == ([], []), "nothing is done before the note is on disk"
    post.desk.kept(StateKept(*post.noted[0], is_kept=True), moment(0))
    assert post.done == [command().id]
    assert post.results() == [(Result.DONE, "fine")]
    assert [event for event, _ in post.audits] == ["command_taken", "command_finished"]
    assert post.audits[1][1] == {"command": command().id, "name": "identify", "counter": 1, "result": "done"}


def test_a_second_delivery_is_answered_again_and_not_carried_out_again() -> None:
    post = Post()
    for _ in range(3):
        post.take(command())
    assert len(post.done) == 1
    assert post.results() == [(Result.DONE, "fine")] * 3


def test_a_second_delivery_after_a_restart_is_answered_from_the_store() -> None:
    post = Post()
    post.take(command())
    again = Post(post.noted[-1][1])
    again.take(command())
    assert (again.done, again.results()) == ([], [(Result.DONE, "fine")])


def test_a_command_whose_note_the_disk_did_not_take_is_not_carried_out_and_may_come_again() -> None:
    post = Post()
    post.take(command(), is_kept=False)
    assert (post.done, post.replies) == ([], [])
    post.take(command())
    assert post.results() == [(Result.DONE, "fine")]


@pytest.mark.parametrize("counter", [-1, 0, 1, 6, 7])
def test_an_older_command_is_refused_even_by_a_kiosk_without_a_clock(counter) -> None:
    post = Post()
    unset = moment(0, "unset")
    post.take(command(7))
    post.take(command(8, counter=counter), unset)
    assert len(post.done) == 1
    assert post.results()[1] == (Result.REFUSED, "a later command was here before")
    assert len(post.audits) == 2, "a replay writes nothing to the disk"


def test_a_command_that_has_expired_is_refused_once_and_its_counter_is_used_up() -> None:
    post = Post()
    late = moment(16 * 60)
    post.take(command(5), late)
    assert post.results() == [(Result.REFUSED, "it has expired")]
    assert post.audits[0][0] == "command_refused"
    assert Post(post.noted[-1][1]).desk.arrived(command(4), moment(0)) is None
    post.take(command(4), moment(0))
    assert post.done == []


def test_a_kiosk_without_a_clock_goes_by_the_counter_alone() -> None:
    before = Post()
    before.take(command(1))
    post = Post(before.noted[-1][1])
    post.take(command(2), moment(16 * 60, "unset"))
    assert len(post.done) == 1


def test_a_kiosk_without_a_clock_that_has_lost_its_store_follows_no_command_of_yesterday() -> None:
    recorded, unset = command(7, name="restart"), moment(0, "unset")
    post = Post()
    post.take(recorded, unset)
    assert (post.noted, post.replies) == ([], []), "nothing is known yet, so it waits; the centre asks again"
    post.desk.receipted("2026-03-02T09:00:00.000Z")
    post.take(recorded, unset)
    assert (post.done, post.results()) == ([], [(Result.REFUSED, "it has expired")])
    post.take(command(8, expires_at="2026-03-02T09:15:00.000Z"), unset)
    assert len(post.done) == 1


def test_an_older_receipt_takes_no_time_back_and_one_without_a_time_says_nothing() -> None:
    post = Post()
    for at in ("2026-03-02T09:00:00.000Z", "2026-03-01T09:00:00.000Z", "", "soon"):
        post.desk.receipted(at)
    post.take(command(), moment(0, "unset"))
    assert post.results() == [(Result.REFUSED, "it has expired")]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"name": "format-disk"}, "does not know"),
        ({"expires_at": ""}, "no time"),
        ({"expires_at": "soon"}, "no time"),
        ({"expires_at": "2026-03-01T12:15:00"}, "no time"),
    ],
)
def test_a_command_that_cannot_be_followed_is_refused_with_the_reason(changed, why) -> None:
    post = Post()
    post.take(command(**changed))
    assert post.done == []
    assert post.replies[0].result == Result.REFUSED and why in post.replies[0].detail


@pytest.mark.parametrize(
    "changed", [{"kiosk": "utopia/lane-2"}, {"kiosk": ""}, {"id": "a/b"}, {"id": "#"}, {"id": ""}, {"id": "x" * 5000}]
)
def test_what_is_not_for_this_kiosk_or_has_no_id_leaves_no_trace(changed) -> None:
    post = Post()
    post.take(command(**changed))
    assert (post.done, post.replies, post.noted) == ([], [], [])


def test_a_restart_is_done_when_the_kiosk_is_back_and_another_command_was_cut_short() -> None:
    for name, result in (("restart", Result.DONE), ("diagnostics", Result.FAILED)):
        post = Post()
        post.answer = None
        post.take(command(name=name))
        assert post.replies == []
        back = Post(post.noted[-1][1])
        assert [reply.result for reply in back.replies] == [result]
        assert msgspec.json.decode(back.noted[-1][1])["result"] == result


def test_commands_are_carried_out_one_after_the_other() -> None:
    post = Post()
    post.answer = None
    post.take(command(1, "diagnostics"))
    post.take(command(2))
    assert post.done == [command(1).id], "the second is neither refused nor used up"
    post.desk.finish(Result.DONE, "", moment(1), {"health": {}})
    post.answer = (Result.DONE, "fine")
    post.take(command(2))
    assert [reply.id for reply in post.replies] == [command(1).id, command(2).id]


def test_an_answer_that_would_be_too_large_says_so_instead() -> None:
    post = Post()
    post.answer = None
    post.take(command(name="diagnostics"))
    post.desk.finish(Result.DONE, "", moment(0), {"log": ["x" * MAX_REPLY_BYTES]})
    (reply,) = post.replies
    assert reply.result == Result.FAILED and "too large" in reply.detail
    assert len(msgspec.json.encode(reply)) < MAX_REPLY_BYTES


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"counter":"x"}', "null"])
def test_a_note_that_no_landfall_wrote_is_as_none(kept) -> None:
    post = Post(kept)
    post.take(command())
    assert len(post.done) == 1
    assert post.noted[0][0] == KEY


@pytest.mark.parametrize("at", ["", "yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "\0"])
def test_a_receipt_of_a_time_that_is_none_says_nothing_about_commands(at: str) -> None:
    post = Post()
    post.desk.receipted(at)
    post.take(command())
    assert post.results() == [(Result.DONE, "fine")]
