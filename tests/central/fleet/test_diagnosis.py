"""Every code: when it is said, and that its words tell somebody who never saw it what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from central.config import FleetSettings
from central.database import rfc3339
from central.fleet import centre
from central.fleet.diagnosis import Context, KioskState, OpenIncident, Standing, diagnose, finding, standing_of
from central.fleet.words import WORDS, Code, Severity
from central.incidents import Kind
from tests.central.fleet.fleet import NOW, health_of, told

K = "utopia/lane-1"
LIMITS = FleetSettings()
CONTEXT = Context(NOW, LIMITS, "1.2.0", NOW - timedelta(days=30))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def said(**sections):
    return told(K, said=health_of(K, **sections))


def device(state, **fields):
    return said(devices={"cam-1": {"state": state} | fields})


def machine(**figures):
    return said(machine=figures)


def expires(in_):
    return said(keys={"certificate_expires_at": rfc3339(NOW + in_)})


STATES = {
    "never heard": (KioskState(K), [Code.NEVER_HEARD]),
    "well": (told(K), []),
    "said goodbye": (told(K, offline_at=NOW), [Code.OFFLINE]),
    "silent": (told(K, NOW - 2 * MINUTE), [Code.SILENT]),
    "heard lately": (told(K, NOW - MINUTE), []),
    "offline and silent": (told(K, NOW - DAY, offline_at=NOW - HOUR), [Code.OFFLINE]),
    "back after a goodbye": (told(K, NOW, offline_at=NOW - HOUR), []),
    "device lost": (device("lost"), [Code.DEVICE_LOST]),
    "lane closed": (device("lane closed"), [Code.LANE_CLOSED]),
    "case open": (device("ready", case="open"), [Code.TAMPER]),
    "door forced": (device("ready", door="forced"), [Code.DOOR_FORCED]),
    "door held open": (device("ready", door="held_open"), [Code.DOOR_HELD_OPEN]),
    "store closed": (said(store={"state": "closed", "error": "I/O error"}), [Code.STORE_CLOSED]),
    "disk full": (said(store={"state": "full"}), [Code.DISK_FULL]),
    "disk short": (said(store={"state": "no_photos"}), [Code.DISK_SHORT]),
    "damaged files": (said(store={"damaged_files": 2}), [Code.STORE_DAMAGED]),
    "room for hours": (
        said(queue={"crossing": {"unreceipted": 5}}, store={"hours_left": 7}),
        [Code.QUEUE_FULL_SOON],
    ),
    "room for hours, nothing waits": (said(store={"hours_left": 7}), []),
    "oldest waits": (
        said(queue={"crossing": {"unreceipted": 5, "oldest_at": rfc3339(NOW - 5 * HOUR)}}),
        [Code.QUEUE_OLD],
    ),
    "queue grows": (
        replace(said(queue={"crossing": {"unreceipted": 900}}), queue_trend_per_h=400.0),
        [Code.QUEUE_GROWING],
    ),
    "queue grew and is gone": (replace(said(), queue_trend_per_h=400.0), []),
    "offline, oldest waits": (
        replace(said(queue={"crossing": {"unreceipted": 5, "oldest_at": rfc3339(NOW - 5 * HOUR)}}), offline_at=NOW),
        [Code.OFFLINE],
    ),
    "clock unset": (replace(said(clock={"state": "unset"}), clock_offset_s=-1e9), [Code.CLOCK_UNSET]),
    "clock off": (replace(told(K), clock_offset_s=-61.0), [Code.CLOCK_OFF]),
    "clock stopped": (said(clock={"state": "stopped"}), [Code.CLOCK_STOPPED]),
    "certificate expires": (expires(29 * DAY), [Code.CERTIFICATE_EXPIRES]),
    "certificate expired": (expires(-DAY), [Code.CERTIFICATE_EXPIRED]),
    "under-voltage": (
        machine(throttled=["under_voltage"], throttled_since_boot=["under_voltage"]),
        [Code.UNDER_VOLTAGE],
    ),
    "under-voltage before": (machine(throttled_since_boot=["under_voltage"]), [Code.WAS_UNDER_VOLTAGE]),
    "too hot": (machine(cpu_celsius=84.0), [Code.OVERHEATING]),
    "slows down": (machine(throttled=["soft_temperature_limit"]), [Code.OVERHEATING]),
    "card worn": (machine(card_life_used_percent=80), [Code.CARD_WORN]),
    "card worn out": (machine(card_end_of_life="urgent", card_life_used_percent=90), [Code.CARD_WORN_OUT]),
    "card at its end": (machine(card_life_used_percent=110), [Code.CARD_WORN_OUT]),
    "power cut": (machine(last_end="interrupted"), [Code.INTERRUPTED]),
    "version behind": (said(version="1.1.10"), [Code.VERSION_BEHIND]),
    "version ahead": (said(version="1.10.0"), []),
    "uplink trouble": (said(uplink={"troubles": {"receipt refused": 3}}), [Code.UPLINK_TROUBLE]),
}


@pytest.mark.parametrize(("state", "codes"), STATES.values(), ids=STATES.keys())
def test_what_is_said_of_a_kiosk(state, codes):
    assert [one.code for one in diagnose(state, (), CONTEXT)] == codes


INCIDENTS = {
    Kind.FORK: Code.FORK,
    Kind.GAP: Code.GAP,
    Kind.TOMBSTONE: Code.TOMBSTONE,
    Kind.QUARANTINE: Code.QUARANTINE,
    Kind.NEW_EPOCH: Code.NEW_EPOCH,
    Kind.ROLLED_BACK: Code.ROLLED_BACK,
    Kind.CUT_TAIL: Code.CUT_TAIL,
    Kind.REJECTED: Code.REFUSED,
    Kind.CENTRE_RESTORED: Code.CENTRE_RESTORED,
    Kind.HEALTH: Code.HEALTH_SPOILED,
    Kind.FLOOD: Code.FLOOD,
    Kind.TOO_MANY_EPOCHS: Code.TOO_MANY_EPOCHS,
    Kind.TAMPER: Code.TAMPER,
    Kind.DOOR_FORCED: Code.DOOR_FORCED,
    Kind.SETTINGS_ROLLED_BACK: Code.SETTINGS_ROLLED_BACK,
}


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_incident_is_a_finding(kind):
    noticed = OpenIncident(kind, "crossing", "", 1, NOW, NOW)
    (one,) = diagnose(told(K), [noticed], CONTEXT)
    assert (one.code, one.since) == (INCIDENTS[kind], NOW)


def test_a_forgery_of_yesterday_is_no_fault_of_today_but_a_fork_is():
    old = [OpenIncident(kind, "crossing", "", 1, NOW - DAY, NOW - 2 * HOUR) for kind in (Kind.REJECTED, Kind.FORK)]
    assert [one.code for one in diagnose(told(K), old, CONTEXT)] == [Code.FORK]


def test_incidents_of_one_kind_and_stream_are_said_once():
    many = [OpenIncident(Kind.TOMBSTONE, "crossing", "", 1, NOW - n * HOUR, NOW) for n in range(500)]
    (one,) = diagnose(told(K), many, CONTEXT)
    assert (one.since, "500 times" in one.what) == (NOW - 499 * HOUR, True)


def test_the_worst_comes_first():
    sick = said(
        devices={"mrz": {"state": "lost"}},
        store={"state": "full"},
        version="1.0",
        machine={"throttled": ["under_voltage"]},
    )
    codes = [one.code for one in diagnose(sick, (), CONTEXT)]
    assert codes == [Code.DISK_FULL, Code.DEVICE_LOST, Code.UNDER_VOLTAGE, Code.VERSION_BEHIND]


@pytest.mark.parametrize(
    ("state", "standing"),
    [
        (KioskState(K), Standing.UNKNOWN),
        (told(K), Standing.OK),
        (said(version="1.0"), Standing.OK),  # worth knowing, no fault
        (device("lost"), Standing.DEGRADED),
        (told(K, NOW - HOUR), Standing.SILENT),
        (told(K, offline_at=NOW), Standing.OFFLINE),
    ],
    ids=["unknown", "ok", "notice", "degraded", "silent", "offline"],
)
def test_one_word_says_how_a_kiosk_stands(state, standing):
    assert standing_of(diagnose(state, (), CONTEXT)) == standing


def test_a_state_says_since_when_it_holds_by_the_centres_clock():
    lost = said(devices={"mrz": {"state": "lost", "since_s": 400.0}}, clock={"boottime_s": 1000.0})
    (one,) = diagnose(lost, (), CONTEXT)
    assert one.since == NOW - timedelta(seconds=600)


def test_of_a_kiosks_own_words_only_names_of_devices_get_into_a_sentence():
    word = "ERIKSSON"
    sick = said(
        version=word,
        store={"state": "closed", "error": word},
        devices={"mrz": {"state": "lost", "error": word}},
        machine={"last_end": word, "card_end_of_life": word, "throttled": [word]},
        uplink={"troubles": {word: 1}, "reason": word},
    )
    noticed = [OpenIncident(Kind.TOMBSTONE, "crossing", word, 1, NOW, NOW)]
    assert word not in str(diagnose(sick, noticed, CONTEXT))


@pytest.mark.parametrize("code", Code)
def test_every_code_has_one_sentence_what_is_wrong_and_one_what_to_do(code):
    severity, what, remedy = WORDS[code]
    assert isinstance(severity, Severity)
    for sentence in (what, remedy):
        assert re.fullmatch(r"[A-Z{][^.!?]*(\.[^ ][^.!?]*)*\.", sentence), sentence
    one = finding(code, subject="mrz", value="7")
    assert "{" not in one.what + one.remedy


def test_every_code_is_said_of_something():
    of_kiosks = {code for _, codes in STATES.values() for code in codes} | set(INCIDENTS.values())
    of_centre = {one.code for one in centre_findings()} | {Code.SITE_SILENT}
    assert of_kiosks | of_centre == set(Code)


def centre_findings():
    figures = [
        centre.Figures(),
        centre.Figures(watcher_seen_at=NOW - HOUR, watcher_until=NOW - HOUR),
        centre.Figures(watcher_seen_at=NOW, watcher_until=NOW + HOUR),
        centre.Figures(disk_free_bytes=1000, receipts_late_s=600.0, untold=3),
        centre.Figures(disk_free_bytes=1_000_000_000, backup_at=NOW - 2 * DAY),
    ]
    return [one for some in figures for one in centre.diagnose(some, NOW, LIMITS)]


def test_what_is_said_of_the_centre():
    watched = centre.Figures(watcher_seen_at=NOW, watcher_until=NOW + MINUTE, watched_from=NOW - DAY)
    assert centre.diagnose(watched, NOW, LIMITS) == []
    assert [one.code for one in centre_findings()] == [
        Code.NOBODY_WATCHES,
        Code.NOBODY_WATCHES,
        Code.BROKER_LOST,
        Code.NOBODY_WATCHES,
        Code.RECEIPTS_LATE,
        Code.DATABASE_FULL,
        Code.NOT_TOLD,
        Code.NOBODY_WATCHES,
        Code.DATABASE_SHORT,
        Code.BACKUP_OLD,
    ]
