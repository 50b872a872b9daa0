"""A TCP relay between a client and the broker that a test can make cut, hold, delay or slow what passes.

TLS goes through untouched; the relay sees bytes, as a bad network does.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from enum import Enum
from types import TracebackType

CHUNK = 4096


class Way(Enum):
    """A direction, seen from the client."""

    UP = "up"
    DOWN = "down"


class Proxy:
    """Relays 127.0.0.1:`port` to 127.0.0.1:`target`; a context manager that leaves no thread behind.

    `delay_s` delays each chunk, `rate` limits bytes a second (None: no limit); both may be changed at any time.
    """

    def __init__(self, target: int, *, delay_s: float = 0.0, rate: float | None = None) -> None:
        self.delay_s = delay_s
        self.rate = rate
        self.passed = dict.fromkeys(Way, 0)
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = {way: threading.Event() for way in Way}
        for event in self._open.values():
            event.set()
        self._refusing = threading.Event()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closing = False

    def __enter__(self) -> Proxy:
        self._run(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        for way in Way:
            self.release(way)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in list(self._threads):
            thread.join(timeout=60)

    def hold(self, way: Way) -> None:
        """Let nothing pass in one direction until `release`; the connection stays open."""
        self._open[way].clear()

    def release(self, way: Way) -> None:
        """Let pass again, with what was held."""
        self._open[way].set()

    def cut(self) -> None:
        """Reset every connection at once; what was held is lost."""
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for one in sockets:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def refuse(self, is_refusing: bool = True) -> None:
        """Refuse new connections, or take them again."""
        self._refusing.set() if is_refusing else self._refusing.clear()

    def _run(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing.is_set():
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=60)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._sockets |= {client, server}
            self._run(self._relay, client, server, Way.UP)
            self._run(self._relay, server, client, Way.DOWN)

    def _relay(self, source: socket.socket, sink: socket.socket, way: Way) -> None:
        """Take what comes; another thread hands it on when its time has come."""
        on_its_way: queue.Queue[tuple[float, bytes]] = queue.Queue(maxsize=64)
        self._run(self._deliver, on_its_way, source, sink, way)
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK):
                if self.rate:
                    time.sleep(len(chunk) / self.rate)
                on_its_way.put((time.monotonic() + self.delay_s, chunk))
        on_its_way.put((0.0, b""))

    def _deliver(
        self, on_its_way: queue.Queue[tuple[float, bytes]], source: socket.socket, sink: socket.socket, way: Way
    ) -> None:
        is_broken = False
        while True:
            due_s, chunk = on_its_way.get()
            if not chunk:
                break
            if is_broken:
                continue
            time.sleep(max(0.0, due_s - time.monotonic()))
            self._open[way].wait()
            try:
                sink.sendall(chunk)
                self.passed[way] += len(chunk)
            except OSError:
                is_broken = True
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
