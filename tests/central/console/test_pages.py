"""The pages of the fleet, of a kiosk and of alerts: what they say, to whom, whatever a kiosk told."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import insert

from central import commands, database, incidents
from central.alerts.tables import alert, silence
from central.console import audit
from central.database import rfc3339
from central.fleet import history
from central.fleet.history import Metric
from central.fleet.words import WORDS, Code
from central.incidents import Incident, Kind
from edge.wire.commands import Reply, Result
from tests.central.console.harness import START
from tests.central.fleet.fleet import health_of, put, register, told, watch


def text_of(answer):
    """Return the words of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def test_an_empty_fleet_says_how_a_kiosk_comes_into_it(console):
    page = text_of(console.browser("operator").get("/"))
    assert "No kiosk is registered yet" in page
    assert "landfall-central kiosk add" in page


def test_the_first_screen_names_the_broken_kiosk_and_what_to_do(console):
    register(console.engine, "utopia/lane-1", "utopia/lane-2")
    put(console.engine, told("utopia/lane-1", START))
    put(console.engine, told("utopia/lane-2", START, offline_at=START))
    page = text_of(console.browser("operator").get("/"))
    assert "1 of 2 kiosks need somebody" in page
    assert WORDS[Code.OFFLINE].what in page and WORDS[Code.OFFLINE].remedy in page
    assert page.index("lane-2") < page.index("lane-1")


def test_a_fleet_without_fault_says_so(console):
    watch(console.engine, START)
    register(console.engine, "utopia/lane-1", "utopia/lane-2")
    for name in ("utopia/lane-1", "utopia/lane-2"):
        put(console.engine, told(name, START))
    page = text_of(console.browser("operator").get("/"))
    assert "All 2 kiosks are well" in page
    assert "No watcher" not in page


@pytest.mark.parametrize("path", ["/", "/sites", "/kiosk/utopia/lane-1", "/alerts"])
def test_every_page_of_the_fleet_says_when_nobody_watches(console, path):
    register(console.engine, "utopia/lane-1")
    assert "No watcher has reported" in text_of(console.browser("operator").get(path))


def test_a_large_fleet_is_shown_page_by_page_and_filtered_by_its_address(console):
    names = [f"utopia/lane-{n:03d}" for n in range(120)]
    register(console.engine, *names)
    browser = console.browser("operator")
    first = browser.get("/?sort=name").text
    assert (first.count("<tr data-kiosk"), "page 1 of 3" in text_of(browser.get("/?sort=name"))) == (50, True)
    assert "lane-119" in browser.get("/?sort=name&amp;page=3".replace("&amp;", "&")).text
    assert "lane-119" in browser.get("/?sort=name&page=99").text
    assert browser.get("/?find=lane-07").text.count("<tr data-kiosk") == 10
    assert "No kiosk fits these filters" in browser.get("/?site=nowhere").text


def test_sites_are_listed_with_those_in_trouble_first(console):
    register(console.engine, "arcadia/1", "utopia/1")
    put(console.engine, told("arcadia/1", START))
    put(console.engine, told("utopia/1", START, offline_at=START))
    page = text_of(console.browser("operator").get("/sites"))
    assert "2 sites" in page and page.index("utopia") < page.index("arcadia")


def test_a_kiosks_page_tells_its_devices_streams_and_what_happened(console):
    register(console.engine, "utopia/lane-1")
    devices = {"passport": {"state": "lost", "error": "no answer", "losses": 3}}
    put(console.engine, told("utopia/lane-1", START, health_of("utopia/lane-1", START, devices=devices)))
    with database.writing(console.engine) as connection:
        incidents.report(connection, [Incident(Kind.GAP, "utopia/lane-1", "crossing", "e", 7)], rfc3339(START))
    page = text_of(console.browser("operator").get("/kiosk/utopia/lane-1"))
    assert "The kiosk has lost passport." in page and "no answer" in page and "3 times" in page
    assert "Gap crossing" in page and "lasts" in page


