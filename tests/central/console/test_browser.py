"""The console in a real browser: pictures of every page, WCAG 2.1 AA by axe-core, the keyboard, and what moves.

The pictures are kept in ci-output/console, for somebody to look at.
"""

from __future__ import annotations

import math
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import insert

from central import commands, database, incidents, kiosk_settings
from central.alerts.tables import alert
from central.config import ConsoleSettings, FleetSettings
from central.console import accounts, live
from central.console.accounts import By
from central.console.app import console_app
from central.console.rights import Role
from central.console.serve import configuration
from central.database import rfc3339
from central.fleet import history, lease
from central.fleet.centre import WATCHER
from central.fleet.history import Metric
from central.incidents import Incident, Kind
from edge.wire.commands import Reported, SettingInForce
from tests.central.console.harness import PASSWORD, cheap_passwords
from tests.central.fleet.fleet import health_of, put, register, told
from tests.harness.chromium import headless_chromium

pytestmark = pytest.mark.journey

PICTURES = Path(__file__).parents[3] / "ci-output" / "console"
WIDTHS = (390, 1440)
JUDGED = (("light", 1440), ("dark", 390))  # each theme and each width once
HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)</script>"


def furnish(engine) -> None:
    """Put a fleet into the database in which something is wrong, one thing of a kind."""
    now = datetime.now(UTC)
    names = [f"{site}/lane-{lane}" for site in ("calais", "dover", "narita") for lane in (1, 2, 3)]
    register(engine, *names, "zeebrugge/lane-1")
    lost = {"passport": {"state": "lost", "since_s": 900.0, "error": HOSTILE, "losses": 2}}
    waiting = {"crossing": {"unreceipted": 1240, "oldest_at": rfc3339(now - timedelta(hours=5))}}
    losing = health_of("calais/lane-3", now, devices=lost, queue=waiting)
    soon = {"certificate_expires_at": rfc3339(now + timedelta(days=9))}
    expiring = health_of("narita/lane-2", now, keys=soon, version="1.1.4")
    gone_at, silent_at = now - timedelta(hours=3), now - timedelta(minutes=8)
    put(engine, *(told(name, now) for name in names))
    put(
        engine,
        told("dover/lane-1", gone_at, offline_at=gone_at),
        told("dover/lane-2", silent_at),
        told("calais/lane-3", now, losing, queue_trend_per_h=180.0),
        told("narita/lane-2", now, expiring),
    )
    with database.writing(engine) as connection:
        lease.take(connection, WATCHER, "test", now, 3600.0, now - timedelta(days=1))
    fault = {"code": "offline", "scope": "dover/lane-1", "subject": "", "severity": "critical"}
    words = {"what": "The kiosk is not connected.", "remedy": "Ask the post whether it has power."}
    with database.writing(engine) as connection:
        incidents.report(connection, [Incident(Kind.GAP, "calais/lane-3", "crossing", "e", 4711)], rfc3339(now))
        times = {"since": rfc3339(now - timedelta(hours=3)), "opened_at": rfc3339(now - timedelta(hours=3))}
        connection.execute(insert(alert).values(fault | words | times))
        history.put(connection, _a_day_of("calais/lane-3", now))
    order_settings(engine, "calais/lane-3", now)


def order_settings(engine, kiosk: str, now: datetime) -> None:
    """Have settings ordered of a kiosk, which follows some of them."""
    ordered = {"uplink": {"port": 8884}, "lanes": {"left": {"policy": {"show_s": 3, "photo": "wanted"}}}}
    id = commands.issue(engine, kiosk, "settings", {"settings": ordered}, "technician", now - timedelta(hours=1))
    numbers = [(f"lanes.left.policy.{name}_s", "4.0", "4.0") for name in ("collect", "optional", "officer", "refer")]
    in_force = [
        ("kiosk.site", '"calais"', None),
        ("uplink.host", '"broker.centre.example.org"', None),
        ("uplink.port", "8883", "8883"),
        ("lanes.left.policy.show_s", "3.0", "2.0"),
        ("lanes.left.policy.required", '["travel_document", "boarding_pass"]', '["travel_document"]'),
        ("lanes.left.readers.passport.substitutes", '"<img>"', '"?*"'),
        *numbers,
    ]
    said = Reported(kiosk, rfc3339(now), "1.2.0", "ab" * 32, "settled", id, 1, "", {"uplink": {"port": 8884}})
    said = msgspec.structs.replace(said, in_force=tuple(SettingInForce(*one) for one in in_force))
    kiosk_settings.keep(engine, said, now)
    commands.take_reported(engine, said, now)


