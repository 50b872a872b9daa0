"""Journeys at the lane: bad input gets an amber lamp, and the next traveller is served."""

from __future__ import annotations

import os
import queue
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.documents import mrz
from hw.simulated.travellers import specimen
from provisioning.local_deployment import wait_until
from tests.journeys.world import KIOSK, PATIENCE_S, World, crossings_on_disk

pytestmark = pytest.mark.journey

LANE = """\
[[lanes]]
name = "lane-1"
policy = {{ specimens = "accept", show_s = 0.05, refer_s = 2, collect_s = 30, repeat_s = 0.2 }}
panel = {{ driver = "simulated" }}
readers = [{{ name = "passport", driver = "serial", path = "{path}", baud = 115200 }}]
"""


@contextmanager
def wire(folder: Path) -> Iterator[tuple[Path, Callable[[bytes], None]]]:
    """Yield a serial port and a way to put bytes on it, as a reader would: in order, and without waiting for them."""
    master, slave = os.openpty()
    tty.setraw(slave)
    path = folder / "reader"
    path.symlink_to(os.ttyname(slave))

    waiting: queue.Queue[bytes | None] = queue.Queue()

    def write() -> None:
        while (payload := waiting.get()) is not None:
            rest = memoryview(payload)
            while rest:
                rest = rest[os.write(master, rest[:4096]) :]

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield path, waiting.put
    finally:
        waiting.put(None)
        os.close(slave)  # a write that nobody reads any more fails, and does not wait for ever
        writer.join(timeout=60)
        os.close(master)


def passport(ordinal: int) -> bytes:
    return specimen(7, ordinal).mrz.replace(b"\n", b"\r") + b"\r"


def unknown_state(ordinal: int) -> bytes:
    lines = mrz.encode(
        "TD3",
        {
            "document_code": "P",
            "issuing_state": "XYZ",
            "primary_identifier": "ERIKSSON",
            "secondary_identifier": "ANNA",
            "document_number": f"X{ordinal:07d}",
            "nationality": "XYZ",
            "date_of_birth": "1974-08-12",
            "sex": "F",
            "date_of_expiry": "2031-04-15",
        },
    )
    return "\r".join(lines).encode() + b"\r"


def wrong_check_digit(ordinal: int) -> bytes:
    first, second = specimen(7, ordinal).mrz.split(b"\n")
    wrong = b"%d" % ((int(second[9:10]) + 1) % 10)
    return first + b"\r" + second[:9] + wrong + second[10:] + b"\r"


def test_bad_input_lights_amber_and_the_next_traveller_passes(world: Callable[..., World], tmp_path: Path) -> None:
    here = world()
    with wire(tmp_path) as (path, send):
        kiosk = here.deployment.add_kiosk(*KIOSK.split("/"), lane=LANE.format(path=path))
        kiosk.start(ready="uplink connected")
        wait_until(lambda: "device ready device=passport" in kiosk.log_text(), PATIENCE_S, "the reader is ready")
        bad = {
            "garbage": b"\x00\xff~#!garbage that is no document\r",
            "half a frame": b"\x02" + passport(1)[:50],
            "a MiB without an end": b"A" * (1 << 20),
            "a wrong check digit": wrong_check_digit(2),
            "an unknown state": unknown_state(3),
            "binary noise": bytes(range(256)) * 20,
            "an MRZ of another length": b"P<UTOERIKSSON<<ANNA\rL898902C36UTO\r",
        }
        signals: list[str] = []
        for ordinal, (what, payload) in enumerate(bad.items(), start=100):
            before = crossings_on_disk(here.folder())
            send(payload)
            wait_until(lambda: signal(here) in ("try_again", "call_officer"), PATIENCE_S, f"amber after {what}")
            signals.append(signal(here))
            # Whoever was referred has a crossing too; the next one's lamp has to be out before more comes.
            due = before + 1 + (signals[-1] == "call_officer")
            send(b"\r" + passport(ordinal))
            wait_until(lambda: crossings_on_disk(here.folder()) >= due, PATIENCE_S, f"next after {what}")  # noqa: B023
            wait_until(lambda: signal(here) == "ready", PATIENCE_S, f"ready after {what}")
        assert signals.count("try_again") >= 5
        here.drained()
        assert here.ends().is_clean
        assert kiosk.is_running


def test_a_reader_that_is_unplugged_is_reported_and_comes_back(world: Callable[..., World]) -> None:
    here = world()
    fault = 'faults = [{ kind = "unplug", every = 5, at_byte = 30, for_s = 0.3 }]'
    kiosk = here.add_kiosk(count=15, more=fault)
    kiosk.start(ready="uplink connected")
    here.have_passed(15)
    assert kiosk.log_text().count("device lost device=passport") == 3
    here.drained()
    assert here.ends().is_clean


def test_a_camera_that_hangs_costs_the_photo_and_not_the_crossing(world: Callable[..., World]) -> None:
    here = world()
    camera = 'camera = { driver = "simulated", deadline_s = 0.5 }'
    policy = 'photo = "wanted", show_s = 0.02, refer_s = 0.1, collect_s = 4'
    kiosk = here.add_kiosk(count=12, camera=camera, policy=policy, more="camera = { hang_every = 3 }")
    kiosk.start(ready="uplink connected")
    here.have_passed(12)
    here.drained()
    assert here.ends().is_clean
    assert 0 < here.head("evidence").next_sequence - 2 < 12


def signal(here: World) -> str:
    """Return what the panel of the lane shows."""
    return here.status().get("devices", {}).get("lane-1", {}).get("signal", "")
