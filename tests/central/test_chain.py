"""The rules of the chain: a table of cases, and the promise that the order of arrival does not matter."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.chain import Arrival, End, Entry, Epoch, Standing, Succession, judge_succession

# In these tables the hash of a record is its name.


def epoch_record(sequence=1, name="a1", prev=""):
    return Entry(sequence, name, prev, Standing.OPENED, founds=True, content=name)


def record(sequence, name, prev, standing=Standing.OPENED):
    return Entry(sequence, name, prev, standing, content=name)


def tombstone(sequence, replaces, prev):
    return Entry(sequence, replaces, prev, Standing.TOMBSTONE, founds=sequence == 1, content=f"tombstone of {replaces}")


def blank(sequence, prev):
    name = f"blank{sequence}"
    return Entry(sequence, name, prev, Standing.BLANK, founds=sequence == 1, content=name)


class Shelf:
    """The smallest store there can be: it loads and writes what the real one does."""

    def __init__(self):
        self.rows: dict[tuple[int, str], Entry] = {}
        self.ends: dict[int, End] = {}
        self.arrivals: list[Arrival] = []
        self.asked: set[int] = set()

    def take(self, *batch):
        near = {sequence + step for sequence in (one.sequence for one in batch) for step in (-1, 0, 1)}
        epoch = Epoch(self.ends, [replace(row) for row in self.rows.values() if row.sequence in near])
        self.arrivals += [epoch.arrive(replace(one)) for one in batch]
        epoch.settle()
        if epoch.moved:
            for row in sorted(self.rows.values(), key=lambda row: row.sequence):
                if row.branch is None:
                    epoch.remember(replace(row))
            epoch.settle()
        for entry in epoch.entries:
            if entry.stored_hash is not None:
                self.rows.pop((entry.sequence, entry.stored_hash))
            self.rows[entry.sequence, entry.hash] = replace(entry, stored_hash=entry.hash, is_changed=False)
        self.ends = dict(epoch.ends)
        self.asked = set(epoch.asked)
        return self

    @property
    def standing(self):
        return {row.hash for row in self.rows.values() if row.branch is not None}

    @property
    def waiting(self):
        return {row.hash for row in self.rows.values() if row.branch is None}

    @property
    def leaves(self):
        return {(end.held_up_to, end.hash_at) for end in self.ends.values()}


A1, A2, A3, A4 = epoch_record(), record(2, "a2", "a1"), record(3, "a3", "a2"), record(4, "a4", "a3")
B2, B3 = record(2, "b2", "a1"), record(3, "b3", "b2")

CASES = {
    "in order": ([[A1], [A2], [A3]], {"a1", "a2", "a3"}, {(3, "a3")}),
    "in one batch, backwards": ([[A3, A2, A1]], {"a1", "a2", "a3"}, {(3, "a3")}),
    "before its epoch record": ([[A2, A3]], set(), set()),
    "a hole": ([[A1, A3, A4]], {"a1"}, {(1, "a1")}),
    "a hole that closes": ([[A1, A3, A4], [A2]], {"a1", "a2", "a3", "a4"}, {(4, "a4")}),
    "an epoch that starts late in the count": (
        [[epoch_record(700, "z", "old"), record(701, "y", "z")]],
        {"z", "y"},
        {(701, "y")},
    ),
    "a clone": ([[A1, A2, A3], [B2, B3]], {"a1", "a2", "a3", "b2", "b3"}, {(3, "a3"), (3, "b3")}),
    "a clone whose second record comes first": (
        [[A1, A2], [B3], [B2]],
        {"a1", "a2", "b2", "b3"},
        {(2, "a2"), (3, "b3")},
    ),
    "somebody else's predecessor": ([[A1, A2], [record(3, "x", "nothing")]], {"a1", "a2"}, {(2, "a2")}),
    "a tombstone that knows": ([[A1, tombstone(2, "a2", "a1"), A3]], {"a1", "a2", "a3"}, {(3, "a3")}),
    "a tombstone that does not know": ([[A1], [blank(2, "a1")], [A3]], {"a1", "a2", "a3"}, {(3, "a3")}),
    "a tombstone at the end": ([[A1, blank(2, "a1")]], {"a1", "blank2"}, {(2, "blank2")}),
    "a tombstone of the first record": ([[tombstone(1, "a1", ""), A2]], {"a1", "a2"}, {(2, "a2")}),
    "two that nobody can read": ([[A1, blank(2, "a1"), blank(3, ""), A4]], {"a1", "blank2", "a3", "a4"}, {(4, "a4")}),
    "a second epoch record": ([[A1, A2, epoch_record(3, "n", "a2")]], {"a1", "a2", "n"}, {(2, "a2"), (3, "n")}),
}


@pytest.mark.parametrize(("batches", "standing", "leaves"), CASES.values(), ids=CASES.keys())
def test_records_stand_where_the_rules_say(batches, standing, leaves):
    shelf = Shelf()
    for batch in batches:
        shelf.take(*batch)
    assert (shelf.standing, shelf.leaves) == (standing, leaves)


def test_a_duplicate_is_answered_for_and_changes_nothing():
    shelf = Shelf().take(A1, A2)
    before = dict(shelf.ends)
    shelf.take(A1)
    assert (shelf.arrivals[-1], shelf.ends, shelf.asked) == (Arrival.DUPLICATE, before, {0})


def test_a_duplicate_within_a_batch_is_one_too():
    assert Shelf().take(A1, A1).arrivals == [Arrival.NEW, Arrival.DUPLICATE]


def test_nothing_is_answered_for_a_record_that_waits():
    assert Shelf().take(A1).take(A3).asked == set()


def test_a_tombstone_of_what_is_held_is_a_duplicate():
    shelf = Shelf().take(A1, A2, A3).take(tombstone(2, "a2", "a1"), blank(2, "a1"))
    assert shelf.arrivals[-2:] == [Arrival.DUPLICATE, Arrival.DUPLICATE]
    assert shelf.rows[2, "a2"].standing is Standing.OPENED


@pytest.mark.parametrize("mark", [tombstone(2, "a2", "a1"), blank(2, "a1")], ids=["knows", "does not know"])
@pytest.mark.parametrize("after", [[], [A3]], ids=["at the end", "before others"])
def test_the_record_itself_takes_the_place_of_its_tombstone(mark, after):
    shelf = Shelf().take(A1, mark, *after).take(A2)
    assert shelf.arrivals[-1] is Arrival.BETTER
    assert shelf.rows[2, "a2"].standing is Standing.OPENED
    assert shelf.leaves == {(3, "a3") if after else (2, "a2")}


def test_a_record_that_could_not_be_read_is_replaced_by_its_readable_copy():
    shelf = Shelf().take(A1, record(2, "a2", "a1", Standing.QUARANTINE)).take(A2)
    assert shelf.arrivals[-1] is Arrival.BETTER
    assert shelf.rows[2, "a2"].standing is Standing.OPENED


def test_another_record_at_the_place_of_a_tombstone_is_a_fork():
    shelf = Shelf().take(A1, tombstone(2, "a2", "a1"), B2)
    assert shelf.leaves == {(2, "a2"), (2, "b2")}


def test_a_tombstone_stands_for_the_clones_lost_record_when_its_successor_says_so():
    shelf = Shelf().take(A1, A2).take(B3).take(blank(2, "a1"))
    assert shelf.leaves == {(2, "a2"), (3, "b3")}


def descends(shelf, row):
    """Tell whether every record from here down to an epoch record stands."""
    while not row.founds:
        parents = [one for one in shelf.rows.values() if one.sequence == row.sequence - 1 and one.branch is not None]
        row = next((one for one in parents if one.hash == row.prev or one.standing is Standing.BLANK), None)
        if row is None:
            return False
    return True


@st.composite
def histories(draw):
    """A tree of records, then all of them with repetitions, in any order, cut into batches."""
    first = draw(st.sampled_from([1, 2, 900]))
    tree = [epoch_record(first, "r0", draw(st.sampled_from(["", "before"])))]
    shape = draw(st.lists(st.integers(0, 2), min_size=1, max_size=9))
    for number, back in enumerate(shape, start=1):  # back: 0 grows the tree at its newest record, more forks it
        parent = tree[max(0, len(tree) - 1 - back * 2)]
        tree.append(record(parent.sequence + 1, f"r{number}", parent.hash))
    is_forked = len({one.prev for one in tree[1:]}) < len(tree) - 1
    sent = []
    for one in tree:
        choice = draw(st.integers(0, 5)) if one is not tree[0] else 5
        mark = tombstone(one.sequence, one.hash, one.prev) if is_forked else blank(one.sequence, one.prev)
        sent += {0: [mark], 1: [mark, one], 2: [tombstone(one.sequence, one.hash, one.prev), one]}.get(choice, [one])
    arrivals = draw(st.permutations(sent + draw(st.lists(st.sampled_from(sent), max_size=5))))
    cuts = sorted(draw(st.lists(st.integers(0, len(arrivals)), max_size=4)))
    return tree, sent, [arrivals[a:b] for a, b in zip([0, *cuts], [*cuts, len(arrivals)], strict=True)]


@settings(max_examples=200, deadline=None)
@given(histories())
def test_any_order_repetition_and_batching_ends_in_the_same_state_and_no_prefix_covers_a_hole(history):
    tree, sent, batches = history
    shelf = Shelf()
    for batch in batches:
        shelf.take(*batch)
        assert all(descends(shelf, row) for row in shelf.rows.values() if row.branch is not None)
        for number, end in shelf.ends.items():
            held = [row.sequence for row in shelf.rows.values() if row.branch == number]
            assert sorted(held) == list(range(end.root_sequence, end.held_up_to + 1))
            assert shelf.rows[end.held_up_to, end.hash_at].branch == number
    parents = {one.prev for one in tree}
    readable = {one.hash for one in sent if one.standing is Standing.OPENED}
    last_is_blank = {one.hash: f"blank{one.sequence}" for one in tree if one.hash not in parents | readable}
    only_blank = {one.sequence for one in sent if one.standing is Standing.BLANK}

    def name(one):
        return last_is_blank.get(one.hash, one.hash) if one.sequence in only_blank else one.hash

    assert shelf.waiting == set()
    assert shelf.standing == {name(one) for one in tree}
    assert shelf.leaves == {(one.sequence, name(one)) for one in tree if one.hash not in parents}
    assert {row.hash for row in shelf.rows.values() if row.standing is Standing.OPENED} == readable


SUCCESSIONS = {
    "a new store": (Succession("", 0, "", "new_store"), [], [], ""),
    "all of it held": (Succession("e", 5, "h", "salvaged"), [End(1, 5, "h")], ["h"], ""),
    "some of it still on its way": (Succession("e", 5, "h", "salvaged"), [End(1, 3, "g")], [], ""),
    "more held than the kiosk knows": (Succession("e", 5, "h", "rolled_back"), [End(1, 9, "z")], ["h"], "rolled_back"),
    "another end held": (Succession("e", 5, "h", "salvaged"), [End(1, 5, "x")], ["x"], "cut_tail"),
    "one of two branches is the kiosk's": (
        Succession("e", 5, "h", "forked"),
        [End(1, 5, "x"), End(4, 5, "h")],
        ["x", "h"],
        "",
    ),
}


@pytest.mark.parametrize(("said", "ends", "held", "kind"), SUCCESSIONS.values(), ids=SUCCESSIONS.keys())
def test_what_an_epoch_says_of_the_one_before_is_compared_with_what_is_held(said, ends, held, kind):
    assert judge_succession(said, ends, held) == kind
