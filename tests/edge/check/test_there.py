"""What a check finds on the way to the centre."""

from __future__ import annotations

import dataclasses
import socket
import threading
from collections.abc import Iterator

import msgspec
import pytest

from edge.check.line import State
from edge.check.there import check_way
from edge.uplink.link import Endpoint
from edge.wiring import endpoint
from tests.edge.test_credentials import provisioned


@pytest.fixture
def place(tmp_path) -> Endpoint:
    return endpoint(provisioned(tmp_path), "utopia/lane-1")


def at(place: Endpoint, host: str, port: int) -> Endpoint:
    return dataclasses.replace(place, host=host, port=port, connect_timeout_s=2.0)


@pytest.fixture
def mute_port() -> Iterator[int]:
    """A port behind which somebody hangs up on whoever speaks."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                peer.recv(1)
                peer.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def found(place: Endpoint, daemon: dict | None = None) -> list[tuple[str, State]]:
    lines = list(check_way(place, daemon))
    assert all(line.remedy for line in lines if line.state is not State.OK)
    return [(line.what, line.state) for line in lines]


def test_a_name_that_nobody_knows_ends_the_way(place) -> None:
    assert found(at(place, "nowhere.invalid", 8883)) == [("name", State.FAILED)]


def test_a_port_on_which_nobody_listens_ends_the_way(place) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert found(at(place, "localhost", unused.getsockname()[1])) == [("name", State.OK), ("port", State.FAILED)]


def test_somebody_who_speaks_no_tls_ends_the_way(place, mute_port) -> None:
    names = [("name", State.OK), ("port", State.OK), ("TLS", State.FAILED)]
    assert found(at(place, "localhost", mute_port)) == names


def test_every_line_can_be_json(place) -> None:
    lines = list(check_way(at(place, "nowhere.invalid", 8883), None))
    assert msgspec.json.decode(msgspec.json.encode(lines))[0]["state"] == "failed"
