"""What 5,000 kiosks cost the centre, and how soon people see what they say: `python -m bench fleet_health`.

A real mosquitto, two `landfall-central run`, one `watch` and one `console`, first on SQLite, then on PostgreSQL (whose
syncs are left out); one process that speaks for all kiosks over one TLS connection (`bench.peers.kiosks`; what as many
connections cost a broker is `bench.fleet`'s); and Chromium, signed in. Once every kiosk was heard it is measured for a
minute: CPU time and memory of each process of the centre, what passes from a kiosk's message to the next frame in
which the open overview shows it, first contentful paint of the overview in a browser that has nothing cached, and a
scrape as Prometheus asks for it. Everything runs on the one machine, the kiosks and the browser too.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from joserfc.jwk import OKPKey
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import func, insert, make_url, select

from bench.peers.kiosks import CROSSINGS_PER_S, HEALTH_EVERY_S, Told, name_of, new_keys
from bench.processes import Usage, children, usage
from bench.row import Row
from central import database
from central.database import rfc3339
from central.fleet.tables import fleet_kiosk
from central.tables import kiosk_key
from provisioning.local_broker import reserve_port
from provisioning.local_deployment import LocalDeployment, wait_until
from tests.central.console.harness import PASSWORD
from tests.harness.chromium import headless_chromium
from tests.harness.postgres import new_database, postgres

KIOSKS, QUICK_KIOSKS = 5_000, 300
MEASURED_S, QUICK_MEASURED_S = 60.0, 15.0
LOOK_EVERY_S, SCRAPE_EVERY = 5.0, 3  # one new browser each 5 s, one scrape each 15 s
FIRST_PAINT_BAR_S, VISIBLE_BAR_S = 1.0, 2.0
WITHIN_S = 120.0
READY = ("collector ready", "collector ready", "watcher ready", "the console is at")
AS_PROMETHEUS = {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"}

# Notes when a frame shows another count in the queue of a kiosk; how fast it grows stands behind it, in an element.
WATCH_ROWS = """() => {
  window.shown = [];
  const body = document.getElementById("rows"), before = new Map();
  const look = () => {
    for (const row of body.rows) {
      const count = row.querySelector(".queue").firstChild.textContent.trim(), name = row.dataset.kiosk;
      if (before.get(name) === count) continue;
      before.set(name, count);
      window.shown.push([name, Number(count), Date.now() / 1000]);
    }
  };
  new MutationObserver(() => requestAnimationFrame(look)).observe(body, { childList: true, subtree: true });
}"""
FIRST_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def run(quick: bool) -> list[Row]:
    """Watch a fleet on either database."""
    keys = new_keys(QUICK_KIOSKS if quick else KIOSKS)
    measured_s = QUICK_MEASURED_S if quick else MEASURED_S
    with ExitStack() as stack:
        browser = stack.enter_context(headless_chromium())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rows = _measured(folder / "sqlite", f"sqlite:///{folder}/centre.db", None, keys, measured_s, browser)
        server = stack.enter_context(postgres())
        postmaster = int(
            (Path(str(make_url(server).query["host"])) / "cluster" / "postmaster.pid").read_text().split()[0]
        )
        url = stack.enter_context(new_database(server))
        return rows + _measured(folder / "postgresql", url, postmaster, keys, measured_s, browser)


def _measured(
    folder: Path, url: str, postmaster: int | None, keys: list[dict[str, Any]], measured_s: float, browser: Browser
) -> list[Row]:
    deployment = LocalDeployment(folder, database=url, collectors=2)
    deployment.broker.set_centre(["collector-1", "collector-2", "watcher"])
    with (folder / "broker" / "access.acl").open("a") as access:  # which no deployment lets anybody
        access.write("\nuser centre/bench\ntopic readwrite landfall/v1/#\n")
    with deployment, ExitStack() as stack:
        _register(url, keys)
        ports = [stack.enter_context(reserve_port()).getsockname()[1] for _ in range(2)]
        console, metrics = _centre(deployment, *ports)
        context = _signed_in(browser, console)
        stack.callback(context.close)
        page = context.new_page()
        with _kiosks(deployment, keys) as last_words:
            _hear_all(url, len(keys))
            page.goto(console)
            page.wait_for_selector("#pulse.live")
            page.evaluate(WATCH_ROWS)
            parts = _parts(deployment, postmaster)
            began_s, before = time.time(), usage(parts)
            paints_s, scrapes_s = _look(browser, context, page, console, metrics, measured_s)
            after, ended_s = usage(parts), time.time()
            shown = page.evaluate("window.shown")
        told = msgspec.json.decode(last_words[-1], type=Told)
    seen_s = _delays(told, shown, began_s, ended_s - VISIBLE_BAR_S)
    receipts_s = [receipt_s - sent_s for sent_s, receipt_s in told.receipts if began_s <= sent_s <= ended_s]
    kiosks = f"{len(keys):,} kiosks, health every {HEALTH_EVERY_S:.0f} s, {CROSSINGS_PER_S} crossings/s, 1 connection"
    kind = "SQLite" if postmaster is None else "PostgreSQL"
    return [
        Row(f"{kind}: first paint of the overview, median", statistics.median(paints_s), "s", beside=kiosks),
        Row(f"{kind}: first paint, longest of {len(paints_s)}", max(paints_s), "s", bar=FIRST_PAINT_BAR_S),
        Row(f"{kind}: from a kiosk's message to the page, median", statistics.median(seen_s), "s"),
        Row(f"{kind}: to the page, longest of {len(seen_s)}", max(seen_s), "s", bar=VISIBLE_BAR_S),
        Row(f"{kind}: from a crossing to its receipt, median", statistics.median(receipts_s), "s"),
        Row(f"{kind}: to its receipt, longest of {len(receipts_s)}", max(receipts_s), "s"),
        Row(f"{kind}: crossings without a receipt", told.unanswered, "", bar=0),
        Row(f"{kind}: one scrape, longest of {len(scrapes_s)}", max(scrapes_s), "s"),
        *_costs(kind, before, after, ended_s - began_s),
    ]


def _costs(kind: str, before: Mapping[str, Usage], after: Mapping[str, Usage], passed_s: float) -> list[Row]:
    shares = {name: (after[name].cpu_s - before[name].cpu_s) / passed_s * 100 for name in after}
    rows = [Row(f"{kind}: CPU of {name}, of one core", share, "%") for name, share in shares.items()]
    rows += [Row(f"{kind}: memory of {name}", one.memory_bytes / 1e6, "MB") for name, one in after.items()]
    return rows


def _register(url: str, keys: list[dict[str, Any]]) -> None:
    """Register every kiosk in one transaction."""
    engine = database.connect(url)
    database.upgrade(engine)
    at, rows = rfc3339(datetime.now(UTC)), []
    for number, private in enumerate(keys):
        key = OKPKey.import_key(private)
        public = msgspec.json.encode(key.as_dict(private=False)).decode()
        rows.append({"kiosk": name_of(number), "kid": key.thumbprint(), "public_jwk": public, "added_at": at})
    with database.writing(engine) as connection:
        connection.execute(insert(kiosk_key), rows)
    engine.dispose()


def _centre(deployment: LocalDeployment, console: int, metrics: int) -> tuple[str, str]:
    """Start collectors, watcher and console; return the addresses of the console and of the metrics."""
    watcher, config = deployment.centre / "watcher", deployment.central_config
    deployment.authority.issue_collector(watcher, "watcher")
    with config.open("a") as more:
        more.write(f'\n[fleet]\ncertificate = "{watcher}/client.crt"\nkey = "{watcher}/client.key"\n')
        more.write(f"[console]\nport = {console}\n[metrics]\nport = {metrics}\n")
    account = ["account", "add", "bench", "--role", "operator", "--password-stdin", "--config", str(config)]
    subprocess.run(
        [sys.executable, "-m", "central.cli", *account],
        input=f"{PASSWORD}\n",
        text=True,
        check=True,
        capture_output=True,
    )
    for verb in ("watch", "console"):
        deployment.process("central.cli", [verb, "--config", str(config)], verb)
    for process in deployment.collectors:
        process.start()
    for process, words in zip(deployment.collectors, READY, strict=True):
        process.wait_for(words, WITHIN_S)
    return f"http://127.0.0.1:{console}/", f"http://127.0.0.1:{metrics}/metrics"


@contextmanager
def _kiosks(deployment: LocalDeployment, keys: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Let all kiosks speak; give the list that holds the last words of who spoke for them afterwards."""
    own, file, last_words = deployment.centre / "bench", deployment.folder / "keys.json", []
    deployment.authority.issue_collector(own, "bench")
    file.write_bytes(msgspec.json.encode(keys))
    words = [len(keys), file, deployment.centre / "opening.pub.json", deployment.broker.port, own]
    command = [sys.executable, "-m", "bench.peers.kiosks", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            if not program.stdout.readline():
                raise RuntimeError("nobody speaks for the kiosks")
            yield last_words
        finally:
            program.terminate()
            last_words += program.stdout.read().splitlines()


def _hear_all(url: str, kiosks: int) -> None:
    engine = database.connect(url)

    def are_heard() -> bool:
        with database.reading(engine) as connection:
            return connection.scalar(select(func.count()).select_from(fleet_kiosk)) == kiosks

    wait_until(are_heard, WITHIN_S, "every kiosk is heard")
    engine.dispose()


def _parts(deployment: LocalDeployment, postmaster: int | None) -> dict[str, Callable[[], list[int]]]:
    """Return what the centre consists of: names, and what tells their processes now."""
    names = ["collector-1", "collector-2", "watcher", "console"]
    parts: dict[str, Callable[[], list[int]]] = {
        name: lambda pid=process.pid: [pid] for name, process in zip(names, deployment.collectors, strict=True)
    }
    parts["mosquitto"] = lambda: [deployment.broker.pid]
    if postmaster is not None:
        parts["PostgreSQL"] = lambda: [postmaster, *children(postmaster)]
    return parts


def _signed_in(browser: Browser, console: str) -> BrowserContext:
    context = browser.new_context()
    page = context.new_page()
    page.goto(console)
    page.fill("#name", "bench")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(console)
    page.close()
    return context


def _look(
    browser: Browser, context: BrowserContext, page: Page, console: str, metrics: str, measured_s: float
) -> tuple[list[float], list[float]]:
    """Open the overview in a new browser now and then, and scrape; return how long either took."""
    paints_s, scrapes_s = [], []
    until_s = time.monotonic() + measured_s
    while time.monotonic() < until_s:
        with browser.new_context(storage_state=context.storage_state()) as cold:
            other = cold.new_page()
            other.goto(console)
            paints_s.append(other.wait_for_function(FIRST_PAINT).json_value() / 1000)
        if len(paints_s) % SCRAPE_EVERY == 1:
            began_s = time.monotonic()
            with urllib.request.urlopen(urllib.request.Request(metrics, headers=AS_PROMETHEUS), timeout=60) as said:
                said.read()
            scrapes_s.append(time.monotonic() - began_s)
        page.wait_for_timeout(LOOK_EVERY_S * 1000)
    return paints_s, scrapes_s


def _delays(told: Told, shown: list[tuple[str, int, float]], from_s: float, until_s: float) -> list[float]:
    """Return how long each count that was spoken in this time took to be shown, or a later one in its place."""
    seen: dict[str, list[tuple[int, float]]] = {}
    for kiosk, count, at_s in shown:
        seen.setdefault(kiosk, []).append((count, at_s))
    found = []
    for kiosk, count, spoken_s in told.spoken:
        if from_s <= spoken_s <= until_s:
            later = [at_s for other, at_s in seen.get(kiosk, ()) if other >= count]
            found.append(min(later, default=float("inf")) - spoken_s)
    return found