def _a_day_of(kiosk: str, now: datetime) -> list[dict[str, object]]:
    empty = {"kiosk": kiosk, "resolution_s": 0, **dict.fromkeys(map(str, Metric))}
    return [
        empty
        | {
            "at_s": int((now - timedelta(minutes=minutes)).timestamp()),
            "queue": max(0.0, 1240 - 4 * minutes),
            "latency_s": 0.4 + 0.3 * abs(math.sin(minutes / 90)),
            "temperature_c": 50 + 8 * math.sin(minutes / 200),
        }
        for minutes in range(1, 24 * 60, 5)
        if not 600 < minutes < 660
    ]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """Give a furnished database."""
    made = database.connect(f"sqlite:///{tmp_path_factory.mktemp('console') / 'central.db'}")
    database.upgrade(made)
    furnish(made)
    for role in Role:
        accounts.add(made, role.value, role, PASSWORD, cheap_passwords(), By("test", datetime.now(UTC)))
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def address(engine):
    """Serve the console on a port of its own, on which it is listened before the first page is asked for."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings = ConsoleSettings(port=listening.getsockname()[1])
        app = console_app(engine, settings, FleetSettings(), passwords=cheap_passwords())
        server = uvicorn.Server(configuration(app, settings))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield settings.origins[0]
        app.state.console.live.end()
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def chromium():
    """Start one browser for all tests of this module."""
    with headless_chromium() as browser:
        yield browser


@pytest.fixture
def signed_in(chromium, address):
    """Give pages of people who are signed in, and fail when one of them says anything to the console."""
    contexts, said = [], []

    def open_as(role: str, **options):
        context = chromium.new_context(base_url=address, viewport={"width": 1440, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        page.goto("/sign-in")
        page.fill("#name", role)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url("/")
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert said == []


PAGES = {
    "fleet": ("operator", "/"),
    "filtered": ("operator", "/?state=degraded"),
    "sites": ("operator", "/sites"),
    "kiosk": ("technician", "/kiosk/calais/lane-3"),
    "well": ("technician", "/kiosk/narita/lane-1"),
    "alerts": ("operator", "/alerts"),
    "account": ("auditor", "/account"),
    "audit": ("auditor", "/audit"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_wcag_fault_and_its_picture_is_kept(signed_in, name):
    role, path = PAGES[name]
    look_at(signed_in(role), name, path)


def test_the_sign_in_and_a_refusal_have_no_wcag_fault(chromium, address):
    page = chromium.new_page(base_url=address)
    look_at(page, "sign-in", "/sign-in")
    page.fill("#name", "nobody")
    page.fill("#password", "guess")
    page.press("#password", "Enter")
    page.wait_for_selector("[role=alert]")
    assert faults(page) == []
    page.close()


def look_at(page, name: str, path: str) -> None:
    """Keep pictures of a page in both themes and widths, and find nothing wrong with it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        page.goto(path, wait_until="load")
        if page.locator(".plot").count():
            page.wait_for_selector("canvas")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=PICTURES / f"{name}-{theme}-{width}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"wider than {width} px"
            if (theme, width) in JUDGED:
                assert faults(page) == [], f"{theme}, {width} px"


