"""A small world for journeys: a deployment, its kiosks with their travellers, and the count at both ends."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Engine, create_engine, func, select

from central.tables import crossing, incident
from edge.cache import CacheReader, Head
from edge.control import ask
from edge.errors import LandfallError, StoreError
from edge.wire.record import CROSSING
from provisioning.demo.count import TwoEnds, count, sightings, unreceipted
from provisioning.local_broker import reserve_port
from provisioning.local_deployment import LocalDeployment, Process, wait_until

PATIENCE_S = 120.0
SITE, NAME = "dm-roseau", "ferry-01"
KIOSK = f"{SITE}/{NAME}"
LANE = """\
[[lanes]]
name = "lane-1"
scenario = "scenario.toml"
policy = {{ direction = "entry", specimens = "accept", {policy} }}
panel = {{ driver = "simulated" }}
readers = [{{ name = "passport", driver = "simulated", baud = 115200 }}]
{camera}
"""
QUICK = "show_s = 0.02, refer_s = 0.1, collect_s = 2, repeat_s = 0.5"
SCENARIO = """\
seed = {seed}
first = {first}
count = {count}
interval_s = {interval_s}
boarding_pass_every = 0
officer = "accept"
officer_s = 0.01
patience_s = 5
witness = "{witness}"
{more}
"""


class World:
    """A running broker and collectors; kiosks are added by the journey."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.deployment = LocalDeployment(folder / "deployment", **options)
        self.engine: Engine | None = None
        self._stack = ExitStack()

    def __enter__(self) -> World:
        with ExitStack() as stack:  # what was started is ended also when a collector does not get ready
            stack.enter_context(self.deployment)
            self.deployment.start_collectors()
            self.engine = create_engine(f"sqlite:///{self.database}")
            stack.callback(self.engine.dispose)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def database(self) -> Path:
        """Return the centre's SQLite file."""
        return self.deployment.centre / "centre.db"

    def folder(self, kiosk: str = KIOSK) -> Path:
        """Return a kiosk's folder."""
        return self.deployment.kiosk_folder(*kiosk.split("/"))

    def free_port(self) -> int:
        """Return a port for a process of this world, which nobody else is given as long as the world lasts."""
        return self._stack.enter_context(reserve_port()).getsockname()[1]

    # --- kiosks ------------------------------------------------------------------------------------------------------

    def add_kiosk(
        self, kiosk: str = KIOSK, *, policy: str = QUICK, camera: str = "", port: int | None = None, **scenario: Any
    ) -> Process:
        """Make a kiosk with its scenario and return its process, not started."""
        process = self.deployment.add_kiosk(
            *kiosk.split("/"), lane=LANE.format(policy=policy, camera=camera), port=port
        )
        self.travellers(self.folder(kiosk), **scenario)
        return process

    def travellers(
        self,
        folder: Path,
        *,
        seed: int = 1,
        first: int = 1,
        count: int = 20,
        interval_s: float = 0.0,
        more: str = "",
    ) -> None:
        """Write who comes to the kiosk of this folder when it starts next."""
        text = SCENARIO.format(
            seed=seed, first=first, count=count, interval_s=interval_s, more=more, witness=folder / "witness.jsonl"
        )
        (folder / "scenario.toml").write_text(text)

    def clone(self, kiosk: str, name: str) -> tuple[Process, Path]:
        """Copy a stopped kiosk's whole card, as somebody with a card reader would; return the twin's process."""
        twin = self.folder(kiosk).parent / name
        shutil.copytree(self.folder(kiosk), twin)
        (twin / "witness.jsonl").unlink(missing_ok=True)
        return self.deployment.process_of(kiosk, twin), twin

    def have_passed(self, number: int, folder: Path | None = None, within_s: float = PATIENCE_S) -> None:
        """Wait until so many travellers have left a kiosk."""
        folder = folder or self.folder()
        wait_until(lambda: len(sightings(folder)) >= number, within_s, f"{number} travellers passed")

    def drained(self, *folders: Path, within_s: float = PATIENCE_S) -> None:
        """Wait until no record awaits its receipt."""

        def is_drained() -> bool:
            try:
                return all(unreceipted(folder) == 0 for folder in folders or (self.folder(),))
            except StoreError:
                return False

        wait_until(is_drained, within_s, "every record has its receipt")

    def head(self, stream: str = "crossing", folder: Path | None = None) -> Head:
        """Return the head of a stream on the kiosk."""
        reader = CacheReader.open((folder or self.folder()) / "cache.db")
        try:
            return reader.heads()[stream]
        finally:
            reader.close()

    def bodies(self, stream: str = "crossing", folder: Path | None = None) -> list[bytes]:
        """Return what a kiosk publishes of a stream, record by record."""
        reader = CacheReader.open((folder or self.folder()) / "cache.db")
        try:
            found = reader.first_after(stream, 0, limit=100_000, max_bytes=1 << 30)
            return [record.body for record in found if hasattr(record, "body")]
        finally:
            reader.close()

    def status(self, folder: Path | None = None) -> dict[str, Any]:
        """Return what the running kiosk says of itself; empty while it does not answer."""
        try:
            return ask((folder or self.folder()) / "control.sock", "status")
        except LandfallError:
            return {}

    def troubles(self, folder: Path | None = None) -> dict[str, int]:
        """Return what the kiosk's uplink did not follow, and how often."""
        return self.status(folder).get("uplink", {}).get("troubles", {})

    # --- the centre --------------------------------------------------------------------------------------------------

    @property
    def collector(self) -> Process:
        """Return the first collector."""
        return self.deployment.collectors[0]

    def ends(self, kiosk: str = KIOSK, *folders: Path) -> TwoEnds:
        """Return the two-ended count of a kiosk."""
        assert self.engine is not None
        return count(self.engine, kiosk, *(folders or (self.folder(kiosk),)))

    def stored(self, kiosk: str = KIOSK) -> int:
        """Return how many crossings of a kiosk the centre holds."""
        assert self.engine is not None
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).where(crossing.c.kiosk == kiosk)) or 0

    def incidents(self, kiosk: str = KIOSK) -> set[str]:
        """Return the kinds of incident that the centre has reported of a kiosk."""
        assert self.engine is not None
        with self.engine.connect() as connection:
            return set(connection.scalars(select(incident.c.kind).where(incident.c.kiosk == kiosk)))

    def reconciles(self, kiosk: str = KIOSK) -> bool:
        """Ask the two command lines, as an operator would, whether both ends agree."""
        figures = self.deployment.run(
            "edge.cli", "queue", "stats", "--json", "--config", str(self.folder(kiosk) / "kiosk.toml")
        )
        path = self.folder(kiosk) / "count.json"
        path.write_text(figures)
        report = self.deployment.run(
            "central.cli",
            "reconcile",
            "--config",
            str(self.deployment.central_config),
            "--kiosk-count",
            str(path),
            "--json",
            ok=(0, 1),
        )
        found = json.loads(report)
        return not (found["lost"] or found["duplicated"] or found["surplus"] or found["chain_breaks"])


def crossings_on_disk(folder: Path) -> int:
    """Return how many crossings a kiosk's store holds."""
    reader = CacheReader.open(folder / "cache.db")
    try:
        return sum(row["type"] == CROSSING for row in reader.table("crossing"))
    finally:
        reader.close()
