"""What several benchmarks need of a border post: its keys, drafts as a lane makes them, and a recorder in its thread.

Owns no figure. The travellers are specimens; the drafts come from the real state machine, and the records from the real
recorder, so their sizes are those of a kiosk.
"""

from __future__ import annotations

import queue
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import uuid6
from joserfc.jwk import OKPKey

from edge.clock import SystemClock
from edge.disk import MB, DiskBudget, free_bytes
from edge.documents.read import read
from edge.events import CrossingDraft, Record, Recorded, RecordFailed, StoreReady
from edge.kiosk import Kiosk
from edge.recorder import Recorder
from edge.seal import Sealer, Signer
from edge.settings import LaneSettings, PolicySettings
from hw.devices import DocumentRead, Frame
from hw.framing import Family
from hw.simulated.camera_child import specimen_jpeg
from hw.simulated.travellers import specimen

KIOSK = "bench-post/kiosk-1"
PHOTO_BYTES = 40_000
FILL_AT_ONCE = 1_000
POLICY = PolicySettings(specimens="accept")
clock = SystemClock(floor=datetime(2026, 1, 1, tzinfo=UTC), has_rtc=True)


@dataclass(frozen=True, slots=True)
class Keys:
    """Both halves of everything that a kiosk and its centre need."""

    kiosk: OKPKey = field(default_factory=lambda: OKPKey.generate_key("Ed25519"), repr=False)
    centre: OKPKey = field(default_factory=lambda: OKPKey.generate_key("X25519"), repr=False)


def draft(ordinal: int, *, photo: bool = False) -> CrossingDraft:
    """Return what a lane wants recorded of one specimen traveller, with a photo of `PHOTO_BYTES` if one is wanted."""
    lane = Kiosk(
        LaneSettings(name="lane-1", policy=POLICY), new_id=lambda: str(uuid6.uuid7()), read=read, memory_key=bytes(32)
    )
    now = clock.now()
    lane.handle(StoreReady(), now)
    seen = lane.handle(DocumentRead("passport", Frame(specimen(1, ordinal).mrz, Family.RAW)), now)
    made = next(action.draft for action in seen if isinstance(action, Record))
    return replace(made, photo=specimen_jpeg(PHOTO_BYTES), photo_absent="") if photo else made


class Desk:
    """A recorder in a thread of its own; `record` returns when the crossings are on disk."""

    def __init__(self, path: Path, keys: Keys) -> None:
        self._events: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.recorder = make_recorder(path, keys, self._events.put)
        self._thread = threading.Thread(target=self.recorder.run, name="recorder")

    def __enter__(self) -> Desk:
        self._thread.start()
        self._wait_for(StoreReady)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.recorder.stop()
        self._thread.join()

    def record(self, *crossings: CrossingDraft) -> None:
        """Put crossings on disk."""
        for crossing in crossings:
            self.recorder.record(crossing)
        for _ in crossings:
            self._wait_for(Recorded)

    def _wait_for(self, kind: type) -> None:
        while not isinstance(event := self._events.get(timeout=30), kind):
            if isinstance(event, RecordFailed):
                raise RuntimeError(event.reason)


def make_recorder(path: Path, keys: Keys, put: Callable[[object], None]) -> Recorder:
    """Return a recorder as the daemon makes it."""
    return Recorder(
        KIOSK,
        path,
        sealer=Sealer(keys.centre),
        signer=Signer(keys.kiosk),
        put=put,
        now=clock.now,
        hardware="",
        keep_receipted_s=3600,
        budget=DiskBudget(1 * MB, 1 * MB),
        free_bytes=free_bytes,
    )


def fill(path: Path, keys: Keys, count: int) -> None:
    """Make a store at `path` with so many sealed crossings, as a recorder wrote them on a disk that costs nothing."""
    travellers = [draft(ordinal) for ordinal in range(1, 101)]
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else path.parent) as folder:
        made = Path(folder) / path.name
        with Desk(made, keys) as desk:
            for first in range(0, count, FILL_AT_ONCE):
                some = range(first, min(first + FILL_AT_ONCE, count))
                desk.record(*(replace(travellers[n % len(travellers)], id=str(uuid6.uuid7())) for n in some))
        shutil.copyfile(made, path)
    path.chmod(0o600)
