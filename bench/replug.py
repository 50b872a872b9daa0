"""How soon the kiosk knows that a reader was unplugged, and how soon it reads again when the reader is put back.

Run it with `python -m bench replug`. The readers are simulated (a pty, a pipe of input events); the driver is the
kiosk's, with its own pauses. What udev takes to make the reader's name comes on top on a real kiosk. The bars are the
lane's: 2 s until health says so, 3 s until the next document is read.
"""

from __future__ import annotations

import queue
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.row import Row
from hw.devices import DeviceLost, DeviceReady, DocumentRead
from hw.framing import Family, encode
from hw.hid_reader import HidReader
from hw.reader import LineReader
from hw.serial_reader import SerialReader
from hw.settings import ReaderSettings
from hw.simulated.keyboard import SimulatedKeyboard, take
from hw.simulated.port import SimulatedPort
from hw.simulated.travellers import specimen

BAUD = 9600
LOST_MS, READ_MS = 2000, 3000
MOST_AWAY_S = 0.6  # longer than the driver's pauses, so that the reader comes back at any moment of them


def run(quick: bool) -> list[Row]:
    """Measure both kinds of reader."""
    cycles = 20 if quick else 150
    with tempfile.TemporaryDirectory() as folder:
        port = SimulatedPort(Path(folder) / "usb-Bench_Serial-if00", baud=BAUD)
        serial = SerialReader(ReaderSettings(name="serial", path=str(port.path), baud=BAUD))
        keyboard = SimulatedKeyboard(Path(folder) / "usb-Bench_Hid-event-kbd")
        hid = HidReader(ReaderSettings(name="hid", driver="simulated-hid", path=str(keyboard.path)), take=take)
        return _measured("serial", port, serial, cycles) + _measured("HID", keyboard, hid, cycles)


def _measured(kind: str, plug: SimulatedPort | SimulatedKeyboard, reader: LineReader, cycles: int) -> list[Row]:
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    passport = encode(specimen(1, 1, "TD3", flight_day=1).mrz, Family.RAW)
    lost, read = [], []
    descriptors, threads = len(list(Path("/proc/self/fd").iterdir())), threading.active_count()
    plug.plug()
    reader.start(inbox.put)
    _wait_for(inbox, DeviceReady)
    for cycle in range(cycles):
        lost.append(_took_ms(plug.unplug, inbox, DeviceLost))
        time.sleep(MOST_AWAY_S * cycle / cycles)
        began = time.monotonic()
        plug.plug()
        _wait_for(inbox, DeviceReady)
        plug.send(passport)
        _wait_for(inbox, DocumentRead)
        read.append((time.monotonic() - began) * 1000)
    reader.stop()
    plug.unplug()
    left = len(list(Path("/proc/self/fd").iterdir())) - descriptors + threading.active_count() - threads
    return [
        *_percentiles(f"{kind}: unplugged until it is said", lost, LOST_MS),
        *_percentiles(f"{kind}: put back until the next document", read, READ_MS),
        Row(f"{kind}: threads and descriptors left after {cycles}", left, "", bar=0),
    ]


def _percentiles(what: str, took_ms: list[float], bar_ms: float) -> list[Row]:
    cuts = statistics.quantiles(took_ms, n=100, method="inclusive")
    return [Row(f"{what}, p50", cuts[49], "ms"), Row(f"{what}, p99", cuts[98], "ms", bar=bar_ms)]


def _took_ms(act: Callable[[], None], inbox: queue.SimpleQueue[Any], kind: type) -> float:
    began = time.monotonic()
    act()
    _wait_for(inbox, kind)
    return (time.monotonic() - began) * 1000


def _wait_for(inbox: queue.SimpleQueue[Any], kind: type) -> None:
    while not isinstance(inbox.get(timeout=30), kind):
        pass
