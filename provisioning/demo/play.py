"""The play: who comes, when the broker goes away, when a kiosk is killed, and the count at both ends.

Owns the order of events. Always true: the count of the kiosks' end is taken from their own stores and from what
travellers saw, never from the centre; so the two ends can disagree, and then the demonstration fails.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, create_engine, func, select

from central.tables import crossing
from edge.control import ask
from edge.errors import LandfallError, StoreError
from provisioning.demo.count import TwoEnds, count, sightings, unreceipted
from provisioning.local_deployment import LocalDeployment, wait_until

KIOSKS = (("dm-roseau", "ferry-01"), ("dm-portsmouth", "pier-01"), ("bs-nassau", "quay-01"))
OUTAGE_S = 4.0
DRAIN_WITHIN_S = 120.0
STALL_S = 90.0  # nobody crossed for so long: something is broken
_LANE = """\
[[lanes]]
name = "lane-1"
scenario = "scenario.toml"
policy = {{ photo = "wanted", specimens = "accept", show_s = {show_s}, refer_s = 2, collect_s = 6 }}
camera = {{ driver = "simulated", deadline_s = 2 }}
panel = {{ driver = "simulated" }}
readers = [{{ name = "passport", driver = "simulated", baud = 19200 }}]
"""
_SCENARIO = """\
seed = {seed}
count = {count}
interval_s = {interval_s}
documents = ["TD3", "TD1", "TD3", "TD2"]
boarding_pass_every = 0
officer = "accept"
officer_s = {interval_s}
patience_s = 8
witness = "{witness}"
faults = [{{ kind = "flip", every = 17, at_byte = 60 }}, {{ kind = "noise", every = 11 }}]
camera = {{ size_bytes = 20000, delay_s = 0.02, hang_every = 40 }}
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast people walk: the time from one to the next, and how long each sees the green lamp, in seconds."""

    interval_s: float
    show_s: float


STROLLING = Pace(interval_s=0.6, show_s=0.8)  # so that the eye can follow the lamps
HURRYING = Pace(interval_s=0.05, show_s=0.2)


@dataclass(frozen=True, slots=True)
class Result:
    """The count at the end. `captured` are crossings on the kiosks' disks, `stored` different ones at the centre."""

    captured: int
    stored: int
    lost: int
    duplicated: int
    chain_breaks: int
    outages: int
    kills: int
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Tell whether both ends agree."""
        return self.lost == self.duplicated == self.chain_breaks == 0 and self.captured > 0


@dataclass(frozen=True, slots=True)
class KioskSight:
    """What can be seen of one kiosk at one moment; `signal` is what its panel shows."""

    name: str
    signal: str
    uplink: str
    queue: int
    seen_off: int
    stored: int


class View(Protocol):
    """Shows the play to people."""

    def say(self, what: str) -> None:
        """Tell what happens now."""

    def show(self, kiosks: list[KioskSight]) -> None:
        """Show how the kiosks are."""

    def close(self) -> None:
        """Leave the screen as it is."""


class Demo:
    """One demonstration in one folder."""

    def __init__(self, folder: Path, *, crossings: int, pace: Pace, view: View) -> None:
        self._folder = folder
        self._crossings = crossings
        self._pace = pace
        self._view = view
        self._outages = self._kills = 0

    def run(self) -> Result:
        """Play it to the end and return the count; every process has ended then."""
        began_s = time.monotonic()
        try:
            self._view.say("making keys and certificates")
            with LocalDeployment(self._folder) as deployment:
                engine = create_engine(f"sqlite:///{deployment.centre / 'centre.db'}")
                self._start(deployment)
                self._play(deployment, engine)
                self._drain(deployment, engine)
                result = self._count(deployment, engine, began_s)
                engine.dispose()
            return result
        finally:
            self._view.close()

    def _start(self, deployment: LocalDeployment) -> None:
        self._view.say("starting the centre and three kiosks")
        deployment.start_collectors()
        for index, (site, name) in enumerate(KIOSKS):
            folder = deployment.kiosk_folder(site, name)
            kiosk = deployment.add_kiosk(site, name, lane=_LANE.format(show_s=self._pace.show_s))
            share = self._crossings // len(KIOSKS) + (index < self._crossings % len(KIOSKS))
            scenario = _SCENARIO.format(
                seed=index + 1, count=share, interval_s=self._pace.interval_s, witness=folder / "witness.jsonl"
            )
            (folder / "scenario.toml").write_text(scenario)
            kiosk.start(ready="store ready")

    def _play(self, deployment: LocalDeployment, engine: Engine) -> None:
        """Let the travellers pass; at a third the broker goes away, at two thirds a kiosk is killed, then both."""
        scenes = [(0.2, self._outage), (0.5, self._kill), (0.75, self._both)]
        last_s, last = time.monotonic(), -1
        while (done := sum(self._seen_off(deployment).values())) < self._crossings:
            self._look(deployment, engine)
            if scenes and done >= scenes[0][0] * self._crossings:
                scenes.pop(0)[1](deployment, engine)
            if done > last:
                last_s, last = time.monotonic(), done
            elif time.monotonic() - last_s > STALL_S:
                raise LandfallError(f"nobody crossed for {STALL_S:.0f} s", remedy="look into the kiosks' logs (--keep)")
            time.sleep(0.2)
        for _, scene in scenes:
            scene(deployment, engine)

    def _outage(self, deployment: LocalDeployment, engine: Engine) -> None:
        self._outages += 1
        self._view.say(f"the broker goes away for {OUTAGE_S:.0f} s: the lanes go on, the queues grow")
        deployment.broker.kill()
        self._wait(deployment, engine, OUTAGE_S)
        self._view.say("the broker is back: the queues drain")
        deployment.broker.start()

    def _kill(self, deployment: LocalDeployment, engine: Engine) -> None:
        self._kills += 1
        name = "/".join(KIOSKS[1])
        self._view.say(f"{name} is killed (SIGKILL), as if its power had failed")
        deployment.kiosks[name].kill()
        self._wait(deployment, engine, 1.0)
        self._view.say(f"{name} starts again")
        deployment.kiosks[name].start(ready="store ready")

    def _both(self, deployment: LocalDeployment, engine: Engine) -> None:
        self._outages += 1
        self._view.say("the broker goes away, and a kiosk is killed meanwhile")
        deployment.broker.kill()
        self._wait(deployment, engine, OUTAGE_S / 2)
        self._kill(deployment, engine)
        self._wait(deployment, engine, OUTAGE_S / 2)
        self._view.say("the broker is back: the queues drain")
        deployment.broker.start()

    def _wait(self, deployment: LocalDeployment, engine: Engine, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            self._look(deployment, engine)
            time.sleep(0.2)

    def _drain(self, deployment: LocalDeployment, engine: Engine) -> None:
        self._view.say("everybody has passed: waiting for the last receipts")

        def is_drained() -> bool:
            self._look(deployment, engine)
            return all(self._queue(deployment, f"{site}/{name}") == 0 for site, name in KIOSKS)

        wait_until(is_drained, DRAIN_WITHIN_S, "the queues are not empty")

    # --- looking -----------------------------------------------------------------------------------------------------

    def _look(self, deployment: LocalDeployment, engine: Engine) -> None:
        with engine.connect() as connection:
            rows = connection.execute(select(crossing.c.kiosk, func.count().label("count")).group_by(crossing.c.kiosk))
            stored = {row.kiosk: row.count for row in rows}
        seen_off = self._seen_off(deployment)
        sights = []
        for site, name in KIOSKS:
            kiosk = f"{site}/{name}"
            signal, uplink = "off", "killed"
            if deployment.kiosks[kiosk].is_running:
                try:
                    answer = ask(deployment.kiosk_folder(site, name) / "control.sock", "status")
                    signal, uplink = answer["devices"]["lane-1"]["signal"], answer["uplink"]["state"]
                except (LandfallError, KeyError):
                    uplink = "starting"
            queue = self._queue(deployment, kiosk)
            sights.append(KioskSight(kiosk, signal, uplink, queue, seen_off[kiosk], stored.get(kiosk, 0)))
        self._view.show(sights)

    def _seen_off(self, deployment: LocalDeployment) -> dict[str, int]:
        return {f"{site}/{name}": len(sightings(deployment.kiosk_folder(site, name))) for site, name in KIOSKS}

    def _queue(self, deployment: LocalDeployment, kiosk: str) -> int:
        try:
            return unreceipted(deployment.kiosk_folder(*kiosk.split("/")))
        except StoreError:
            return -1  # not made yet

    # --- counting ----------------------------------------------------------------------------------------------------

    def _count(self, deployment: LocalDeployment, engine: Engine, began_s: float) -> Result:
        self._view.say("counting both ends")
        total = TwoEnds()
        for site, name in KIOSKS:
            total += count(engine, f"{site}/{name}", deployment.kiosk_folder(site, name))
        seconds = round(time.monotonic() - began_s, 1)
        return Result(**asdict(total), outages=self._outages, kills=self._kills, seconds=seconds)
