"""What people see of the demonstration: a live table in a terminal, or plain lines.

Owns words and colours. Always true: it fits 80 columns, and a lamp is said in words as well as in colour.
"""

from __future__ import annotations

import time
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hw.devices import Signal
from provisioning.demo.play import KioskSight

_LAMPS = {
    Signal.READY: ("○ next, please", "dim"),
    Signal.WORKING: ("◐ amber, wait", "yellow"),
    Signal.TRY_AGAIN: ("◐ amber, again", "yellow"),
    Signal.PASSED: ("● green, pass", "bold green"),
    Signal.CALL_OFFICER: ("● amber, officer", "bold yellow"),
    Signal.CLOSED: ("● red, closed", "bold red"),
    "off": ("  no power", "dim"),
}


class LiveView:
    """A table that is drawn again and again, with the last things that happened below it."""

    def __init__(self, crossings: int) -> None:
        self._crossings = crossings
        self._began_s = time.monotonic()
        self._said: list[str] = []
        self._kiosks: list[KioskSight] = []
        self._live = Live(console=Console(highlight=False), refresh_per_second=8)
        self._live.start()

    def say(self, what: str) -> None:
        """Tell what happens now."""
        self._said = [*self._said[-4:], f"{time.monotonic() - self._began_s:5.0f} s  {what}"]
        self._draw()

    def show(self, kiosks: list[KioskSight]) -> None:
        """Draw how the kiosks are."""
        self._kiosks = kiosks
        self._draw()

    def close(self) -> None:
        """Leave the last picture on the screen."""
        self._live.stop()

    def _draw(self) -> None:
        table = Table("Kiosk", "Lamp", "Uplink", box=None, pad_edge=False, header_style="bold")
        for name in ("Passed", "Queue", "At centre"):
            table.add_column(name, justify="right")
        for kiosk in self._kiosks:
            words, style = _LAMPS.get(kiosk.signal, (kiosk.signal, ""))
            uplink = Text(kiosk.uplink, "green" if kiosk.uplink == "connected" else "bold red")
            queue = Text(str(max(0, kiosk.queue)), "yellow" if kiosk.queue > 0 else "green")
            table.add_row(kiosk.name, Text(words, style), uplink, str(kiosk.seen_off), queue, str(kiosk.stored))
        done = sum(kiosk.seen_off for kiosk in self._kiosks)
        count = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=self._crossings, completed=done, width=40)
        count.add_row(bar, f"{done} of {self._crossings} travellers have passed")
        self._live.update(Group(table, Text(), count, Text(), *(Text(line, "dim") for line in self._said)))


class PlainView:
    """One line for each thing that happens, and the count now and then."""

    def __init__(self, stream: TextIO, crossings: int) -> None:
        self._stream = stream
        self._crossings = crossings
        self._began_s = time.monotonic()
        self._next_s = 0.0

    def say(self, what: str) -> None:
        """Write what happens now."""
        print(f"{time.monotonic() - self._began_s:6.1f} s  {what}", file=self._stream, flush=True)

    def show(self, kiosks: list[KioskSight]) -> None:
        """Write the count every five seconds."""
        if time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + 5.0
        done = sum(kiosk.seen_off for kiosk in kiosks)
        queue = sum(max(0, kiosk.queue) for kiosk in kiosks)
        stored = sum(kiosk.stored for kiosk in kiosks)
        self.say(f"{done} of {self._crossings} passed, {queue} records await receipts, {stored} at the centre")

    def close(self) -> None:
        """Leave nothing behind."""
