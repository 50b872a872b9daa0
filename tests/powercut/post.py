"""A border post whose power can be cut: a real kiosk process with two lanes, its travellers, and what they saw.

Owns the kiosk's settings and its people. Always true: only the store lies on the card that is cut; settings, keys, log
and what travellers saw lie elsewhere, as they would in a technician's notebook.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import Engine, select

from central.tables import record
from edge.seal import Opener, Verifier, load_private_key, load_public_key
from edge.wire.topics import Stream
from hw.simulated.travellers import document_number
from hw.simulated.witness import Sighting
from provisioning.local_deployment import LocalDeployment
from tests.powercut.examine import Entry, Examiner, SeenOff, entry_of
from tests.powercut.figures import Start

SITE = "dm-roseau"
STORE = "cache.db"
LANES = (1, 2)
Marks = tuple[int, ...]  # how many bytes each witness had written at some moment
SABOTAGE = Path(__file__).parent / "sabotage"
KEEP_RECEIPTED_H = 1 / 3600  # so that purging happens while we watch
_BUDGET = "photos_stop_below_mb = 17\nreserve_mb = 16"  # a small card
# Lane 1 takes photos and calls the officer now and then; lane 2 is quick. Both share one recorder.
_LANES = """\
[[lanes]]
name = "lane-1"
scenario = "lane-1.toml"
policy = { direction = "entry", specimens = "accept", photo = "wanted", show_s = 0.02, refer_s = 1, collect_s = 3 }
camera = { name = "camera-1", driver = "simulated", deadline_s = 2 }
panel = { name = "panel-1", driver = "simulated" }
readers = [{ name = "passport-1", driver = "simulated", baud = 1000000, idle_gap_s = 0.02 }]

[[lanes]]
name = "lane-2"
scenario = "lane-2.toml"
policy = { direction = "exit", specimens = "accept", photo = "off", show_s = 0.02, refer_s = 1, collect_s = 3 }
panel = { name = "panel-2", driver = "simulated" }
readers = [{ name = "passport-2", driver = "simulated", baud = 1000000, idle_gap_s = 0.02 }]
"""
_SCENARIO = """\
seed = {seed}
count = {count}
interval_s = {interval_s}
documents = ["TD3", "TD2", "TD3"]
boarding_pass_every = 0
officer = "accept"
officer_s = 0.01
patience_s = 5
witness = "{witness}"
faults = [{{ kind = "flip", every = 13, at_byte = 60 }}]
camera = {{ size_bytes = 20000, delay_s = 0.01 }}
"""


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The files in which travellers of each lane say what they saw."""

    paths: list[Path]

    def marks(self) -> Marks:
        """Return how many bytes each has by now."""
        return tuple(path.stat().st_size if path.exists() else 0 for path in self.paths)

    def seen_off(self, marks: Marks | None = None) -> set[SeenOff]:
        """Return who had left when the files had so many bytes; everybody by default."""
        marks = self.marks() if marks is None else marks
        return {
            SeenOff(document_number(lane, sighting.traveller), sighting.saw == "green")
            for lane, path, mark in zip(LANES, self.paths, marks, strict=True)
            for sighting in _sightings(path, mark)
        }

    def count(self, marks: Marks | None = None) -> tuple[int, ...]:
        """Return how many had left by lane."""
        marks = self.marks() if marks is None else marks
        return tuple(len(_sightings(path, mark)) for path, mark in zip(self.paths, marks, strict=True))


def _sightings(path: Path, mark: int) -> list[Sighting]:
    whole = (path.read_bytes() if path.exists() else b"")[:mark].rpartition(b"\n")[0]
    return [msgspec.json.decode(line, type=Sighting) for line in whole.splitlines()]


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the keys lie with which a post's records are judged."""

    record: Path
    opening: Path

    def examiner(self) -> Examiner:
        """Return an examiner that has them."""
        return Examiner(Verifier([load_public_key(self.record)]), Opener([load_private_key(self.opening)]))


class Post:
    """One kiosk of a deployment; its store lies in the folder `card`, which is made by others.

    `sabotage` spoils how it syncs (see the folder of that name).
    """

    def __init__(self, deployment: LocalDeployment, name: str, card: Path, *, sabotage: str = "") -> None:
        self.kiosk = f"{SITE}/{name}"
        self.folder = deployment.kiosk_folder(SITE, name)
        self.card = card
        scratch = self.folder / "tmp"  # what a killed kiosk leaves in its folder for temporary files
        environment: dict[str, str] = {"TMPDIR": str(scratch)}
        if sabotage:
            environment |= {"PYTHONPATH": str(SABOTAGE), "LANDFALL_SABOTAGE": sabotage}
        self.process = deployment.add_kiosk(SITE, name, lane=_LANES, environment=environment)
        scratch.mkdir()
        self._settle_store()
        self.witnesses = Witnesses([self.folder / f"witness-{lane}.jsonl" for lane in LANES])
        self.keys = Keys(self.folder / "record.pub.json", deployment.centre / "opening.key.json")

    def _settle_store(self) -> None:
        file = self.folder / "kiosk.toml"
        lines = file.read_text().splitlines()
        at = lines.index("[store]")
        lines[at + 1] = f'path = "{self.card / STORE}"\nkeep_receipted_h = {KEEP_RECEIPTED_H:.6f}\n{_BUDGET}'
        file.write_text("\n".join(lines))

    def expect(self, photographed: int, quick: int, *, pause_s: float = 0.0) -> None:
        """Say how many travellers come in all to lane 1 and to lane 2 (0 is without end) from the next start on."""
        for lane, count, witness in zip(LANES, (photographed, quick), self.witnesses.paths, strict=True):
            text = _SCENARIO.format(seed=lane, count=count, interval_s=pause_s, witness=witness)
            (self.folder / f"lane-{lane}.toml").write_text(text)

    def start(self) -> Start:
        """Start the kiosk, wait until its store is open, and return how long that took."""
        began_s = time.monotonic()
        self.process.start(ready="kiosk started")
        spoke_s = time.monotonic()
        self.process.wait_for("store ready")
        ready_s = time.monotonic()
        return Start(ready_s - began_s, ready_s - spoke_s)


def entries_at_centre(engine: Engine, kiosk: str, after: int = 0) -> list[Entry]:
    """Return what the centre holds of a kiosk's crossings after a sequence."""
    query = (
        select(record.c.type, record.c.sequence, record.c.plaintext)
        .where(record.c.kiosk == kiosk, record.c.stream == Stream.CROSSING, record.c.sequence > after)
        .order_by(record.c.sequence)
    )
    with engine.connect() as connection:
        found = (entry_of(row.type, row.sequence, row.plaintext) for row in connection.execute(query))
        return [entry for entry in found if entry is not None]
