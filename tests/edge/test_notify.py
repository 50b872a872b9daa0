"""Signs of life for systemd, on a real datagram socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from edge.notify import Systemd


@pytest.fixture
def manager(tmp_path) -> Iterator[socket.socket]:
    """A service manager that listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        yield listening


def test_assignments_arrive_in_one_datagram_each_on_its_line(manager) -> None:
    Systemd({"NOTIFY_SOCKET": manager.getsockname()}).notify("READY=1", "STATUS=open")
    assert manager.recv(1024) == b"READY=1\nSTATUS=open"


def test_an_abstract_socket_is_spelt_with_an_at_sign() -> None:
    name = f"landfall-notify-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(5)
        Systemd({"NOTIFY_SOCKET": f"@{name}"}).notify("WATCHDOG=1")
        assert listening.recv(1024) == b"WATCHDOG=1"


def test_without_systemd_nothing_happens() -> None:
    nobody = Systemd({})
    nobody.notify("READY=1")
    assert nobody.watchdog_s is None


def test_a_manager_that_restarts_stops_nobody(tmp_path) -> None:
    Systemd({"NOTIFY_SOCKET": str(tmp_path / "gone")}).notify("WATCHDOG=1")


def test_a_manager_that_does_not_read_stops_nobody(manager) -> None:
    """The socket's queue fills up, and the loop must go on."""
    systemd = Systemd({"NOTIFY_SOCKET": manager.getsockname()})
    for _ in range(2000):
        systemd.notify("WATCHDOG=1")


@pytest.mark.parametrize(
    ("environment", "watchdog_s"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": ""}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_ours_only_when_systemd_says_so(environment, watchdog_s) -> None:
    assert Systemd(environment).watchdog_s == watchdog_s
