"""The one writer of the store: seals what a lane wants recorded, and appends it with one sync.

Owns the thread that holds the writing connection, and every change of the store: append, receipts, tombstones, epochs,
purging, and when a boot is dated; how a record is written stands in `edge.letters`, and what there is room for in
`edge.disk`. Always true: `Recorded` goes out only after the commit was synced; a failure leaves nothing half written
and the thread goes on; a photo and its crossing are one transaction; a disk that runs full loses photos first, then the
lane, and never a record that the centre does not hold.
"""

from __future__ import annotations

import contextlib
import math
import queue
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import boots
from edge.boots import Boots
from edge.cache import Cache, StoredRecord, Unreadable
from edge.cache.records import PURGED
from edge.disk import DiskBudget, RoomForStore
from edge.errors import KeyDropped, StoreDamaged, StoreError
from edge.events import (
    CrossingDraft,
    DecisionDraft,
    Draft,
    EpochEnded,
    KeyWasDropped,
    Moment,
    ReceiptAccepted,
    Recorded,
    RecordFailed,
    RecordUnreadable,
    ResendAsked,
    Room,
    StateKept,
    StoreChanged,
    StoreFailed,
    StoreReady,
    VoidDraft,
)
from edge.groups import count_of
from edge.letters import Letters
from edge.seal import Sealer, Signer
from edge.wire.record import Position
from edge.wire.topics import Stream

IDLE_S = 2.0
REOPEN_S = 5.0
PURGE_SLICE = 200
BOOTS = "boots"
KEY_DROPPED = "key_dropped"  # since when
REARMED = "rearmed"

_Found = ReceiptAccepted | ResendAsked | RecordUnreadable | EpochEnded


@dataclass(frozen=True, slots=True)
class _Audit:
    event: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Keep:
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class _Note:
    key: str
    value: str
    audit: _Audit


@dataclass(frozen=True, slots=True)
class _DropKey:
    event: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Probe:
    """Write one audit record, to see whether the disk takes it."""


@dataclass(frozen=True, slots=True)
class _Stop:
    """End the thread after what is in the queue."""


