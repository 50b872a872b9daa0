"""The verbs `fleet` and `alerts`: what they print, and their exit status."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from central import database, incidents
from central.alerts import ledger, rules
from central.alerts.bell import Bell
from central.cli import main
from central.clock import utc_now
from central.database import rfc3339
from central.fleet.diagnosis import finding
from central.fleet.words import Code
from central.incidents import Incident, Kind
from tests.central.fleet.fleet import health_of, put, register, told, watch

KIOSK = "utopia/lane-1"


@pytest.fixture
def engine(tmp_path):
    """One database: the words are the same on both."""
    engine = database.connect(f"sqlite:///{tmp_path / 'central.db'}")
    database.upgrade(engine)
    register(engine, KIOSK)
    yield engine
    engine.dispose()


@pytest.fixture
def landfall(tmp_path, engine, capsys):
    (tmp_path / "central.toml").write_text("[fleet]\ndatabase_short_below_mb = 1\ndatabase_full_below_mb = 1\n")

    def run(*words):
        status = main([*words, "--config", str(tmp_path / "central.toml")])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_a_fleet_that_is_well_is_one_line_and_status_0(landfall, engine):
    now = utc_now()
    put(engine, told(KIOSK, now))
    watch(engine, now)
    assert landfall("fleet") == (0, "1 kiosks: 1 ok\n", "")


def test_what_is_wrong_is_said_with_what_to_do_within_80_columns(landfall, engine):
    now = utc_now()
    put(engine, told(KIOSK, now, health_of(KIOSK, now, devices={"passport": {"state": "lost"}})))
    watch(engine, now)
    status, out, _ = landfall("fleet")
    assert (status, "The kiosk has lost passport." in out, "plug, cable" in out) == (1, True, True)
    assert max(map(len, out.splitlines())) < 80
    status, out, _ = landfall("fleet", KIOSK, "--json")
    assert (status, json.loads(out)["findings"][0]["code"]) == (1, "device_lost")


def test_a_kiosk_that_nobody_registered_is_an_error_with_a_remedy(landfall):
    status, _, err = landfall("fleet", "utopia/lane-9")
    assert (status, "kiosk list" in err) == (1, True)


def test_who_has_looked_settles_an_incident(landfall, engine):
    now = utc_now()
    put(engine, told(KIOSK, now))
    watch(engine, now)
    with database.writing(engine) as connection:
        incidents.report(connection, [Incident(Kind.TAMPER, KIOSK, "audit", "e", 3)], rfc3339(now))
    assert landfall("fleet")[0] == 1
    assert landfall("fleet", KIOSK, "--settle", "tamper")[0] == 0
    assert landfall("fleet")[0] == 0
    assert landfall("fleet", KIOSK, "--settle", "tamper")[0] == 1
    assert landfall("fleet", "--settle", "tamper")[0] == 2


def test_alerts_are_listed_acknowledged_and_silenced(landfall, engine):
    assert landfall("alerts", "list") == (0, "nothing is alerted\n", "")
    now = utc_now()
    bell = Bell(rules.load(None), [], keep_days=1)
    for at in (now - timedelta(hours=1), now):
        with database.writing(engine) as connection:
            bell.evaluate(connection, {KIOSK: [finding(Code.TAMPER, subject="panel")]}, (), at)
    (alert,) = ledger.open_alerts(engine)
    assert landfall("alerts", "acknowledge", str(alert.id), "--by", "E. Novak")[0] == 0
    status, out, _ = landfall("alerts", "list")
    assert (status, "E. Novak takes care" in out) == (1, True)
    assert landfall("alerts", "silence", "--scope", "utopia/*", "--hours", "2", "--by", "E. Novak")[0] == 0
    assert "silence 1: * of utopia/* until" in landfall("alerts", "list")[1]
    assert landfall("alerts", "lift", "1", "--by", "E. Novak")[0] == 0
    assert landfall("alerts", "lift", "1", "--by", "E. Novak")[0] == 1


@pytest.mark.parametrize("hours", ["0", "-1", "nan", "inf", "9999"])
def test_a_silence_without_a_length_that_makes_sense_is_refused(landfall, hours):
    status, _, error = landfall("alerts", "silence", "--scope", "*", f"--hours={hours}", "--by", "E. Novak")
    assert (status, "--hours must be above 0" in error) == (2, True)
