"""What a kiosk tells of itself when somebody looks for a fault: listed things alone, and bounded.

Owns the list. Always true: what goes in is named here, one by one, and comes from those who tell of the machine; no
file of the store and no key is ever opened for it, so nothing of a traveller and no secret can get in.
"""

from __future__ import annotations

import io
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from edge.check.line import Line
from edge.check.run import checks
from edge.errors import LandfallError
from edge.settings import Settings
from edge.wire.topics import kiosk_id

MOST_LINES = 80
MOST_LINE_CHARACTERS = 200
MOST_JOURNAL_BYTES = 4 * 1024 * 1024
COMMAND_S = 20.0
_ABOUT_HARDWARE = re.compile(
    r"usb|tty|voltage|mmc|ext4|i/o error|watchdog|thermal|throttl|camera|unicam|imx|gpio|oom|eth0|wlan", re.IGNORECASE
)
_LAST_LINES = ("--lines", "5000", "--output", "short-iso", "--no-pager", "--quiet")
_JOURNAL = ("journalctl", "--unit", "landfall-kiosk", *_LAST_LINES)
_KERNEL = ("journalctl", "--dmesg", *_LAST_LINES)


def diagnostics(settings: Settings, health: Mapping[str, Any], log: list[str]) -> dict[str, Any]:
    """Return what the command `diagnostics` answers: health, checks that disturb nothing, and the last log lines."""
    kiosk = kiosk_id(settings.kiosk.site, settings.kiosk.name)
    return {
        "health": dict(health),
        "checks": [_cut(line) for line in checks(settings, kiosk, health)] if health else [],
        "log": [line[:MOST_LINE_CHARACTERS] for line in log[-MOST_LINES:]],
    }


def write_tarball(
    folder: Path, settings: Settings, lines: list[Line], health: Mapping[str, Any] | None, now: datetime
) -> Path:
    """Write everything that is listed here into a file of mode 0600 in `folder`; return its path."""
    import tarfile  # a daemon that tells of itself needs none

    kiosk = kiosk_id(settings.kiosk.site, settings.kiosk.name)
    found = {
        "check.json": _json([msgspec.to_builtins(line) for line in lines]),
        "settings.json": _json(msgspec.to_builtins(settings)),
        "versions.json": _json(_versions()),
        "health.json": None if health is None else _json(health),
        "journal.txt": _output(_JOURNAL),
        "kernel.txt": _about_hardware(_output(_KERNEL) or _output(("dmesg", "--time-format", "iso"))),
    }
    missing = sorted(name for name, content in found.items() if content is None)
    found["contents.json"] = _json({"kiosk": kiosk, "at": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "missing": missing})
    stem = f"landfall-{kiosk.replace('/', '-')}-{now:%Y%m%dT%H%M%SZ}"
    path = folder / f"{stem}.tar.gz"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as tar:
            for name, content in sorted(found.items()):
                if content is not None:
                    member = tarfile.TarInfo(f"{stem}/{name}")
                    member.size, member.mtime, member.mode = len(content), int(now.timestamp()), 0o600
                    tar.addfile(member, io.BytesIO(content))
    except OSError as error:
        raise LandfallError(
            f"{path}: cannot be written ({error.strerror})", remedy="name a folder with --out"
        ) from None
    return path


def _versions() -> dict[str, Any]:
    libraries = {dist.metadata["Name"]: dist.version for dist in metadata.distributions()}
    return {
        "landfall": metadata.version("landfall"),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "system": _system(),
        "libraries": dict(sorted(libraries.items())),
    }


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def _output(command: tuple[str, ...]) -> bytes | None:
    """Return the end of what a command prints, or None where it cannot be run or says nothing."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=COMMAND_S, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout[-MOST_JOURNAL_BYTES:] if done.returncode == 0 and done.stdout.strip() else None


def _about_hardware(text: bytes | None) -> bytes | None:
    if text is None:
        return None
    lines = [line for line in text.decode("utf-8", "replace").splitlines() if _ABOUT_HARDWARE.search(line)]
    return "".join(f"{line}\n" for line in lines).encode()


def _cut(line: Line) -> dict[str, Any]:
    return {name: str(value)[:MOST_LINE_CHARACTERS] for name, value in msgspec.to_builtins(line).items()}


def _json(content: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def utc_now() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)
