"""Card, network, clock and supply: what is measured, and from when on it is not good enough."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from edge.accept import machine
from edge.accept.card import MOST_BYTES, SYNCS, CardSpeed, measure_card
from edge.accept.machine import machine_steps
from edge.errors import StoreError
from edge.wire.acceptance import Finding, Verdict
from tests.edge.accept.scene import Lane, scene, settings


def made(folder: Path, name: str, kiosk: Lane | None = None, port: int = 9) -> Finding:
    """Make one step and return its first finding."""
    here = scene(settings(folder, port=port), kiosk or Lane())[0]
    step = next(step for step in machine_steps(here) if step.name == name)
    return next(iter(step.do()))


def test_the_card_is_measured_and_nothing_is_left_on_it(tmp_path: Path) -> None:
    speed = measure_card(tmp_path, 0)
    assert speed.syncs == SYNCS
    assert 0 <= speed.sync_p50_ms <= speed.sync_p95_ms
    assert speed.write_mb_s > 0
    assert list(tmp_path.iterdir()) == []


def test_a_card_that_hangs_is_known_well_enough_after_a_while(tmp_path: Path) -> None:
    times = iter(range(0, 100_000, 10))
    assert measure_card(tmp_path, 0, lambda: next(times)).syncs == 1


def test_a_card_without_room_is_not_filled_to_measure_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="too little to try"):
        measure_card(tmp_path, 1 << 62)
    assert MOST_BYTES < 10_000_000


@pytest.mark.parametrize(
    ("p95_ms", "mb_s", "verdict"),
    [(12.0, 18.0, Verdict.OK), (350.0, 18.0, Verdict.WARN), (12.0, 1.5, Verdict.WARN), (2500.0, 18.0, Verdict.FAILED)],
)
def test_a_slow_card_names_a_better_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, p95_ms: float, mb_s: float, verdict: Verdict
) -> None:
    monkeypatch.setattr(machine, "measure_card", lambda *_: CardSpeed(64, 8.0, p95_ms, mb_s))
    found = made(tmp_path, "card")
    assert found.verdict is verdict
    assert found.measured == {"sync_p50_ms": 8.0, "sync_p95_ms": p95_ms, "write_mb_s": mb_s}
    assert ("class A1" in found.remedy) is (verdict is not Verdict.OK)


def test_a_network_that_is_not_there_says_what_to_plug_in(tmp_path: Path) -> None:
    with socket.create_server(("localhost", 0)) as server:
        port = server.getsockname()[1]
        assert made(tmp_path, "network", port=port).verdict is Verdict.OK
    found = made(tmp_path, "network", port=port)
    assert found.verdict is Verdict.FAILED
    assert "plug in the cable" in found.remedy


SUPPLIES: dict[str, tuple[dict[str, Any], Verdict, str]] = {
    "good": ({"throttled": [], "throttled_since_boot": []}, Verdict.OK, ""),
    "low now": ({"throttled": ["under_voltage"]}, Verdict.FAILED, "thick cable"),
    "low before": ({"throttled": [], "throttled_since_boot": ["under_voltage"]}, Verdict.WARN, "thick cable"),
    "not told": ({}, Verdict.WARN, "pins 4 and 6"),
}


@pytest.mark.parametrize(("said", "verdict", "remedy"), SUPPLIES.values(), ids=SUPPLIES.keys())
def test_a_weak_supply_names_its_remedy(tmp_path: Path, said: dict[str, Any], verdict: Verdict, remedy: str) -> None:
    found = made(tmp_path, "supply", Lane(machine=said))
    assert found.verdict is verdict
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("state", "verdict"),
    [("synchronised", Verdict.OK), ("holdover", Verdict.WARN), ("unset", Verdict.FAILED)],
)
def test_the_clock_is_what_the_daemon_says_of_it(tmp_path: Path, state: str, verdict: Verdict) -> None:
    found = made(tmp_path, "clock", Lane(clock={"state": state, "error_bound_s": 0.012}))
    assert found.verdict is verdict
