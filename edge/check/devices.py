"""Whether the devices of each lane work.

Owns these checks. Always true: while the daemon runs its devices are left alone and the daemon is asked; without it
each device is opened, waited for, and closed again; nothing is shown to a traveller but a closed lane. A device that is
gone is waited for: a reader that was just plugged in takes up to ten seconds until it may be opened.
"""

from __future__ import annotations

import contextlib
import math
import queue
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from edge.check.line import Line, failed, ok, warn
from edge.settings import LaneSettings, Settings
from edge.wiring import device_settings
from hw.choose import Devices, open_devices
from hw.devices import DeviceError, DeviceLost, DeviceReady

READY_WITHIN_S = 15.0
_LOOK_S = 1.0
_REMEDY = "check plug and power; `ls -l /dev/serial/by-id`; is the path in kiosk.toml right?"

Tell = Callable[[str], None]


def say_nothing(text: str) -> None:
    """Keep what is waited for to oneself."""


def check_devices(
    settings: Settings,
    daemon: Mapping[str, Any] | None,
    tell: Tell = say_nothing,
    *,
    within_s: float = READY_WITHIN_S,
) -> Iterator[Line]:
    """Look at every device; `daemon` is what a running daemon says of its own.

    Without one, devices are waited for until `within_s` have passed, and `tell` hears for which and how long yet.
    """
    if daemon is not None:
        for name, device in daemon.items():
            yield from _told(name, device)
        return
    for lane in settings.lanes:
        yield from _opened(settings, lane, tell, within_s)


def settled(
    status: Callable[[], Mapping[str, Any] | None], tell: Tell, *, within_s: float = READY_WITHIN_S
) -> Mapping[str, Any] | None:
    """Return what a running daemon says of itself, once no device is gone or `within_s` have passed."""
    until_s = time.monotonic() + within_s
    while (found := status()) is not None:
        gone = {name: str(one.get("error", "")) for name, one in found["devices"].items() if _is_gone(one)}
        left_s = until_s - time.monotonic()
        if not gone or left_s <= 0:
            break
        tell(_waiting_for(gone, left_s))
        time.sleep(min(_LOOK_S, left_s))
    return found


def _is_gone(device: Mapping[str, Any]) -> bool:
    state = str(device["state"])
    return state != "ready" and not state.startswith("lane")


def _waiting_for(gone: Mapping[str, str], left_s: float) -> str:
    named = ", ".join(f"{name} ({reason})" if reason else name for name, reason in sorted(gone.items()))
    return f"{math.ceil(left_s)} s left for {named}"


def _told(name: str, device: Mapping[str, Any]) -> Iterator[Line]:
    what, state, error = f"device {name}", str(device["state"]), str(device.get("error", ""))
    if state.startswith("lane"):
        if device.get("signal") == "closed":
            yield failed(f"lane {name}", "is closed", "see store and room above, and `landfall status`")
        else:
            yield ok(f"lane {name}", state.removeprefix("lane "))
    elif state == "ready":
        lost = device.get("losses", 0)
        yield warn(what, f"ready, was lost {lost} times: {error}", _REMEDY) if lost else ok(what, "ready")
    else:
        yield failed(what, error or state, _REMEDY)
    if device.get("case") == "open":
        yield warn(what, "the case is open", "close it, and ask who opened it")


def _opened(settings: Settings, lane: LaneSettings, tell: Tell, within_s: float) -> Iterator[Line]:
    try:
        devices = open_devices(device_settings(settings, lane))
    except DeviceError as error:
        yield failed(f"device {error.device}", error.message, error.remedy or _REMEDY)
        return
    if devices.simulation is not None:
        yield ok(f"lane {lane.name}", "is simulated; there is nothing to open")
        return
    yield from _waited_for(devices, tell, within_s)


def _waited_for(devices: Devices, tell: Tell, within_s: float) -> Iterator[Line]:
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()
    gone = dict.fromkeys(devices.names(), "")
    until_s = time.monotonic() + within_s
    devices.start(events.put)
    try:
        while gone and (left_s := until_s - time.monotonic()) > 0:
            tell(_waiting_for(gone, left_s))
            with contextlib.suppress(queue.Empty):
                match events.get(timeout=min(_LOOK_S, left_s)):
                    case DeviceReady(device=name) if name in gone:
                        del gone[name]
                        yield ok(f"device {name}", "ready")
                    case DeviceLost(device=name, reason=reason) if name in gone:
                        gone[name] = reason
        for name, reason in sorted(gone.items()):
            yield failed(f"device {name}", reason or f"says nothing within {within_s:g} s", _REMEDY)
    finally:
        devices.stop()
