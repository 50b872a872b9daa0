"""An MQTT 5 broker that takes nothing: it says "quota exceeded" (PUBACK 0x97) to every PUBLISH with QoS 1.

No broker that can be installed here says so of its own accord. It knows just the packets that a kiosk sends.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from pathlib import Path
from types import TracebackType

QUOTA_EXCEEDED = 0x97


class StingyBroker:
    """Listens on 127.0.0.1:`port` with the certificate in `folder`; a context manager. `refused` counts PUBLISHes."""

    def __init__(self, folder: Path, port: int) -> None:
        self.refused = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "broker.crt", folder / "broker.key")
        self._listener = socket.create_server(("127.0.0.1", port))
        self._clients: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> StingyBroker:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._listener, *self._clients):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(timeout=60)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with self._context.wrap_socket(client, server_side=True) as peer, peer.makefile("rb") as stream:
                self._clients.append(peer)
                while header := stream.read(1):
                    body = stream.read(_length(stream))
                    if (answer := self._answer(header[0], body)) is None:
                        return
                    peer.sendall(answer)
        except (OSError, ValueError):
            return

    def _answer(self, header: int, body: bytes) -> bytes | None:
        match header >> 4:
            case 1:
                return bytes((0x20, 3, 0, 0, 0))  # CONNACK, success, no properties
            case 8:
                return bytes((0x90, 3 + body[3:].count(b"/+"), *body[:2], 0, *[1] * body[3:].count(b"/+")))
            case 12:
                return bytes((0xD0, 0))
            case 3 if header & 0x06 == 0x02:
                size = int.from_bytes(body[:2])
                mid = body[2 + size : 4 + size]
                if b"/stream/" not in body[2 : 2 + size]:
                    return bytes((0x40, 2, *mid))
                self.refused += 1
                return bytes((0x40, 3, *mid, QUOTA_EXCEEDED))
            case _:
                return None


def _length(stream: object) -> int:
    """Read a variable byte integer (MQTT 5, 1.5.5)."""
    value, shift = 0, 0
    while True:
        (byte,) = stream.read(1)  # type: ignore[attr-defined]
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value
        shift += 7
