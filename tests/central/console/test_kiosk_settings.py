"""A kiosk's page shows the settings that it runs with, beside what was ordered and what is usual."""

from __future__ import annotations

import re

import pytest

from central import commands, kiosk_settings
from edge.wire.commands import Reported, SettingInForce
from tests.central.console.harness import START
from tests.central.console.test_pages import HOSTILE, text_of
from tests.central.fleet.fleet import health_of, put, register, told

KIOSK = "utopia/lane-1"
IN_FORCE = (
    SettingInForce("uplink.host", '"broker.example"', None),
    SettingInForce("uplink.port", "8884", "8883"),
    SettingInForce("lanes.left.policy.show_s", "3.0", "2.0"),
    SettingInForce("uplink.health_s", "30.0", "30.0"),
)


@pytest.fixture
def page(console):
    """Return what shows the kiosk's page after a report."""
    register(console.engine, KIOSK)

    def show(*in_force: SettingInForce, **more) -> str:
        more = {"state": "local", "in_force": in_force} | more
        said = Reported(KIOSK, "2026-03-01T12:00:00.000Z", "0.1.0", "ab" * 32, **more)
        kiosk_settings.keep(console.engine, said, START)
        return console.browser("auditor").get(f"/kiosk/{KIOSK}")

    return show


def row(answer, key: str) -> list[str]:
    """Return the cells of a setting's row."""
    pattern = rf"<tr><th scope=\"row\"><code>{re.escape(key)}</code></th>(.*?)</tr>"
    (found,) = re.findall(pattern, answer.text, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in found.split("</td>")[:-1]]


def test_a_kiosk_that_never_reported_says_so(console):
    register(console.engine, KIOSK)
    assert "has not reported its settings" in text_of(console.browser("auditor").get(f"/kiosk/{KIOSK}"))


def test_what_differs_from_its_default_stands_before_the_rest(page):
    answer = page(*IN_FORCE)
    assert row(answer, "uplink.port") == ["8884", "8883", ""]
    assert row(answer, "uplink.host")[1] == "must be given"
    assert row(answer, "uplink.health_s") == ["30.0"]
    assert "At their defaults: 1" in text_of(answer)
    assert "The centre never ordered other settings" in text_of(answer)


def test_what_was_ordered_stands_beside_what_is_in_force(console, page):
    arguments = {"settings": {"uplink": {"port": 9}, "lanes": {"left": {"policy": {"show_s": 3}}}, "x": {"y": 1}}}
    id = commands.issue(console.engine, KIOSK, "settings", arguments, "technician", START)
    answer = page(*IN_FORCE, state="rolled_back", id=id, detail="the centre was not reached within 300 s")
    assert "by technician, 2026-03-01 12:00:00 UTC: waits for a collector" in text_of(answer)
    assert row(answer, "uplink.port") == ["8884", "8883", "9 not in force"]
    assert row(answer, "lanes.left.policy.show_s") == ["3.0", "2.0", "3"]
    assert row(answer, "x.y") == ["–", "–", "1 not in force"]


def test_settings_of_an_earlier_order_are_marked(page):
    answer = page(*IN_FORCE, settings={"uplink": {"port": 8884}})
    assert row(answer, "uplink.port")[2] == "by an earlier order"


def test_health_that_names_other_settings_says_that_these_are_old(console, page):
    put(console.engine, told(KIOSK, START, health_of(KIOSK, START, settings_sha256="cd" * 32)))
    assert "Its health names other settings than these" in text_of(page(*IN_FORCE))
    console.clock.pass_time(30)
    later = console.clock.now
    put(console.engine, told(KIOSK, later, health_of(KIOSK, later, settings_sha256="ab" * 32)))
    assert "Its health names other settings" not in text_of(page(*IN_FORCE))


def test_hostile_settings_are_shown_as_text(page):
    answer = page(SettingInForce("uplink.port", HOSTILE, HOSTILE), SettingInForce(HOSTILE, "1", None), detail=HOSTILE)
    assert answer.status_code == 200 and len(answer.text) < 100_000
    assert (
        "<script>alert" not in answer.text and "<img" not in answer.text and "49" not in row(answer, "uplink.port")[0]
    )
