"""What systemd is told of an HTTP server of the centre, on a real datagram socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from central.http_service import HttpService

WITHIN_S = 60


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A service manager that listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(WITHIN_S)
        monkeypatch.setenv("NOTIFY_SOCKET", listening.getsockname())
        yield listening


async def nothing(scope, receive, send) -> None:
    """Answer nobody."""


def service(port: int) -> HttpService:
    return HttpService(uvicorn.Config(nothing, port=port, lifespan="off", log_config=None), "it listens")


def test_a_service_is_ready_when_its_port_listens_and_lives_until_it_is_ended(manager: socket.socket, capsys) -> None:
    running = service(0)
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        assert manager.recv(100) == b"READY=1"
        socket.create_connection(running.servers[0].sockets[0].getsockname(), WITHIN_S).close()
        assert manager.recv(100) == b"WATCHDOG=1"
    finally:
        running.should_exit = True
        thread.join(WITHIN_S)
    assert "<5>it listens\n" in capsys.readouterr().err


def test_a_service_whose_port_is_taken_fails_and_never_says_that_it_is_ready(manager: socket.socket) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(SystemExit) as ended:
        service(other.getsockname()[1]).run()
    assert ended.value.code not in (0, None)
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(100)
