"""Where commands arrive: each is admitted once, noted on disk, carried out, answered.

Owns the rules of admission and the note of the last command in the store; what a command does is given to it. It runs
in the main loop and waits for nothing. Always true: a command is carried out only after its counter is on disk, so that
neither a restart nor a second delivery does it again; one that is not for this kiosk is not even answered; every one
that is taken or refused for the first time is on the audit stream. A kiosk without a clock whose store is new knows
neither the time nor a counter; it waits for the first receipt, whose time is a lower bound of the centre's (ADR 0045).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from edge.events import Moment, StateKept
from edge.wire.commands import MAX_REPLY_BYTES, Command, CommandName, Reply, Result

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
KEY = "command"  # of the note in the store
MOST_DETAIL = 300


class Note(msgspec.Struct, frozen=True):
    """The last command that was noted; it has no `result` while it is carried out."""

    counter: int
    id: str
    name: str
    result: Result | None = None
    detail: str = ""


class Notes(Protocol):
    """What is needed of `edge.recorder.Recorder`."""

    def note(self, key: str, value: str, event: str, **detail: object) -> None: ...


Answer = tuple[Result, str]
Deed = Callable[[Command, Moment], Answer | None]  # None: `finish` will be called later


class CommandDesk:
    """Takes commands one after the other; `reply` sends an answer until the broker has it."""

    def __init__(
        self, kiosk: str, recorder: Notes, reply: Callable[[Reply], None], deeds: Mapping[CommandName, Deed]
    ) -> None:
        self._kiosk, self._recorder, self._reply, self._deeds = kiosk, recorder, reply, deeds
        self._last: Note | None = None
        self._answered: Reply | None = None
        self._waiting: Command | None = None  # for its note
        self._receipted_at: datetime | None = None  # when the centre last signed for this very store

    def store_ready(self, kept: str | None, now: Moment) -> None:
        """Begin with the store's note; a command that a restart ended is done if it was that restart."""
        try:
            self._last = None if kept is None else msgspec.json.decode(kept, type=Note)
        except msgspec.DecodeError:
            self._last = None
        if self._last is not None and self._last.result is None:
            is_it = self._last.name == CommandName.RESTART
            result = Result.DONE if is_it else Result.FAILED
            self.finish(result, "the kiosk has started again" if is_it else "a restart came in between", now)

    def receipted(self, at: str) -> None:
        """Take note of when the centre signed a receipt that this store followed: by now it is later than that."""
        with contextlib.suppress(ValueError, OverflowError):  # of a year that UTC has not
            receipted_at = datetime.fromisoformat(at).astimezone(UTC)
            self._receipted_at = max(receipted_at, self._receipted_at or receipted_at)

    def arrived(self, command: Command, now: Moment) -> None:
        """Take a command that the centre has signed; one that must not be followed is refused."""
        if command.kiosk != self._kiosk or not _ID.fullmatch(command.id) or self._waiting is not None:
            return  # not ours; or one at a time, and the centre will ask again
        last = self._last
        if last is not None and command.id == last.id:
            if last.result is not None:
                self._reply(self._answered or self._answer(last.id, last.result, last.detail, now))
            return
        if last is not None and command.counter <= last.counter:
            self._reply(self._answer(command.id, Result.REFUSED, "a later command was here before", now))
            return
        if last is not None and last.result is None:
            return  # it is still being carried out
        if last is None and now.clock.state == "unset" and self._receipted_at is None:
            return  # it may be as old as anything; the centre will ask again
        if why := _why_not(command, self._not_before(now)):
            self._note(Note(command.counter, command.id, command.name, Result.REFUSED, why), "command_refused")
            self._reply(self._answer(command.id, Result.REFUSED, why, now))
            return
        self._waiting = command
        note = Note(command.counter, command.id, command.name)
        self._recorder.note(KEY, _encode(note), "command_taken", **_facts(note))

    def _not_before(self, now: Moment) -> datetime | None:
        """Return a time that is certainly past, as far as it is known."""
        return self._receipted_at if now.clock.state == "unset" else now.at

    def kept(self, event: StateKept, now: Moment) -> None:
        """Carry out the command whose note is on disk; one that cannot be noted is left to be sent again."""
        command = self._waiting
        if command is None or event.key != KEY:
            return
        note = msgspec.json.decode(event.value, type=Note)
        if note.id != command.id:
            return
        self._waiting = None
        if not event.is_kept:
            return
        self._last, self._answered = note, None
        answer = self._deeds[CommandName(command.name)](command, now)
        if answer is not None:
            self.finish(*answer, now)

    def finish(self, result: Result, detail: str, now: Moment, content: Mapping[str, Any] | None = None) -> None:
        """Say what came of the command that is being carried out."""
        if self._last is None or self._last.result is not None:
            return
        note = msgspec.structs.replace(self._last, result=result, detail=detail[:MOST_DETAIL])
        self._note(note, "command_finished")
        self._answered = self._answer(note.id, result, detail, now, content or {})
        self._reply(self._answered)

    def _note(self, note: Note, event: str) -> None:
        self._last, self._answered = note, None
        self._recorder.note(KEY, _encode(note), event, **_facts(note))

    def _answer(
        self, id: str, result: Result, detail: str, now: Moment, content: Mapping[str, Any] | None = None
    ) -> Reply:
        reply = Reply(id, self._kiosk, result, now.text, detail[:MOST_DETAIL], dict(content or {}))
        if len(msgspec.json.encode(reply)) > MAX_REPLY_BYTES:
            detail = "the answer would be too large; run `landfall diagnose` at the kiosk"
            reply = msgspec.structs.replace(reply, result=Result.FAILED, detail=detail, content={})
        return reply


def _why_not(command: Command, not_before: datetime | None) -> str:
    """Return why a command must not be followed, or nothing; `not_before` is a time that is past."""
    if command.name not in set(CommandName):
        return "this kiosk does not know such a command"
    try:
        expires_at = datetime.fromisoformat(command.expires_at)
        is_late = not_before is not None and not_before > expires_at
    except (ValueError, TypeError):
        return "it has no time at which it expires"
    return "it has expired" if is_late else ""


def _facts(note: Note) -> dict[str, object]:
    """Return what the audit stream says of a command; a name that nobody knows is not repeated."""
    name = note.name if note.name in set(CommandName) else "unknown"
    return {"command": note.id, "name": name, "counter": note.counter, "result": note.result or ""}


def _encode(note: Note) -> str:
    return msgspec.json.encode(note).decode()