def test_a_kiosk_that_nobody_registered_has_no_page(console):
    browser = console.browser("operator")
    put(console.engine, told("utopia/stranger", START))
    for path in ("/kiosk/utopia/stranger", "/kiosk/utopia/%3Cscript%3E", "/kiosk/utopia/a%00b", "/kiosk/utopia/x/live"):
        answer = browser.get(path)
        assert answer.status_code == 404
        assert "<script>" not in answer.text


def test_history_is_given_as_figures_with_a_break_where_nothing_was_told(console):
    register(console.engine, "utopia/lane-1")
    at_s = int(START.timestamp())
    row = {"kiosk": "utopia/lane-1", "resolution_s": 0, **dict.fromkeys(map(str, Metric))}
    samples = [row | {"at_s": at_s - back_s, "queue": 3.0} for back_s in (3600, 3540, 60)]
    with database.writing(console.engine) as connection:
        history.put(connection, samples)
    browser = console.browser("operator")
    figures = json.loads(browser.get("/kiosk/utopia/lane-1/history?span=24h").text)
    assert figures["queue"] == [
        [at_s - 3600, at_s - 3540, at_s - 3480, at_s - 60],
        [3.0, 3.0, None, 3.0],
    ]
    assert figures["temperature_c"] == [[], []]
    assert "3 to 3 records, last 3" in text_of(browser.get("/kiosk/utopia/lane-1"))


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\u202e\0{{ 7 * 7 }}" + "A" * 1_000_000


@pytest.mark.parametrize(
    "sections",
    [
        {"version": HOSTILE},
        {"devices": {HOSTILE: {"state": HOSTILE}, "passport": {"state": "lost", "error": HOSTILE, "losses": "many"}}},
        {"devices": [1, 2], "queue": "x", "store": None, "clock": 7, "uplink": [], "machine": "x", "keys": {"a": []}},
        {"store": {"state": "full", "error": HOSTILE, "free_bytes": -1e308, "hours_left": "NaN"}},
        {"clock": {"state": HOSTILE, "boottime_s": 1e308}, "settings_sha256": HOSTILE},
        {"machine": {"model": HOSTILE, "throttled": [HOSTILE] * 1000, "cpu_celsius": 1e400, "uptime_s": True}},
        {"queue": {"crossing": {"unreceipted": 10**400}}},
    ],
    ids=["version", "devices", "wrong types", "store", "clock", "machine", "number"],
)
def test_a_hostile_kiosk_is_shown_as_text_and_breaks_no_page(console, sections):
    register(console.engine, "utopia/lane-1", "utopia/lane-2")
    put(console.engine, told("utopia/lane-1", START, health_of("utopia/lane-1", START, **sections)))
    put(console.engine, told("utopia/lane-2", START))
    browser = console.browser("operator")
    for path in ("/", "/kiosk/utopia/lane-1", "/sites", "/alerts"):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert (
            "<script>alert" not in answer.text
            and "<img" not in answer.text
            and "49" not in re.findall(r"\{\{.*?\}\}", answer.text)
        )
        assert len(answer.text) < 100_000
    assert "lane-2" in browser.get("/").text


@pytest.fixture
def alerted(console):
    register(console.engine, "utopia/lane-1")
    row = {
        "code": str(Code.OFFLINE),
        "scope": "utopia/lane-1",
        "subject": "",
        "severity": "critical",
        "what": "The kiosk <b>is</b> away.",
        "remedy": "Ask the post.",
        "since": rfc3339(START - timedelta(minutes=5)),
        "opened_at": rfc3339(START),
    }
    with database.writing(console.engine) as connection:
        connection.execute(insert(alert).values(row))
        over = {"code": str(Code.SILENT), "what": "It was silent.", "closed_at": rfc3339(START)}
        connection.execute(insert(alert).values(row | over))
    return console


