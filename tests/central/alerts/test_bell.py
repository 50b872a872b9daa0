"""From a finding to the outbox, in the database; acknowledging and silencing."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from central import database
from central.alerts import ledger, outbox, rules
from central.alerts.bell import Bell
from central.fleet.diagnosis import finding
from central.fleet.words import Code
from edge.errors import LandfallError
from tests.central.fleet.fleet import NOW

RULES = """
[[rule]]
codes = ["tamper"]
open_after_s = 0
close_after_s = 0
[[rule]]
codes = ["gap"]
open_after_s = 0
close_after_s = 0
to = ["mail"]
"""
KIOSK = "utopia/lane-1"


class Ringing:
    """A bell with both channels, at a real database."""

    def __init__(self, engine) -> None:
        self.engine = engine
        self.bell = Bell(rules.parse(RULES, "test.toml"), ["webhook", "mail"], keep_days=30)
        self.now = NOW

    def ring(self, *codes, kiosks=True, seconds=0):
        self.now += timedelta(seconds=seconds)
        findings = {KIOSK: [finding(code) for code in codes]} if kiosks else None
        with database.writing(self.engine) as connection:
            return self.bell.evaluate(connection, findings, (), self.now)

    def due(self, channel, seconds=0):
        with database.reading(self.engine) as connection:
            return outbox.due(connection, channel, self.now + timedelta(seconds=seconds))


@pytest.fixture
def ringing(engine):
    return Ringing(engine)


def test_an_alert_and_what_tells_of_it_are_written_together(ringing, engine):
    assert ringing.ring(Code.TAMPER) == (1, 0)
    (alert,) = ledger.open_alerts(engine)
    assert (alert.code, alert.scope, alert.since, alert.told_at) == (Code.TAMPER, KIOSK, NOW, NOW)
    for channel in ("webhook", "mail"):
        said = json.loads(ringing.due(channel).body)
        assert [(one["id"], one["code"]) for one in said["opened"]] == [(alert.id, "tamper")]


def test_a_rule_may_choose_its_channel(ringing):
    ringing.ring(Code.GAP)
    assert ringing.due("webhook") is None
    assert ringing.due("mail") is not None


def test_what_is_over_is_told_and_remembered(ringing, engine):
    ringing.ring(Code.TAMPER)
    assert ringing.ring(seconds=1) == (0, 1)
    assert ledger.open_alerts(engine) == []
    assert [(one.code, one.closed_at) for one in ledger.past_alerts(engine)] == [(Code.TAMPER, ringing.now)]
    assert ringing.ring(Code.TAMPER, seconds=1) == (1, 0)


def test_while_nobody_hears_the_kiosks_their_alerts_stay_as_they_are(ringing, engine):
    ringing.ring(Code.TAMPER)
    assert ringing.ring(kiosks=False, seconds=3600) == (0, 0)
    assert [one.gone_at for one in ledger.open_alerts(engine)] == [None]


def test_a_message_that_is_not_delivered_is_put_off_longer_and_longer_and_given_up_after_a_day(ringing, engine):
    ringing.ring(Code.GAP)
    now, pauses = ringing.now, []
    while (letter := ringing.due("mail", seconds=(now - ringing.now).total_seconds())) is not None:
        with database.writing(engine) as connection:
            will_be_tried = outbox.failed(connection, letter, "answered 503", now)
        if not will_be_tried:
            break
        before = now
        while ringing.due("mail", seconds=(now - ringing.now).total_seconds()) is None:
            now += timedelta(seconds=max(1, pauses[-1] if pauses else 1))
        pauses.append((now - before).total_seconds())
    assert not will_be_tried
    assert pauses == sorted(pauses)
    assert (pauses[0], max(pauses)) == (2.0, 1024.0)
    assert ringing.due("mail", seconds=10 * 86_400) is None


def test_what_was_sent_is_not_sent_again(ringing, engine):
    ringing.ring(Code.GAP)
    with database.writing(engine) as connection:
        outbox.sent(connection, ringing.due("mail"), ringing.now)
    assert ringing.due("mail", seconds=86_400) is None


def test_who_takes_care_stays_with_the_alert(ringing, engine):
    ringing.ring(Code.TAMPER)
    (alert,) = ledger.open_alerts(engine)
    ledger.acknowledge(engine, alert.id, "E. Novak", NOW)
    ringing.ring(Code.TAMPER, seconds=5)
    (alert,) = ledger.open_alerts(engine)
    assert (alert.acknowledged_by, alert.acknowledged_at) == ("E. Novak", NOW)


def test_a_silence_says_who_and_until_when_and_can_be_lifted(ringing, engine):
    until = NOW + timedelta(hours=2)
    number = ledger.silence_until(engine, "tamper", "utopia/*", "E. Novak", until, NOW)
    (silence,) = ledger.silences(engine, NOW)
    assert (silence.id, silence.made_by, silence.until) == (number, "E. Novak", until)
    assert ringing.ring(Code.TAMPER) == (0, 0)
    ledger.lift(engine, number, "E. Novak", NOW)
    assert ledger.silences(engine, NOW) == []
    assert ringing.ring(Code.TAMPER, seconds=1) == (1, 0)


def test_a_wrong_number_code_name_or_end_is_refused(engine):
    later = NOW + timedelta(hours=1)
    for call in (
        lambda: ledger.acknowledge(engine, 99, "E. Novak", NOW),
        lambda: ledger.lift(engine, 99, "E. Novak", NOW),
        lambda: ledger.silence_until(engine, "tampr", "*", "E. Novak", later, NOW),
        lambda: ledger.silence_until(engine, "*", "*", " \n", later, NOW),
        lambda: ledger.silence_until(engine, "*", "*", "E. Novak", NOW, NOW),
    ):
        with pytest.raises(LandfallError):
            call()


def test_what_ended_long_ago_is_forgotten(ringing, engine):
    ringing.ring(Code.GAP)
    ringing.ring(seconds=1)
    with database.writing(engine) as connection:
        for _ in range(2):
            outbox.sent(connection, outbox.due(connection, "mail", ringing.now), ringing.now)
        ringing.bell.forget(connection, NOW + timedelta(days=29))
    assert len(ledger.past_alerts(engine)) == 1
    with database.writing(engine) as connection:
        ringing.bell.forget(connection, NOW + timedelta(days=31))
    assert ledger.past_alerts(engine) == []
