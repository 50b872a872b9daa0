"""The steps that need nobody: settings and keys, clock, supply and heat, card, network.

Owns what they measure and from which figure on something is wrong. Always true: the daemon's devices and its connection
are left alone.
"""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Iterator, Sequence

from edge.accept.card import FAILED_SYNC_MS, SLOW_MB_S, SLOW_SYNC_MS, measure_card
from edge.accept.step import Scene, Step, failed, finding, ok, warn
from edge.check.line import Line
from edge.check.run import checks
from edge.disk import MB
from edge.errors import StoreError
from edge.wire.acceptance import Finding, Verdict
from edge.wire.topics import kiosk_id

HOT_CELSIUS = 75.0  # from 80 on the firmware slows the processor down (raspberrypi.com, "Frequency management")
SLOW_CONNECT_MS = 2000.0
TRIES = 3


def machine_steps(scene: Scene) -> Sequence[Step]:
    """Return these steps in their order."""
    return (
        Step("settings", "Settings, keys, devices and the way to the centre", lambda: _checked(scene)),
        Step("clock", "The clock", lambda: _clock(scene)),
        Step("supply", "The supply and the heat", lambda: _supply(scene)),
        Step("card", "The card", lambda: _card(scene)),
        Step("network", "The network", lambda: _network(scene)),
    )


def _checked(scene: Scene) -> Iterator[Finding]:
    settings = scene.settings
    for line in checks(settings, kiosk_id(settings.kiosk.site, settings.kiosk.name), scene.kiosk.status()):
        if line.what != "clock":  # a process that just began does not know whether it was right an hour ago
            yield _of(line)


def _of(line: Line) -> Finding:
    return finding(line.what, Verdict(line.state.value), line.detail, line.remedy)


def _clock(scene: Scene) -> Iterator[Finding]:
    """Take the daemon's word: it knows since when the time was right."""
    clock = scene.kiosk.status()["clock"]
    bound_s = clock.get("error_bound_s")
    known = "" if bound_s is None else f", right within {bound_s:.3f} s"
    match clock["state"]:
        case "synchronised":
            yield ok("clock", f"synchronised{known}", error_bound_s=bound_s)
        case "holdover":
            remedy = "check the time servers: timedatectl timesync-status"
            yield warn("clock", f"not synchronised now{known}", remedy, error_bound_s=bound_s)
        case _:
            yield failed("clock", "nobody vouches for it", "set a time server, or fit a battery and set clock.rtc")


def _supply(scene: Scene) -> Iterator[Finding]:
    machine = scene.kiosk.status().get("machine", {})
    now, before = machine.get("throttled"), machine.get("throttled_since_boot", ())
    celsius = machine.get("cpu_celsius")
    if now is None:
        remedy = "with everything switched on, measure 4.8 V or more between pins 4 and 6 of the header"
        yield warn("supply", "this board does not tell its voltage", remedy)
    elif "under_voltage" in now:
        yield failed("supply", "the voltage is too low now", "fit the board's own supply and a short, thick cable")
    elif "under_voltage" in before:
        yield warn("supply", "the voltage was too low since the boot", "fit the board's own supply and a thick cable")
    else:
        yield ok("supply", "the voltage was never too low since the boot")
    if celsius is not None:
        detail = f"{celsius:.0f} degrees Celsius"
        if celsius >= HOT_CELSIUS:
            yield warn("heat", detail, "shade the case, open its vents, or fit a heat sink", celsius=celsius)
        else:
            yield ok("heat", detail, celsius=celsius)


def _card(scene: Scene) -> Iterator[Finding]:
    store = scene.settings.store
    try:
        speed = measure_card(scene.settings.resolve(store.path).parent, store.photos_stop_below_mb * MB)
    except StoreError as error:
        yield failed("card", error.message, error.remedy)
        return
    p95 = speed.sync_p95_ms
    detail = f"4 KiB synced in {speed.sync_p50_ms:g} ms, 95 of 100 in {p95:g} ms; {speed.write_mb_s:g} MB/s"
    figures = {"sync_p50_ms": speed.sync_p50_ms, "sync_p95_ms": p95, "write_mb_s": speed.write_mb_s}
    remedy = "take a card of class A1 or better, of a known make; a slow or worn one keeps travellers waiting"
    if p95 >= FAILED_SYNC_MS:
        yield failed("card", detail, remedy, **figures)
    elif p95 >= SLOW_SYNC_MS or speed.write_mb_s < SLOW_MB_S:
        yield warn("card", detail, remedy, **figures)
    else:
        yield ok("card", detail, **figures)


def _network(scene: Scene) -> Iterator[Finding]:
    """Connect to the broker's port a few times, without a word of MQTT: the slowest counts."""
    uplink = scene.settings.uplink
    slowest_s = 0.0
    for _ in range(TRIES):
        began_s = time.monotonic()
        try:
            socket.create_connection((uplink.host, uplink.port), uplink.connect_timeout_s).close()
        except OSError as error:
            remedy = "plug in the cable, or see to Wi-Fi or SIM; then `landfall check` says how far it goes"
            yield failed("network", f"{uplink.host}:{uplink.port}: {error.strerror or error}", remedy)
            return
        slowest_s = max(slowest_s, time.monotonic() - began_s)
    connect_ms = 1000 * slowest_s
    detail = f"{uplink.host}:{uplink.port} answers within {math.ceil(connect_ms)} ms"
    if connect_ms >= SLOW_CONNECT_MS:
        yield warn(
            "network", detail, "look at signal and antenna; nothing is lost, it only comes late", connect_ms=connect_ms
        )
    else:
        yield ok("network", detail, connect_ms=connect_ms)
