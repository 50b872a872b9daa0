"""The local Unix socket through which the command line reaches the running daemon.

Owns the socket and its protocol: one JSON object a line in, one JSON object a line out, `{"verb": "status"}`. Always
true: only root, the daemon's own user and its group get in (the socket's mode, and peer credentials besides); a
request is answered by the main loop, so what it says is the state of one moment.
"""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from edge.errors import LandfallError

MAX_REQUEST_BYTES = 64 * 1024
ANSWER_S = 5.0
RETRY_S = 1.0
PEERS = 16  # are served at once; others wait in line, and cost neither a thread nor a file
_PEER = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class ControlAsked:
    """Somebody on this machine asks; `reply` takes the answer and may be called from any thread, once."""

    verb: str
    arguments: dict[str, Any] = field(repr=False)  # what an officer keys in is a traveller's
    reply: Callable[[dict[str, Any]], None] = field(repr=False)
    is_root: bool = False


class ControlServer:
    """Serves the socket from a fixed number of threads; each request becomes a `ControlAsked`."""

    def __init__(self, path: Path, put: Callable[[ControlAsked], None]) -> None:
        self._path = path
        self._put = put
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._is_stopped = threading.Event()

    def start(self) -> None:
        """Bind the socket (mode 0660) and begin to serve; raise `LandfallError` when that is not possible."""
        try:
            self._path.unlink(missing_ok=True)
            old = os.umask(0o117)
            try:
                with _short(self._path) as path:
                    self._socket.bind(path)
            finally:
                os.umask(old)
            self._socket.listen()
        except OSError as error:
            raise LandfallError(
                f"control socket {self._path}: {error.strerror or error}", remedy="check control.socket in kiosk.toml"
            ) from None
        for number in range(1, PEERS + 1):
            threading.Thread(target=self._serve, name=f"control {number}", daemon=True).start()

    def stop(self) -> None:
        """Close the socket and remove its file."""
        self._is_stopped.set()
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:  # closed, or there are too many open files just now
                if self._is_stopped.wait(RETRY_S):
                    return
                continue
            self._answer(peer)

    def _answer(self, peer: socket.socket) -> None:
        with peer:
            peer.settimeout(ANSWER_S)
            try:
                line = _read_line(peer)  # first of all, so that a stranger can read the answer before we hang up
                if not _is_welcome(peer):
                    peer.sendall(b'{"error":"not allowed"}\n')
                    return
                request = msgspec.json.decode(line, type=dict[str, Any])
                answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
                self._put(ControlAsked(str(request.pop("verb", "")), request, answers.put, _uid_of(peer) == 0))
                answer = answers.get(timeout=ANSWER_S)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                answer = {"error": "a request is one JSON object on one line"}
            except queue.Empty:
                answer = {"error": "the daemon did not answer in time"}
            except OSError:
                return
            try:
                peer.sendall(msgspec.json.encode(answer) + b"\n")
            except OSError:
                pass


def ask(path: Path, verb: str, **arguments: object) -> dict[str, Any]:
    """Ask the daemon behind this socket; raise `LandfallError` when it does not run or refuses."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as daemon:
            daemon.settimeout(2 * ANSWER_S)
            with _short(path) as short:
                daemon.connect(short)
            daemon.sendall(msgspec.json.encode({"verb": verb, **arguments}) + b"\n")
            line = _read_line(daemon, most=16 * 1024 * 1024)
    except OSError as error:
        raise LandfallError(
            f"no kiosk answers on {path} ({error.strerror or error})",
            remedy="is it running? systemctl status landfall-kiosk",
        ) from None
    try:
        answer = msgspec.json.decode(line, type=dict[str, Any]) if line else {"error": "the daemon hung up"}
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise LandfallError(
            f"what answers on {path} is no kiosk", remedy="check control.socket in kiosk.toml"
        ) from None
    if "error" in answer:
        raise LandfallError(f"the kiosk refused: {answer['error']}")
    return answer


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """Yield a name of the path that fits into a socket address, which holds 107 bytes (unix(7))."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _read_line(peer: socket.socket, most: int = MAX_REQUEST_BYTES) -> bytes:
    """Return one line; the whole of it must come within the peer's time-out."""
    timeout_s = peer.gettimeout() or 0.0
    until_s = time.monotonic() + timeout_s
    line = bytearray()
    while not line.endswith(b"\n") and len(line) < most:
        peer.settimeout(max(0.001, until_s - time.monotonic()))
        part = peer.recv(65536)
        if not part:
            break
        line += part
    peer.settimeout(timeout_s)
    return bytes(line)


def _uid_of(peer: socket.socket) -> int:
    return _PEER.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))[1]


def _is_welcome(peer: socket.socket) -> bool:
    _, uid, gid = _PEER.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return uid in (0, os.getuid()) or gid == os.getgid()
