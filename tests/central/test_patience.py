"""A server hangs up on who never finishes a request, and on nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from central.patience import PatientProtocol

WITHIN_S = 60  # before a test gives up


class Hasty(PatientProtocol):
    within_s = 0.5  # a client on a busy machine may rest between connecting and asking


async def app(scope, receive, send) -> None:
    """Take the whole body, answer after several looks."""
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(3 * Hasty.within_s)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    config = uvicorn.Config(app, port=0, http=Hasty, lifespan="off", log_level="critical", timeout_keep_alive=WITHIN_S)
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started and thread.is_alive():
        thread.join(0.01)
    yield running.servers[0].sockets[0].getsockname()[1]
    running.should_exit = True
    thread.join(WITHIN_S)


def answer_to(port: int, sent: bytes) -> bytes:
    """Return all that comes back until the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), WITHIN_S) as peer:
        peer.sendall(sent)
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := peer.recv(4096):
                found += piece
    return found


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: ",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
    ],
    ids=["nothing", "half a line", "half a head", "half a body"],
)
def test_who_never_finishes_a_request_is_left(port: int, sent: bytes) -> None:
    assert answer_to(port, sent) == b""


def test_a_slow_answer_comes_whole_and_an_idle_connection_ends_after_it(port: int) -> None:
    found = answer_to(port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 200") and found.endswith(b"ok")


def test_half_a_second_request_on_a_connection_is_left_too(port: int) -> None:
    found = answer_to(port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT")
    assert found.count(b"HTTP/1.1 200") == 1
