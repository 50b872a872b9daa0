"""The console as a process: ready when systemd is told so, and gone at SIGTERM though pages are live."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from central import database
from central.console import accounts
from central.console.accounts import By
from central.console.rights import Role
from provisioning.local_broker import reserve_port
from tests.central.console.harness import PASSWORD, START, cheap_passwords

WITHIN_S = 60


@pytest.fixture
def process(tmp_path):
    """Start the console as its unit does, and give it with its port."""
    engine = database.connect(f"sqlite:///{tmp_path / 'central.db'}")
    database.upgrade(engine)
    accounts.add(engine, "operator", Role.OPERATOR, PASSWORD, cheap_passwords(), By("test", START))
    engine.dispose()
    reserved = reserve_port()
    port = reserved.getsockname()[1]
    (tmp_path / "central.toml").write_text(f"[console]\nport = {port}\n")
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(str(tmp_path / "notify"))
    told.settimeout(WITHIN_S)
    arguments = [sys.executable, "-m", "central.cli", "console", "--config", str(tmp_path / "central.toml")]
    with (tmp_path / "log").open("wb") as log:
        started = subprocess.Popen(
            arguments, stdout=log, stderr=log, env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        )
    try:
        assert told.recv(100) == b"READY=1"
        yield started, port, told, tmp_path / "log"
    finally:
        started.kill()
        started.wait()
        told.close()
        reserved.close()


@pytest.mark.journey
def test_it_is_ready_lives_and_ends_with_its_streams(process):
    started, port, told, log = process
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    connection.request("GET", "/sign-in")
    page = connection.getresponse()
    cookie = page.headers["set-cookie"].split(";")[0]
    token = page.read().decode().split('name="form_token" value="')[1][:64]
    form = f"form_token={token}&name=operator&password={PASSWORD.replace(' ', '+')}"
    headers = {
        "cookie": cookie,
        "origin": f"http://127.0.0.1:{port}",
        "content-type": "application/x-www-form-urlencoded",
    }
    connection.request("POST", "/sign-in", form, headers)
    entered = connection.getresponse()
    entered.read()
    assert entered.status == 303
    connection.request("GET", "/live", headers={"cookie": entered.headers["set-cookie"].split(";")[0]})
    stream = connection.getresponse()
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.readline().startswith(b"data: {")
    assert told.recv(100) == b"WATCHDOG=1"

    started.send_signal(signal.SIGTERM)
    until_s = time.monotonic() + WITHIN_S
    while started.poll() is None and time.monotonic() < until_s:
        stream.readline()
    assert started.wait(WITHIN_S) == 0
    said = log.read_text()
    assert "fault" not in said and PASSWORD not in said and "operator" not in said
