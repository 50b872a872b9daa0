"""A recorder at work, for tests: its thread, its store, and what it tells; the disk and the clock are the test's."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from edge.cache import CacheReader, Head
from edge.disk import MB, DiskBudget
from edge.events import CrossingDraft, Moment, ReceiptAccepted, Recorded, RecordFailed, StoreReady
from edge.recorder import Recorder
from edge.seal import Opener, Sealer, Signer
from edge.wire.crossing import Clock, Outcome
from edge.wire.record import decode_record
from hw.devices import Guidance
from tests.harness.kiosk_records import new_letter_key, new_signing_key

SIGNING, CENTRE = new_signing_key(), new_letter_key()
OPENER = Opener([CENTRE])
WITHIN_S = 60.0
IDLE_S = 0.02
Event = TypeVar("Event")


class FakeClock:
    """The machine's clocks, as the test sets them: `at`, its state, the boot, and CLOCK_BOOTTIME."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.state = "synchronised"
        self.boot_id = "11111111-1111-4111-8111-111111111111"
        self.boottime_s = 100.0

    def now(self) -> Moment:
        """Return this moment."""
        bound_s = None if self.state == "unset" else 0.01
        return Moment(self.at, Clock(self.state, bound_s, self.boot_id, self.boottime_s))  # type: ignore[arg-type]

    def pass_s(self, seconds: float) -> None:
        """Let time pass, on both clocks."""
        self.at += timedelta(seconds=seconds)
        self.boottime_s += seconds


class Disk:
    """What the file system says it has left."""

    def __init__(self) -> None:
        self.free_mb = 10_000.0

    def __call__(self, folder: Path) -> int:
        return int(self.free_mb * MB)


class Desk:
    """One recorder and its thread; a context manager that opens the store and closes it again."""

    def __init__(
        self,
        path: Path,
        clock: FakeClock | None = None,
        *,
        keep_receipted_s: float = 3600.0,
        ready: type[object] = StoreReady,
    ) -> None:
        self.path, self._ready = path, ready
        self.clock = clock or FakeClock()
        self.disk = Disk()
        self.told: list[object] = []
        self._events: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.recorder = Recorder(
            "utopia/lane-1",
            path,
            sealer=Sealer(CENTRE),
            signer=Signer(SIGNING),
            put=self._events.put,
            now=self.clock.now,
            hardware="board-1",
            keep_receipted_s=keep_receipted_s,
            budget=DiskBudget(photos_stop_below=500 * MB, reserve=40 * MB),
            free_bytes=self.disk,
            idle_s=IDLE_S,
        )
        self._thread = threading.Thread(target=self.recorder.run)

    def __enter__(self) -> Desk:
        self._thread.start()
        self.wait_for(self._ready)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.recorder.stop()
        self._thread.join(timeout=WITHIN_S)
        assert not self._thread.is_alive()

    def wait_for(self, kind: type[Event], is_it: Callable[[Event], bool] = lambda event: True) -> Event:
        """Return the first event of this kind that `is_it` and that no other call has returned."""
        until_s = time.monotonic() + WITHIN_S
        while True:
            for event in self.told:
                if isinstance(event, kind) and is_it(event):
                    self.told.remove(event)
                    return event
            self.told.append(self._events.get(timeout=max(0.0, until_s - time.monotonic())))

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something came true in the store."""
        until_s = time.monotonic() + WITHIN_S
        while not is_so():
            assert time.monotonic() < until_s, "not in time"
            time.sleep(0.005)

    def cross(
        self,
        id: str,
        photo: bytes | None = None,
        quality: tuple[Guidance, ...] | None = None,
        group: str | None = None,
    ) -> Recorded | RecordFailed:
        """Let one traveller be recorded and return what came of it."""
        self.recorder.record(
            CrossingDraft(
                id=id,
                moment=self.clock.now(),
                direction="entry",
                lane="self_service",
                documents=(),
                conveyance=None,
                outcome=Outcome("passed", "rule"),
                training=False,
                photo=photo,
                photo_absent="" if photo else "off",
                photo_quality=quality,
                group=group,
            )
        )
        return self.wait_for(Recorded | RecordFailed, lambda event: event.id == id)  # type: ignore[arg-type]

    def receive(self, stream: str, up_to: int | None = None) -> None:
        """Let the centre's receipt for a stream arrive, for all of it by default."""
        head = self.head(stream)
        up_to = head.next_sequence - 1 if up_to is None else up_to
        self.recorder.follow(ReceiptAccepted(stream, head.epoch, up_to, "g", False))
        self.wait_until(lambda: self.head(stream).held_up_to >= up_to)

    # --- what is on disk ---------------------------------------------------------------------------------------------

    def head(self, stream: str) -> Head:
        """Return the head of a stream."""
        with CacheReader.open(self.path) as reader:
            return reader.heads()[stream]

    def letters(self, stream: str) -> list[dict[str, Any]]:
        """Return the letters of a stream that are still here, opened as the centre would."""
        with CacheReader.open(self.path) as reader:
            found = reader.first_after(stream, 0, limit=10_000, max_bytes=1 << 30)
        records = [decode_record(record.body) for record in found if hasattr(record, "body")]
        return [msgspec.json.decode(OPENER.open(record.data)) for record in records]

    def audited(self, event: str) -> list[dict[str, Any]]:
        """Return the details of every audit event of one name."""
        return [letter["detail"] for letter in self.letters("audit") if letter.get("event") == event]

    def state(self, key: str) -> str | None:
        """Return a value that the recorder keeps in the store."""
        with CacheReader.open(self.path) as reader:
            return reader.state(key)
