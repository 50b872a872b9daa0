"""What is asked of the running kiosk, over a control socket: the cursor, the lease, and a daemon that starts anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.accept.running import LEASE_S, RENEW_S, RunningKiosk
from edge.control import ControlAsked, ControlServer
from edge.errors import LandfallError
from edge.recent import Recent
from hw.devices import CaseClosed, CaseOpened
from tests.edge.lane import moment


class Daemon:
    """Answers on a socket; `recent` is its memory, and a new one is a new start."""

    def __init__(self, path: Path) -> None:
        self.path, self.recent = path, Recent()
        self.leases: list[float] = []
        self.server = ControlServer(path, self.take)
        self.server.start()

    def take(self, asked: ControlAsked) -> None:
        if asked.verb == "recent":
            asked.reply(self.recent.after(asked.arguments["after"]))
        elif asked.verb == "practice":
            self.leases.append(asked.arguments["for_s"])
            asked.reply({"practice": True})
        else:
            asked.reply({"error": "unknown verb"})


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path / "control.sock")
    yield daemon
    daemon.server.stop()


def test_each_happening_is_seen_once_and_what_was_not_looked_at_is_seen_later(daemon: Daemon) -> None:
    kiosk = RunningKiosk(daemon.path)
    daemon.recent.take(CaseOpened("panel"), moment())
    kiosk.forget()
    for event in (CaseClosed("panel"), CaseOpened("panel")):
        daemon.recent.take(event, moment())
    assert next(iter(kiosk.happenings()))["what"] == "case_closed"
    assert [one["what"] for one in kiosk.happenings()] == ["case_opened"]
    assert list(kiosk.happenings()) == []


def test_a_daemon_that_starts_anew_is_heard_from_its_first_happening_on(daemon: Daemon) -> None:
    kiosk = RunningKiosk(daemon.path)
    for _ in range(3):
        daemon.recent.take(CaseOpened("panel"), moment())
    kiosk.forget()
    daemon.recent = Recent()
    daemon.recent.take(CaseClosed("panel"), moment())
    assert [one["what"] for one in kiosk.happenings()] == ["case_closed"]


def test_practice_is_renewed_while_somebody_looks_and_ended_once(daemon: Daemon) -> None:
    now_s = [0.0]
    kiosk = RunningKiosk(daemon.path, lambda: now_s[0])
    kiosk.begin_practice()
    list(kiosk.happenings())
    now_s[0] = RENEW_S
    list(kiosk.happenings())
    list(kiosk.happenings())
    kiosk.end_practice()
    now_s[0] = 10 * RENEW_S
    list(kiosk.happenings())
    assert daemon.leases == [LEASE_S, LEASE_S, 0]


def test_a_kiosk_that_is_gone_is_said_where_it_matters_and_nowhere_else(tmp_path: Path) -> None:
    now_s = [0.0]
    kiosk = RunningKiosk(tmp_path / "control.sock", lambda: now_s[0])
    kiosk.keep_practising_quietly()
    kiosk.end_practice()
    with pytest.raises(LandfallError, match="no kiosk answers"):
        kiosk.begin_practice()
