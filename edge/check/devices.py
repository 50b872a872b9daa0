"""Whether the devices of each lane work.

Owns these checks. Always true: while the daemon runs its devices are left alone and the daemon is asked; without it
each device is opened, waited for, and closed again; nothing is shown to a traveller but a closed lane.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping
from typing import Any

from edge.check.line import Line, failed, ok, warn
from edge.settings import LaneSettings, Settings
from hw.choose import Devices, open_devices
from hw.devices import DeviceError, DeviceLost, DeviceReady
from hw.settings import DeviceSettings

READY_WITHIN_S = 5.0
_REMEDY = "check plug and power; `ls -l /dev/serial/by-id`; is the path in kiosk.toml right?"


def check_devices(settings: Settings, daemon: Mapping[str, Any] | None) -> Iterator[Line]:
    """Look at every device; `daemon` is what a running daemon says of its own."""
    if daemon is not None:
        for name, device in daemon.items():
            yield from _told(name, device)
        return
    for lane in settings.lanes:
        yield from _opened(settings, lane)


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


def _opened(settings: Settings, lane: LaneSettings) -> Iterator[Line]:
    try:
        devices = open_devices(
            DeviceSettings(
                readers=lane.readers,
                camera=lane.camera,
                panel=lane.panel,
                scenario=str(settings.resolve(lane.scenario)) if lane.scenario else "",
                state_folder=str(settings.resolve(settings.store.path).parent),
            )
        )
    except DeviceError as error:
        yield failed(f"device {error.device}", error.message, error.remedy or _REMEDY)
        return
    if devices.simulation is not None:
        yield ok(f"lane {lane.name}", "is simulated; there is nothing to open")
        return
    yield from _waited_for(devices)


def _waited_for(devices: Devices) -> Iterator[Line]:
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()
    waiting = set(devices.names())
    devices.start(events.put)
    try:
        while waiting:
            match events.get(timeout=READY_WITHIN_S):
                case DeviceReady(device=name) if name in waiting:
                    waiting.discard(name)
                    yield ok(f"device {name}", "ready")
                case DeviceLost(device=name, reason=reason) if name in waiting:
                    waiting.discard(name)
                    yield failed(f"device {name}", reason, _REMEDY)
    except queue.Empty:
        for name in sorted(waiting):
            yield failed(f"device {name}", f"says nothing within {READY_WITHIN_S:g} s", _REMEDY)
    finally:
        devices.stop()
