"""What `landfall status` shows: 80 columns, trouble in words, nothing that steers a terminal."""

from __future__ import annotations

import json

import msgspec
import pytest

from edge.health import Survey, Vitals, health
from edge.status_screen import print_status
from edge.wire.health import KeysHealth, MachineHealth
from tests.edge.lane import moment
from tests.edge.test_health import Head

MACHINE = MachineHealth(
    cpu_celsius=84.2,
    throttled=("under_voltage",),
    throttled_since_boot=("under_voltage", "soft_temperature_limit"),
    memory_free_bytes=1_203_200_000,
    card_life_used_percent=90,
    uptime_s=200_000.0,
    boots=41,
    last_end="interrupted",
)


@pytest.fixture(autouse=True)
def _screen_of_80_columns(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def status(vitals: Vitals) -> dict:
    """Return what a daemon answers."""
    heads = {name: Head(next_sequence=12_345_678, bytes=987_654_321) for name in ("crossing", "audit", "evidence")}
    lanes = {"left": ("ready", "ready", "")}
    figures = health("dm-portsmouth/ferry-terminal-gate-01", "0.1.0", vitals, lanes, heads, moment(9e5))
    return json.loads(msgspec.json.encode(figures))


def shown(capsys, vitals: Vitals) -> str:
    """Return what was printed, checked to fit."""
    print_status(status(vitals))
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    return text


def test_a_kiosk_in_trouble_fits_a_screen_and_says_what_is_wrong(capsys) -> None:
    vitals = Vitals(survey=Survey(MACHINE, KeysHealth(certificate_expires_at="2026-03-20T00:00:00Z"), 2, 30.0))
    vitals.device(
        "passport-reader-left", "lost", moment(8e5), "no device at /dev/serial/by-id/usb-Access-IS_OCR315e-if00"
    )
    vitals.device("panel", "ready", moment(8e5))
    vitals.case("panel", is_open=True)
    vitals.uplink(False, "the broker's certificate is not valid: self-signed certificate [/in] chain", moment(8.9e5))
    vitals.troubles["broker_refused_quota_exceeded"] += 3
    vitals.free_bytes = 900_000_000
    vitals.commits_s.append(0.0314)
    text = shown(capsys, vitals)
    words = " ".join(text.split())
    assert "Uplink disconnected 3 h" in words and "[/in]" in words
    assert "broker_refused_quota_exceeded: 3" in words
    assert "damaged files: 2" in words and "a commit takes 31 ms" in words
    assert "Room 900 MB free, for 1 d at this pace (little)" in words
    assert "the certificate on 2026-03-20, in 8 days" in words
    assert "84 °C" in words and "UNDER_VOLTAGE now" in words and "soft_temperature_limit since the boot" in words
    assert "Boots 41, the one before ended: interrupted, up 2 d" in words
    assert "case OPEN" in words and "lost" in words and "lane ready" in words


def test_a_kiosk_that_has_just_begun_shows_no_line_for_what_it_does_not_know(capsys) -> None:
    text = shown(capsys, Vitals())
    assert "Receipt   none since the start" in text
    assert not [word for word in ("Machine", "Boots", "Expires", "None", "Unset") if word in text]


def test_a_certificate_that_is_out_of_date_is_shouted(capsys) -> None:
    vitals = Vitals(survey=Survey(MachineHealth(), KeysHealth(certificate_expires_at="2026-03-01T00:00:00Z")))
    assert "EXPIRED on 2026-03-01; renew it" in " ".join(shown(capsys, vitals).split())


def test_an_open_group_is_shown_with_its_count(capsys) -> None:
    ferry = {"kind": "vessel", "name": "L'Express des Iles\x1b[2J", "number": "9074729"}
    group = {"lane": "left", "group": "g", "count": 57, "expected": 120, "conveyance": ferry}
    print_status({**status(Vitals()), "groups": [group, {**group, "expected": None, "conveyance": None}]})
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines() if line.startswith("Group")]
    assert lines == [
        r"Group left: 57 of 120 crossings, vessel L'Express des Iles\x1b[2J 9074729",
        "Group left: 57 crossings",
    ]


def test_the_crossings_that_can_still_be_named_are_shown_with_what_can_be_said_of_them(capsys) -> None:
    crossing = {"lane": "left", "crossing": "3f9a1c", "id": "0198c5b0-7a31-7c1e-b5a2-77d1c03f9a1c"}
    form = {**crossing, "crossing": "77d1c0", "words": ["void_form"]}
    print_status({**status(Vitals()), "crossings": [{**crossing, "words": ["decide", "void"]}, form]})
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines() if line.startswith("Crossing ")]
    assert lines == [
        "Crossing left: 3f9a1c waits for a decision, can be voided",
        "Crossing left: 77d1c0 is a form that can be voided",
    ]
