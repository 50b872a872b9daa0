from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.powercut.card import Card, Create, Remove, Rename, Resize, Survival, Sync, SyncNames, Write

CHANCE = Random(1)
WRITES = st.builds(Write, st.just(0), st.integers(0, 3000), st.binary(min_size=1, max_size=2000))
CHANGES = st.lists(st.one_of(WRITES, st.builds(Resize, st.just(0), st.integers(0, 4000))), max_size=8)


def left(card, survival=Survival.NOTHING):
    return card.after_cut(survival, CHANCE)


def test_what_was_not_synced_is_gone_and_a_file_without_a_synced_name_too():
    card = Card()
    for operation in (Create("a", 1), Write(1, 0, b"one"), Sync(1)):
        card.apply(operation)
    assert left(card) == {}
    card.apply(SyncNames())
    card.apply(Write(1, 3, b"two"))
    assert left(card) == {"a": b"one"}
    assert left(card, Survival.EVERYTHING) == {"a": b"onetwo"}


def test_a_synced_name_of_a_file_that_was_not_synced_is_an_empty_file():
    card = Card()
    for operation in (Create("a", 1), Write(1, 0, b"one"), SyncNames()):
        card.apply(operation)
    assert left(card) == {"a": b""}


def test_a_file_that_was_removed_is_back_until_the_folder_is_synced():
    card = Card({"a": b"one"})
    card.apply(Remove("a"))
    assert left(card) == {"a": b"one"}
    card.apply(SyncNames())
    assert left(card) == {}


def test_a_rename_takes_effect_whole_or_not_at_all():
    card = Card({"old": b"one", "new": b"two"})
    card.apply(Rename("old", "new"))
    outcomes = {tuple(sorted(left(card, Survival.SCATTERED).items())) for _ in range(50)}
    assert outcomes == {(("new", b"one"),), (("new", b"two"), ("old", b"one"))}


def test_the_last_write_is_torn_between_two_sectors():
    card = Card({"a": bytes(1200)})
    card.apply(Write(0, 100, b"x" * 1000))
    torn = {left(card, Survival.TORN)["a"].count(b"x") for _ in range(50)}
    assert torn == {412, 924}


def test_a_write_within_one_sector_cannot_be_torn():
    card = Card({"a": bytes(512)})
    card.apply(Write(0, 0, b"x" * 512))
    assert Survival.TORN not in card.survivals()


@settings(max_examples=50, deadline=None)
@given(CHANGES, CHANGES, st.randoms(use_true_random=False))
def test_each_sector_that_survives_by_chance_was_once_written_like_that(synced, unsynced, chance):
    card = Card({"a": b"begin"})
    for operation in (*synced, Sync(0)):
        card.apply(operation)
    images = [bytes(card.files[0])]
    for operation in unsynced:
        card.apply(operation)
    images += [part.content for part in unsynced if isinstance(part, Write)] + [b""]
    bytes_seen = {0, *b"".join(images)}
    assert bytes_seen >= set(left(card, Survival.SCATTERED)["a"])


@settings(max_examples=50, deadline=None)
@given(CHANGES)
def test_after_a_sync_every_kind_of_cut_leaves_the_same(changes):
    card = Card({"a": b"begin"})
    for operation in (*changes, Sync(0)):
        card.apply(operation)
    expected = {"a": bytes(card.files[0])}
    assert [left(card, survival) for survival in card.survivals()] == [expected] * len(card.survivals())
