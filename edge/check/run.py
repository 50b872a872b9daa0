"""Every check in its order, each line as soon as it is known.

Owns the order: what others stand on comes first. Always true: a check that fails keeps none of the later ones from
being made, except where it took away what they stand on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge.check.devices import Tell, check_devices, say_nothing, settled
from edge.check.here import check_certificates, check_clock, check_keys, check_store
from edge.check.line import Line, failed, ok, warn
from edge.check.there import check_way
from edge.commands.start import settings_in_force
from edge.control import ask
from edge.errors import LandfallError, SettingError
from edge.settings import Settings, digest
from edge.wire.topics import kiosk_id
from edge.wiring import endpoint, known_time, system_clock


def check(config: Path, environment: dict[str, str], tell: Tell = say_nothing) -> Iterator[Line]:
    """Check the kiosk of a settings file; `tell` hears what is waited for, and how long yet."""
    try:
        settings = settings_in_force(config, environment)
        kiosk = kiosk_id(settings.kiosk.site, settings.kiosk.name)
    except LandfallError as error:
        right = f"correct {error.key}" if isinstance(error, SettingError) and error.key else "correct the file"
        yield failed("settings", str(error), right)
        return
    yield ok("settings", f"{kiosk}, lanes: {len(settings.lanes)}, digest {digest(settings)[:12]}")
    daemon = running(settings)
    if daemon is None:
        yield warn("daemon", "does not run", "systemctl start landfall-kiosk; journalctl -u landfall-kiosk")
    else:
        yield ok("daemon", f"runs, version {daemon['version']}")
        daemon = settled(lambda: running(settings), tell)
    yield from checks(settings, kiosk, daemon, tell)


def checks(
    settings: Settings, kiosk: str, daemon: Mapping[str, Any] | None, tell: Tell = say_nothing
) -> Iterator[Line]:
    """Check what settings describe; `daemon` is the health that a running daemon tells."""
    now = system_clock(settings, known_time(settings)).now()
    yield from check_store(settings)
    yield from check_clock(now)
    yield from check_keys(settings)
    yield from check_certificates(settings, kiosk, now.at)
    yield from check_devices(settings, None if daemon is None else daemon["devices"], tell)
    yield from check_way(endpoint(settings, kiosk), None if daemon is None else daemon["uplink"])


def running(settings: Settings) -> dict[str, Any] | None:
    """Return what the running daemon says of itself, or None."""
    try:
        return ask(settings.resolve(settings.control.socket), "status")
    except LandfallError:
        return None
