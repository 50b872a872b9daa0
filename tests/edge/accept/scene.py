"""A kiosk and a terminal for the tests of the guided check: what happens and what is typed is written down before."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from edge.accept.running import Happening
from edge.accept.screen import Screen
from edge.accept.step import Scene
from edge.config import parse
from edge.errors import LandfallError
from edge.settings import Settings

SETTINGS = """\
[kiosk]
site = "dm-roseau"
name = "ferry-01"
{kiosk}

[store]
keep_receipted_h = 24
photos_stop_below_mb = 18
reserve_mb = 16

[keys]
record = "record.key.json"
opening = "opening.pub.json"
receipt = ["receipt.pub.json"]

[uplink]
host = "localhost"
port = {port}
ca = "ca.crt"
certificate = "client.crt"
key = "client.key"

[[lanes]]
name = "left"
readers = [{{ name = "passport", path = "/dev/null" }}, {{ name = "boarding", kind = "barcode", path = "/dev/null" }}]
camera = {{ driver = "simulated" }}
panel = {{ driver = "simulated", door = "GPIO16", manual = "GPIO13" }}
{lane}
"""


def settings(folder: Path, *, kiosk: str = "", lane: str = "", port: int = 9) -> Settings:
    """Return the settings of a lane with everything fitted."""
    text = SETTINGS.format(kiosk=kiosk, lane=lane, port=port)
    return parse(text, file="kiosk.toml", folder=folder, environment={})


class Typist:
    """Stands for the keys, and is the clock: each look at the keys takes as long as it waits."""

    is_terminal = True
    has_ended = False

    def __init__(self, typed: str = "") -> None:
        self.typed, self.now_s = list(typed), 0.0

    def forget(self) -> None:
        """Forget nothing: what the test types is meant for the next question."""

    def pressed(self, timeout_s: float) -> str:
        """Return the next key; a dot is a tenth of a second without one."""
        self.now_s += timeout_s
        key = self.typed.pop(0) if self.typed else ""
        return "" if key == "." else key


class Lane:
    """Stands for the running kiosk: `then` are the happenings, one list for each time that somebody looks."""

    def __init__(self, *then: Sequence[Happening], devices: dict[str, Any] | None = None, **status: Any) -> None:
        self._then = [list(some) for some in then]
        self.devices, self.more = devices or {}, status
        self.shown: list[tuple[str, str]] = []
        self.practice: list[str] = []
        self.is_gone = False

    def status(self) -> dict[str, Any]:
        """Return what the kiosk says of itself."""
        if self.is_gone:
            raise LandfallError("no kiosk answers", remedy="is it running?")
        return {"devices": self.devices, "queue": {}, "clock": {"state": "synchronised"}, **self.more}

    def begin_practice(self) -> None:
        """Take note of it."""
        self.practice.append("begun")

    def keep_practising(self) -> None:
        """Nothing is renewed here."""

    def end_practice(self) -> None:
        """Take note of it."""
        self.practice.append("ended")

    def forget(self) -> None:
        """Nothing has happened yet."""

    def happenings(self) -> Iterator[Happening]:
        """Yield what happens next; what is not taken out is yielded the next time."""
        if not self._then:
            return
        some = self._then[0]
        while some:
            yield some.pop(0)
        self._then.pop(0)

    def take_photo(self, lane: str) -> str:
        """Return the request."""
        return "acceptance"

    def show(self, lane: str, signal: str) -> None:
        """Take note of it."""
        self.shown.append((lane, signal))


def scene(settings: Settings, kiosk: Lane, typed: str = "") -> tuple[Scene, io.StringIO, Typist]:
    """Return a scene, what is on its screen, and its keys."""
    text, typist = io.StringIO(), Typist(typed)
    console = Console(file=text, width=80, force_terminal=False)
    screen = Screen(typist, console, lambda: None, lambda: typist.now_s)  # type: ignore[arg-type]
    return Scene(settings, kiosk, screen), text, typist  # type: ignore[arg-type]