def last_deed(console):
    with database.reading(console.engine) as connection:
        (entry,) = audit.page(connection, before=None, size=1)
    return entry.actor, entry.action, entry.subject, entry.detail


def test_alerts_are_acknowledged_by_name_and_written_down(alerted):
    browser = alerted.browser("operator")
    page = browser.get("/alerts")
    assert "1 alert" in text_of(page) and "&lt;b&gt;is&lt;/b&gt;" in page.text and "It was silent." in page.text
    assert browser.post("/alerts/acknowledge", {"id": "1"}).headers["location"] == "/alerts"
    assert "operator takes care of it" in text_of(browser.get("/alerts"))
    assert last_deed(alerted) == ("operator", "alert acknowledged", "1", "")


def test_alerts_are_silenced_for_a_while_and_heard_again(alerted):
    browser = alerted.browser("technician")
    silenced = {"code": "offline", "scope": "utopia/lane-1", "hours": "8"}
    assert browser.post("/alerts/silence", silenced).status_code == 303
    assert "No alerts" in text_of(browser.get("/alerts")) and "by technician" in text_of(browser.get("/alerts"))
    assert last_deed(alerted)[1:3] == ("alerts silenced", "utopia/lane-1")
    assert browser.post("/alerts/lift", {"id": "1"}).status_code == 303
    assert "1 alert" in text_of(browser.get("/alerts"))


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/alerts/acknowledge", {"id": "99"}),
        ("/alerts/acknowledge", {"id": "<script>"}),
        ("/alerts/acknowledge", {"id": "9" * 400}),
        ("/alerts/silence", {"code": "x", "scope": "utopia/lane-1", "hours": "8"}),
        ("/alerts/silence", {"code": "offline", "scope": "utopia/lane-1", "hours": "99999"}),
        ("/alerts/silence", {"code": "offline", "scope": "", "hours": "8"}),
        ("/alerts/lift", {"id": "5"}),
    ],
    ids=str,
)
def test_a_form_that_makes_no_sense_changes_nothing_and_says_why(alerted, path, fields):
    before = last_deed(alerted)
    browser = alerted.browser("operator")
    answer = browser.post(path, fields)
    assert answer.status_code == 400 and "<script>" not in answer.text
    assert last_deed(alerted)[1] in ("signed in", before[1]) or last_deed(alerted)[1].endswith(": refused")


@pytest.mark.parametrize("path", ["/alerts/acknowledge", "/alerts/silence", "/alerts/lift"])
def test_an_auditor_looks_at_alerts_and_tends_none(alerted, path):
    browser = alerted.browser("auditor")
    assert "I take care of it" not in browser.get("/alerts").text
    answer = browser.post(path, {"id": "1", "code": "offline", "scope": "utopia/lane-1", "hours": "8"})
    assert answer.status_code == 403 and "operator or technician" in answer.text
    with database.reading(alerted.engine) as connection:
        assert connection.execute(silence.select()).all() == []


@pytest.mark.parametrize("path", ["/", "/sites", "/kiosk/utopia/lane-1", "/alerts", "/audit"])
def test_nothing_is_shown_to_who_is_not_signed_in(console, path):
    register(console.engine, "utopia/lane-1")
    assert console.browser().get(path).status_code == 303


@pytest.mark.parametrize("path", ["/live", "/kiosk/utopia/lane-1/live", "/kiosk/utopia/lane-1/history"])
def test_streams_and_figures_are_refused_to_who_is_not_signed_in(console, path):
    register(console.engine, "utopia/lane-1")
    assert console.browser().get(path).status_code == 401