class Recorder:
    """Runs in a thread of its own through `run`; every other method may be called from any thread."""

    def __init__(
        self,
        kiosk: str,
        path: Path,
        *,
        sealer: Sealer,
        signer: Signer,
        put: Callable[[object], None],
        now: Callable[[], Moment],
        hardware: str,
        keep_receipted_s: float,
        budget: DiskBudget,
        free_bytes: Callable[[Path], int],
        floor_s: float = 0.0,
        idle_s: float = IDLE_S,
    ) -> None:
        self._kiosk = kiosk
        self._path = path
        self._letters = Letters(kiosk, sealer, signer)
        self._tell, self._now = put, now
        self._hardware = hardware
        self._keep_receipted_s = keep_receipted_s
        self._room = RoomForStore(
            path.parent,
            budget,
            free_bytes=free_bytes,
            reusable_bytes=lambda: self._store.reusable_bytes(),
            tell=put,
            audit=self.audit,
        )
        self._idle_s, self._is_tidying = idle_s, False
        self._owed: dict[tuple[type, str], _Found] = {}  # what the uplink found and the disk did not take
        self._queue: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._floor_s = floor_s
        self._boots: Boots | None = None
        self._boots_kept: boots.Kept | None = None
        self._cache: Cache | None = None
        self._is_key_dropped = False

    # --- called from other threads -----------------------------------------------------------------------------------

    def record(self, draft: Draft) -> None:
        """Put a draft on disk; `Recorded` or `RecordFailed` follows."""
        self._queue.put(draft)

    def audit(self, event: str, **detail: object) -> None:
        """Put an event of the machine on the audit stream; a failure is not reported, the lane does not wait for it."""
        self._queue.put(_Audit(event, detail))

    def note(self, key: str, value: str, event: str, **detail: object) -> None:
        """Keep a small value, and put why on the audit stream; `StateKept` says whether the disk took it."""
        self._queue.put(_Note(key, value, _Audit(event, detail)))

    def follow(self, event: _Found) -> None:
        """Change the store as the uplink has found necessary; `StoreChanged` follows, once the disk has taken it."""
        self._queue.put(event)

    def keep(self, key: str, value: str) -> None:
        """Keep a small value from one start to the next; an empty one is forgotten. A failure is not reported."""
        self._queue.put(_Keep(key, value))

    def drop_key(self, event: str, **detail: object) -> None:
        """Audit an event, sign nothing after it, and remember that beyond a restart; `KeyWasDropped` follows."""
        self._queue.put(_DropKey(event, detail))

    def probe(self) -> None:
        """Try to write; `StoreReady` follows when it works."""
        self._queue.put(_Probe())

    def stop(self) -> None:
        """Finish what is queued, close the store and end the thread."""
        self._queue.put(_Stop())

    # --- the thread --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Work until `stop`, or until the store turns out to be damaged (`StoreFailed`: a restart salvages it)."""
        try:
            while self._cache is None:
                if not self._open() and self._refuse_for(REOPEN_S):
                    return
            with contextlib.suppress(StoreError):
                self._room.measure()
            self._tell(KeyWasDropped(is_new=False) if self._is_key_dropped else StoreReady())
            while True:
                try:
                    request = self._queue.get(timeout=0 if self._is_tidying else self._idle_s)
                except queue.Empty:
                    self._is_tidying = self._tidy()
                    continue
                if isinstance(request, _Stop):
                    if not self._is_key_dropped:
                        self._date_boots(is_last=True)
                    return
                self._do(request)
        except StoreDamaged as error:
            self._tell(StoreFailed(error.message))
        finally:
            if self._cache is not None:
                self._cache.close()

    def _open(self) -> bool:
        """Open the store, salvaging it if it is damaged; return False while the disk does not let us."""
        try:
            cache = Cache.open(self._path)
            self._cache = cache
            self._look_at_heads()
            if cache.state(KEY_DROPPED):
                self._is_key_dropped = True
                return True
            self._boots = Boots(boots.decode(cache.state(BOOTS)), now := self._now(), floor_s=self._floor_s)
            self._boots.wrote(now.clock)  # this start will be on record in a moment
            if reason := self._why_new_epoch(cache):
                self._begin_epoch(reason)
            cache.set_state("hardware", self._hardware)
            cache.set_state(BOOTS, boots.encode(self._boots))
        except StoreError as error:
            if self._cache is not None:
                self._cache.close()
                self._cache = None
            self._tell(RecordFailed("", error.message))
            return False
        return True

    def _why_new_epoch(self, cache: Cache) -> str:
        if cache.salvaged is not None:
            return "salvaged"
        if any(stream not in self._letters.heads for stream in Stream):
            return "new_store"
        known = cache.state("hardware") or ""
        return "other_hardware" if known and self._hardware and known != self._hardware else ""

    def _refuse_for(self, seconds: float) -> bool:
        """Answer requests with failure while there is no store; return whether the thread shall end."""
        until_s = self._now().clock.boottime_s + seconds
        while (left_s := until_s - self._now().clock.boottime_s) > 0:
            with contextlib.suppress(queue.Empty):
                match self._queue.get(timeout=left_s):
                    case _Stop():
                        return True
                    case CrossingDraft(id=id) | DecisionDraft(id=id) | VoidDraft(id=id):
                        self._tell(RecordFailed(id, "the store is not open"))
                    case _Note(key=key, value=value):
                        self._tell(StateKept(key, value, is_kept=False))
        return False

    def _do(self, request: object) -> None:
        """Carry out one request; a failure of the disk answers it and leaves the thread alive."""
        if self._is_key_dropped:
            self._do_without_key(request)
            return
        try:
            match request:
                case CrossingDraft():
                    self._record(request, self._letters.crossing(self._room.within_budget(request)))
                case DecisionDraft():
                    self._record(request, [self._letters.decision(request)])
                case VoidDraft():
                    self._record(request, [self._letters.void(request)])
                case _Audit():
                    self._write_audit(request.event, **request.detail)
                case _Keep():
                    self._store.set_state(request.key, request.value)
                case _Note():
                    self._store.set_state(request.key, request.value)
                    self._write_audit(request.audit.event, **request.audit.detail)
                    self._tell(StateKept(request.key, request.value, is_kept=True))
                case _DropKey():
                    self._drop_key(request)
                case _Probe():
                    self._room.measure()
                    if self._room.room is not Room.NONE:
                        self._write_audit("store_probed")
                        self._tell(StoreReady())
                case ReceiptAccepted():
                    self._hold(request)
                case ResendAsked():
                    self._rewind(request)
                case RecordUnreadable():
                    self._set_aside(request)
                case EpochEnded():
                    self._end_epoch(request)
        except StoreDamaged:
            raise
        except StoreError as error:
            self._look_at_heads()
            if isinstance(request, Draft):
                self._tell(RecordFailed(request.id, error.message))
            elif isinstance(request, _Note):
                self._tell(StateKept(request.key, request.value, is_kept=False))
            elif isinstance(request, _Found):
                self._owed[type(request), request.stream] = request  # a newer one of its kind says all that it did

    def _drop_key(self, request: _DropKey) -> None:
        """Drop the key, whether or not the disk takes what it would sign last."""
        try:
            self._write_audit(request.event, **request.detail, key_dropped=True)
            self._store.set_state(KEY_DROPPED, self._now().text)
        finally:
            self._is_key_dropped = True
            self._tell(KeyWasDropped(is_new=True))

    def _do_without_key(self, request: object) -> None:
        if isinstance(request, Draft):
            self._tell(RecordFailed(request.id, KeyDropped().message))
        elif isinstance(request, _Note):
            self._tell(StateKept(request.key, request.value, is_kept=False))
        elif isinstance(request, _Keep):
            with contextlib.suppress(StoreError):
                self._store.set_state(request.key, request.value)

    def _do_what_is_owed(self) -> None:
        owed, self._owed = self._owed, {}
        for request in owed.values():
            self._do(request)

    def _tidy(self) -> bool:
        """Purge one slice of what was receipted long ago, else checkpoint; return whether there is more to do.

        While room is short, what was receipted a moment ago goes too.
        """
        if self._is_key_dropped:
            return False
        self._do_what_is_owed()
        with contextlib.suppress(StoreError):
            self._room.measure()
            is_short = self._room.room is not Room.PLENTY
            before_s = math.inf if is_short else self._known_boots.running_s(self._now()) - self._keep_receipted_s
            if self._store.purge(before_s, slice_records=PURGE_SLICE):
                return True
            self._date_boots()
            self._store.checkpoint()
        return False

    # --- time --------------------------------------------------------------------------------------------------------

    def _date_boots(self, *, is_last: bool = False) -> None:
        """Say in amendments when undated boots were, once the clock is synchronised; keep what is known of boots."""
        with contextlib.suppress(StoreError):
            known, now = self._known_boots, self._now()
            known.look(now)
            intervals = known.intervals(now)
            for interval in intervals:
                self._append([self._letters.clock(interval, now)], now)
            if intervals:
                known.dated()
            if is_last:
                known.stopped()
            if is_last or known.is_news_after(self._boots_kept):
                self._store.set_state(BOOTS, boots.encode(known), synced=bool(intervals))
                self._boots_kept = known.kept

    # --- drafts ------------------------------------------------------------------------------------------------------

    def _record(self, draft: Draft, records: list[StoredRecord]) -> None:
        self._append(records, draft.moment, self._counted(draft))
        last = records[-1]
        self._tell(Recorded(draft.id, Position(self._kiosk, last.epoch, last.stream, last.sequence)))

    def _counted(self, draft: Draft) -> dict[str, str]:
        """Return the count of the draft's group as it will be, to be kept in the same transaction."""
        if isinstance(draft, DecisionDraft) or not draft.group:
            return {}
        if not (count := self._store.state(count_of(draft.group))):
            return {}  # the group was closed meanwhile
        return {count_of(draft.group): str(int(count) + (1 if isinstance(draft, CrossingDraft) else -1))}

    def _write_audit(self, event: str, **detail: object) -> None:
        moment = self._now()
        self._append([self._letters.audit(event, detail, moment)], moment)

    # --- what the uplink found ---------------------------------------------------------------------------------------

    def _hold(self, receipt: ReceiptAccepted) -> None:
        if receipt.is_forked:
            self._store.mark_forked(receipt.epoch)
        self._remember_generation(receipt.generation)
        self._store.hold(receipt.stream, receipt.up_to, self._known_boots.running_s(self._now()))
        self._is_tidying |= self._room.room is not Room.PLENTY
        self._tell(StoreChanged())

    def _rewind(self, resend: ResendAsked) -> None:
        self._remember_generation(resend.generation)
        self._owed.pop((ReceiptAccepted, resend.stream), None)  # an older word of the centre than this one
        self._store.rewind(resend.stream, resend.after)
        self._write_audit("resend_followed", stream=resend.stream, after=resend.after)
        self._tell(StoreChanged(rewound=(resend.stream,)))

    def _remember_generation(self, generation: str) -> None:
        if generation > (self._store.state("generation") or ""):
            self._store.set_state("generation", generation)

    def _set_aside(self, found: RecordUnreadable) -> None:
        """Put a signed tombstone in the place of a record that cannot be read or sent."""
        tombstone = self._letters.tombstone(found, self._now())
        self._store.set_aside(Unreadable(found.stream, found.sequence, found.hash, found.reason), tombstone)
        if found.reason != PURGED:  # released long ago; the centre has lost it since, and knows
            self._write_audit("record_set_aside", stream=found.stream, sequence=found.sequence, reason=found.reason)
        self._tell(StoreChanged())

    def _end_epoch(self, ended: EpochEnded) -> None:
        if ended.reason == "forked":
            self._store.mark_forked(ended.epoch)
        if self._letters.heads[ended.stream].epoch == ended.epoch:
            self._begin_epoch(ended.reason)
            self._tell(StoreChanged())

    # --- sealing and appending ---------------------------------------------------------------------------------------

    @property
    def _store(self) -> Cache:
        assert self._cache is not None, "the store is open while requests are carried out"
        return self._cache

    @property
    def _known_boots(self) -> Boots:
        assert self._boots is not None, "boots are known while the store is open"
        return self._boots

    def _begin_epoch(self, reason: str) -> None:
        """Begin a new epoch in every stream, each with a first record that says what was before."""
        moment, epoch, salvaged = self._now(), uuid.uuid4().hex, self._store.salvaged
        first = self._letters.epoch(epoch, reason, moment, previous=salvaged.epoch if salvaged is not None else None)
        self._store.begin_epoch(epoch, moment.text, reason, first)
        self._look_at_heads()

    def _look_at_heads(self) -> None:
        self._letters.heads = dict(self._store.heads())

    def _append(self, records: list[StoredRecord], moment: Moment, state: Mapping[str, str] | None = None) -> None:
        self._known_boots.wrote(moment.clock)
        began_s = self._now().clock.boottime_s
        self._store.append(records, state)
        commit_s = self._now().clock.boottime_s - began_s
        self._look_at_heads()
        self._tell(StoreChanged(commit_s=commit_s))
