"""Whatever the order of calls, the store answers as a simple list of records would."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.cache import Cache, CacheReader, StoredRecord, Unreadable
from tests.edge.cache.specimens import EPOCH, begin, record

STREAM = "crossing"


class StreamModel(RuleBasedStateMachine):
    """One stream beside a second one that is always appended to in the same transactions."""

    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp(prefix="landfall-model-"))
        self.cache = Cache.open(self.folder / "kiosk.db")
        self.records = {}
        self.epoch, self.held, self.purged, self.receipts, self.forked = "", 0, 0, [], set()
        self.begin(EPOCH)
        self.reader = CacheReader.open(self.folder / "kiosk.db")

    def begin(self, epoch):
        self.epoch = epoch
        begin(self.cache, epoch, (STREAM, "evidence"))
        self.records[self.next] = record(STREAM, self.next, epoch)

    @property
    def next(self):
        return max(self.records, default=self.purged) + 1 if self.records else self.purged + 1

    @rule(count=st.integers(1, 5), size=st.sampled_from([0, 300, 5000, 40_000]))
    def append(self, count, size):
        new = [record(STREAM, self.next + n, self.epoch, size=size) for n in range(count)]
        other = self.cache.head("evidence").next_sequence
        self.cache.append([*new, record("evidence", other, self.epoch, size=size)])
        self.records |= {item.sequence: item for item in new}

    @rule(up_to=st.integers(-1, 40), at=st.integers(0, 9))
    def hold(self, up_to, at):
        self.cache.hold(STREAM, up_to, float(at))
        up_to = min(up_to, self.next - 1)
        if up_to > self.held:
            self.held = up_to
            self.receipts.append((up_to, at))

    @rule(to=st.integers(0, 40))
    def rewind(self, to):
        self.cache.rewind(STREAM, to)
        if to < self.held:
            self.held = to
            self.receipts = [receipt for receipt in self.receipts if receipt[0] <= to]

    @rule(before=st.integers(0, 10), slice_records=st.integers(1, 4))
    def purge(self, before, slice_records):
        released = max((up_to for up_to, at in self.receipts if at < before), default=0)
        limit = min(released, self.held, self.purged + slice_records)
        expected = max(limit - self.purged, 0)
        assert self.cache.purge(float(before), slice_records=slice_records) == expected
        for sequence in range(self.purged + 1, self.purged + expected + 1):
            if self.records[sequence].epoch not in self.forked:
                self.records[sequence] = None
        self.purged += expected

    @rule(epoch=st.sampled_from(["two", "three", "four"]))
    def begin_epoch(self, epoch):
        self.begin(epoch)

    @rule()
    def fork(self):
        self.cache.mark_forked(self.epoch)
        self.forked.add(self.epoch)

    @rule(position=st.integers(1, 40))
    @precondition(lambda self: self.next > 1)
    def set_aside(self, position):
        position = min(position, self.next - 1)
        if self.records[position] is not None:
            tombstone = record(STREAM, position, self.records[position].epoch, size=0)
            self.cache.set_aside(Unreadable(STREAM, position, "", "damaged"), tombstone)
            self.records[position] = tombstone

    @rule()
    def checkpoint(self):
        assert self.cache.checkpoint()

    @rule()
    def open_again(self):
        self.reader.close()
        self.cache.close()
        self.cache = Cache.open(self.folder / "kiosk.db")
        self.reader = CacheReader.open(self.folder / "kiosk.db")
        assert self.cache.salvaged is None

    @invariant()
    def the_store_says_what_the_model_says(self):
        head = self.reader.heads()[STREAM]
        assert head == self.cache.head(STREAM)
        here = [item for item in self.records.values() if item is not None]
        assert (head.epoch, head.next_sequence, head.held_up_to) == (self.epoch, self.next, self.held)
        assert (head.purged_up_to, head.count) == (self.purged, len(here))
        found = self.reader.first_after(STREAM, 0, limit=10**6, max_bytes=10**9)
        assert [item.sequence for item in found] == list(self.records)
        assert [item for item in found if isinstance(item, StoredRecord)] == here
        assert all(item.reason == "purged" for item in found if isinstance(item, Unreadable))
        assert [document.doc_id for document in self.reader.table(STREAM)] == [item.sequence for item in here]

    def teardown(self):
        self.reader.close()
        self.cache.close()
        shutil.rmtree(self.folder)


TestStreamModel = StreamModel.TestCase
TestStreamModel.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
