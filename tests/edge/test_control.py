"""The local socket: a real one, with friends and others at its other end."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge import control
from edge.control import PEERS, ControlAsked, ControlServer, ask
from edge.errors import LandfallError


class Daemon:
    """Answers requests as the main loop does; `asked` are those that came."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[ControlAsked] = []
        self.answer: Callable[[ControlAsked], dict | None] = lambda asked: {"verb": asked.verb, **asked.arguments}
        self.server = ControlServer(path, self._take)

    def _take(self, asked: ControlAsked) -> None:
        self.asked.append(asked)
        answer = self.answer(asked)
        if answer is not None:
            asked.reply(answer)

    def say(self, raw: bytes, *, hang_up: bool = True) -> bytes:
        """Send bytes to the socket and return what comes back."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.settimeout(10)
            peer.connect(str(self.path))
            try:
                peer.sendall(raw)
                if hang_up:
                    peer.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            return peer.makefile("rb").read()


@pytest.fixture
def daemon(tmp_path, monkeypatch) -> Iterator[Daemon]:
    """A daemon behind a socket; an unexpected error in any of its threads fails the test."""
    died: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: died.append(repr(arguments.exc_value)))
    serving = Daemon(tmp_path / "control.sock")
    serving.server.start()
    yield serving
    serving.server.stop()
    for thread in threading.enumerate():
        if thread.name.startswith("control"):
            thread.join(timeout=60)
    assert died == []


def test_a_question_is_answered(daemon) -> None:
    assert ask(daemon.path, "status", a=1) == {"verb": "status", "a": 1}


def test_many_ask_at_once_and_each_gets_its_own_answer(daemon) -> None:
    answers: dict[int, dict] = {}
    threads = [
        threading.Thread(target=lambda n=n: answers.update({n: ask(daemon.path, "status", number=n)}))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert {n: answer["number"] for n, answer in answers.items()} == {n: n for n in range(20)}


def test_a_refusal_is_an_error_with_its_words(daemon) -> None:
    daemon.answer = lambda asked: {"error": f"unknown verb {asked.verb!r}"}
    with pytest.raises(LandfallError, match="the kiosk refused: unknown verb 'dance'"):
        ask(daemon.path, "dance")


def test_only_the_owner_and_the_group_get_at_the_socket(daemon) -> None:
    assert stat.S_IMODE(os.stat(daemon.path).st_mode) == 0o660


def test_a_stranger_is_turned_away(daemon, monkeypatch) -> None:
    monkeypatch.setattr(control, "_is_welcome", lambda peer: False)
    with pytest.raises(LandfallError, match="not allowed"):
        ask(daemon.path, "status")
    assert daemon.asked == []


@pytest.mark.parametrize(
    "raw",
    [
        b"\n",
        b"[]\n",
        b"null\n",
        b"5\n",
        b'{"verb":\n',
        b"\xff\xfe\n",
        b'{"verb":"\xff"}\n',
        b'{"a":' + b"[" * 60_000 + b"\n",
        b"x" * 64 * 1024,
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_what_is_no_request_is_answered_with_a_sentence_and_harms_nobody(raw, daemon) -> None:
    assert json.loads(daemon.say(raw)) == {"error": "a request is one JSON object on one line"}
    assert daemon.asked == []
    assert ask(daemon.path, "status") == {"verb": "status"}


def test_a_request_without_a_verb_is_for_the_daemon_to_refuse(daemon) -> None:
    daemon.say(b'{"a":1}\n')
    assert (daemon.asked[0].verb, daemon.asked[0].arguments) == ("", {"a": 1})


def test_somebody_who_connects_and_leaves_harms_nobody(daemon) -> None:
    for _ in range(5):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.connect(str(daemon.path))
    assert ask(daemon.path, "status") == {"verb": "status"}


def test_a_daemon_that_is_stuck_is_said_to_be(daemon, monkeypatch) -> None:
    monkeypatch.setattr(control, "ANSWER_S", 0.05)
    daemon.answer = lambda asked: None
    assert json.loads(daemon.say(b'{"verb":"status"}\n', hang_up=False)) == {
        "error": "the daemon did not answer in time"
    }


def test_a_kiosk_that_does_not_run_is_said_with_what_to_do(tmp_path) -> None:
    with pytest.raises(
        LandfallError, match=r"no kiosk answers on .*control\.sock .*; is it running\? systemctl status"
    ):
        ask(tmp_path / "control.sock", "status")


def test_a_socket_that_is_left_over_is_taken_over(tmp_path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as old:
        old.bind(str(path))
    daemon = Daemon(path)
    daemon.server.start()
    try:
        assert ask(path, "status") == {"verb": "status"}
    finally:
        daemon.server.stop()
    assert not path.exists()


def test_a_socket_that_cannot_be_made_is_said_with_what_to_do(tmp_path) -> None:
    server = ControlServer(tmp_path / "missing" / "control.sock", lambda asked: None)
    with pytest.raises(LandfallError, match=r"control\.sock: .*; check control\.socket in kiosk\.toml"):
        server.start()
    server.stop()


@pytest.mark.parametrize("answer", [b"not JSON\n", b"[]\n", b"\xff\n", b""])
def test_something_else_behind_the_socket_is_no_kiosk(answer, tmp_path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(path))
        other.listen()

        def reply() -> None:
            peer, _ = other.accept()
            with peer:
                peer.recv(1024)
                peer.sendall(answer)

        thread = threading.Thread(target=reply)
        thread.start()
        with pytest.raises(LandfallError, match=r"is no kiosk|hung up"):
            ask(path, "status")
        thread.join(timeout=60)


def test_peers_that_never_finish_their_question_keep_nobody_out(daemon, monkeypatch) -> None:
    monkeypatch.setattr(control, "ANSWER_S", 1.0)
    with contextlib.ExitStack() as slow:
        peers = [slow.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) for _ in range(PEERS)]
        for peer in peers:
            peer.connect(str(daemon.path))
            peer.sendall(b'{"verb":')
        assert ask(daemon.path, "status") == {"verb": "status"}


def test_serving_goes_on_after_there_were_too_many_open_files(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(control, "RETRY_S", 0.01)
    refused: list[int] = []

    class Crowded(socket.socket):
        def accept(self):  # type: ignore[no-untyped-def]
            if len(refused) < 2 * PEERS:
                refused.append(errno.EMFILE)
                raise OSError(errno.EMFILE, "Too many open files")
            return super().accept()

    monkeypatch.setattr(control.socket, "socket", Crowded)
    serving = Daemon(tmp_path / "control.sock")
    serving.server.start()
    assert ask(serving.path, "status") == {"verb": "status"}
    serving.server.stop()
    for thread in threading.enumerate():
        if thread.name.startswith("control"):
            thread.join(timeout=60)