def faults(page) -> list[str]:
    """Return what axe-core finds against WCAG 2.1 AA, with the element."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    return [f"{one['id']}: {node['html']}" for one in found.response["violations"] for node in one["nodes"]]


FOCUSABLE = "a[href], button, input:not([type=hidden]), select, [tabindex='0']"


@pytest.mark.parametrize("path", ["/", "/kiosk/calais/lane-3", "/alerts"])
def test_the_keyboard_alone_reaches_everything_and_shows_where_it_is(signed_in, path):
    page = signed_in("technician")
    page.goto(path)
    if page.locator("#pulse").count():
        page.wait_for_selector("#pulse.live")
    page.evaluate(f"document.querySelectorAll({FOCUSABLE!r}).forEach((one, n) => one.dataset.n = n)")
    wanted = page.evaluate(
        f"[...document.querySelectorAll({FOCUSABLE!r})].filter((one) => one.checkVisibility()).length"
    )
    reached, hidden = set(), []
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        place = page.evaluate(
            "(() => { const one = document.activeElement; const style = getComputedStyle(one);"
            " return [one.dataset.n, one.outerHTML.slice(0, 80), style.outlineStyle !== 'none'] })()"
        )
        if place[0] is not None:
            reached.add(place[0])
            hidden += [] if place[2] else [place[1]]
    assert (len(reached), hidden) == (wanted, [])


def test_the_keyboard_alone_leads_from_the_fleet_to_the_broken_kiosk(signed_in):
    page = signed_in("operator")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.locator("tr[data-kiosk='dover/lane-1'] th a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("/kiosk/dover/lane-1")
    assert "said goodbye, or the broker lost it" in page.inner_text("main")


def test_the_first_screen_names_the_broken_kiosk_and_the_remedy_without_scrolling(signed_in):
    page = signed_in("operator")
    row = page.locator("tbody tr").first
    words = row.inner_text()
    assert "dover" in words and "lane-1" in words and "Ask the post whether it has power" in words
    box = row.bounding_box()
    assert box["y"] + box["height"] < 900


def test_a_change_comes_to_an_open_page_by_itself_and_leaves_the_focus_where_it_was(signed_in, engine):
    page = signed_in("operator")
    page.wait_for_selector("#pulse.live")
    page.locator("tr[data-kiosk='narita/lane-1'] th a").focus()
    changed = health_of("narita/lane-3", store={"state": "full"})
    put(engine, told("narita/lane-3", datetime.now(UTC), changed))
    page.wait_for_selector("tr[data-kiosk='narita/lane-3'] .what.critical")
    assert page.evaluate("document.activeElement.closest('tr').dataset.kiosk") == "narita/lane-1"
    put(engine, told("narita/lane-3", datetime.now(UTC)))
    page.wait_for_selector("tr[data-kiosk='narita/lane-3'] .standing.ok")


def test_who_was_signed_out_elsewhere_is_told_so_on_the_open_page(signed_in, engine, monkeypatch):
    monkeypatch.setattr(live, "LOOK_AT_SESSION_EVERY", 1)
    page = signed_in("auditor")
    page.wait_for_selector("#pulse.live")
    accounts.disable(engine, "auditor", By("test", datetime.now(UTC)))
    page.wait_for_selector("#pulse.lost")
    assert "Signed out" in page.inner_text("#pulse")
    accounts.enable(engine, "auditor", By("test", datetime.now(UTC)))


def test_the_page_is_whole_without_scripts(signed_in):
    page = signed_in("operator", java_script_enabled=False)
    assert page.locator("tbody tr").count() == 10
    page.locator(".tile.offline").click()
    assert page.locator("tbody tr").count() == 1
    page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_what_a_hostile_kiosk_said_is_text_in_the_browser(signed_in):
    page = signed_in("operator")
    page.goto("/kiosk/calais/lane-3")
    assert HOSTILE in page.inner_text("#devices")
    assert page.locator("#devices img, #devices script").count() == 0


def test_a_chart_follows_the_theme_and_tells_its_figures_in_words(signed_in):
    page = signed_in("operator")
    page.goto("/kiosk/calais/lane-3")
    page.wait_for_selector("canvas")
    assert page.locator("canvas").count() == 3
    pixels = "document.querySelector('canvas').getContext('2d').getImageData(0, 0, 600, 300).data"
    lines = "new Set(Array.from({length: 180000}, (_, n) => [d[4*n], d[4*n+1], d[4*n+2], d[4*n+3] > 200].join())).size"
    assert page.evaluate(f"(() => {{ const d = {pixels}; return {lines} }})()") > 3
    assert "records, now" in page.locator(".plot").first.get_attribute("aria-label")