@pytest.mark.parametrize("name", ["identify", "diagnostics", "restart"])
def test_a_technician_asks_a_kiosk_and_it_is_written_down(console, name):
    register(console.engine, "utopia/lane-1")
    browser = console.browser("technician")
    asked = browser.post("/kiosk/utopia/lane-1/command", {"name": name})
    assert asked.headers["location"] == "/kiosk/utopia/lane-1#commands"
    (issued,) = commands.list_commands(console.engine)
    assert (issued.kiosk, issued.name, issued.by) == ("utopia/lane-1", name, "technician")
    assert last_deed(console) == ("technician", f"command {name}", "utopia/lane-1", "")
    assert "Waits for a collector" in text_of(browser.get("/kiosk/utopia/lane-1"))
    assert "Asked by technician" in text_of(browser.get(f"/kiosk/utopia/lane-1/command/{issued.id}"))
    assert browser.get("/kiosk/utopia/lane-1/command/x").status_code == 404


def test_what_diagnostics_bring_and_what_they_do_not_is_said(console):
    register(console.engine, "utopia/lane-1")
    browser = console.browser("technician")
    browser.post("/kiosk/utopia/lane-1/command", {"name": "diagnostics"})
    (issued,) = commands.list_commands(console.engine)
    for path in ("/kiosk/utopia/lane-1", f"/kiosk/utopia/lane-1/command/{issued.id}"):
        page = text_of(browser.get(path))
        assert "the last lines of" in page and "landfall diagnose writes at the kiosk" in page


def test_settings_are_tried_as_they_were_typed(console):
    register(console.engine, "utopia/lane-1")
    browser = console.browser("technician")
    typed = {"name": "settings", "settings": "[camera]\nphoto_kb = 30\n", "trial_s": "300"}
    assert browser.post("/kiosk/utopia/lane-1/command", typed).status_code == 303
    (issued,) = commands.list_commands(console.engine)
    assert issued.arguments == {"settings": {"camera": {"photo_kb": 30}}, "trial_s": 300.0}
    assert last_deed(console)[3] == '{"camera":{"photo_kb":30}}'


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "rewind"},
        {"name": "<script>"},
        {"name": "settings", "settings": "x =", "trial_s": "300"},
        {"name": "settings", "settings": "x = 2026-03-01", "trial_s": "9"},
        {"name": "settings", "settings": "x = nan\ny = inf", "trial_s": "soon"},
        {"name": "settings", "settings": "x = " + "[" * 5000, "trial_s": "300"},
    ],
    ids=lambda fields: f"{fields['name']} {fields.get('settings', '')[:15]}",
)
def test_a_command_that_makes_no_sense_is_not_asked(console, fields):
    register(console.engine, "utopia/lane-1")
    answer = console.browser("technician").post("/kiosk/utopia/lane-1/command", fields)
    assert answer.status_code == 400 and "<script>" not in answer.text
    assert commands.list_commands(console.engine) == []


@pytest.mark.parametrize("role", ["auditor", "operator"])
def test_commands_are_for_technicians(console, role):
    register(console.engine, "utopia/lane-1")
    browser = console.browser(role)
    assert "Restart its daemon" not in browser.get("/kiosk/utopia/lane-1").text
    assert browser.post("/kiosk/utopia/lane-1/command", {"name": "restart"}).status_code == 403
    assert commands.list_commands(console.engine) == []


def test_what_a_hostile_kiosk_answers_is_text(console):
    register(console.engine, "utopia/lane-1")
    id = commands.issue(console.engine, "utopia/lane-1", "diagnostics", {}, "technician", START)
    content = {"<script>alert(1)</script>": HOSTILE[:2000], "numbers": [1] * 5000}
    reply = Reply(id, "utopia/lane-1", Result.DONE, rfc3339(START), "<img src=x>", content)
    commands.take_reply(console.engine, reply, START)
    browser = console.browser("operator")
    for path in ("/kiosk/utopia/lane-1", f"/kiosk/utopia/lane-1/command/{id}"):
        page = browser.get(path)
        assert page.status_code == 200 and "<script>alert" not in page.text and "<img" not in page.text
