import gc
import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinydb import Query, TinyDB, where
from tinydb.storages import MemoryStorage
from tinydb.table import Document

from edge.cache import Cache, CacheReader
from edge.cache.documents import document_of
from edge.errors import StoreError, StreamsOnlyGrow
from tests.edge.cache.specimens import EPOCH, append, open_new, purge_all, record, release_all


@pytest.fixture
def crossings(cache):
    append(cache, "crossing", 4)
    return cache.db.table("crossing")


def new_document(sequence, **fields):
    return document_of(record("crossing", sequence, **fields))


def test_a_document_is_inserted_synced_and_numbered_by_the_head(crossings, path):
    document = new_document(6)
    del document["sequence"]
    assert crossings.insert(document) == 6
    with CacheReader.open(path) as reader:
        assert reader.first_after("crossing", 5) == [record("crossing", 6)]


def test_several_documents_go_into_one_transaction_or_none_of_them(crossings):
    assert crossings.insert_multiple(new_document(n) for n in (6, 7)) == [6, 7]
    with pytest.raises(StoreError, match="the next record is 9"):
        crossings.insert_multiple([new_document(8), new_document(12)])
    assert len(crossings) == 7


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "UTO"}, "name"),
        ({"sequence": 5}, "next record is 6"),
        ({"sequence": True}, "sequence must be int"),
        ({"training": 1}, "training must be bool"),
        ({"record": b"{}"}, "record must be str"),
        ({"record": "\ud800"}, "not Unicode"),
        ({"time": "\ud800"}, "not Unicode"),
        ({"epoch": "another"}, "of epoch"),
    ],
)
def test_a_document_that_is_none_of_a_stream_is_refused_by_the_field_that_is_wrong(crossings, change, says):
    with pytest.raises(StoreError, match=says):
        crossings.insert({**new_document(6), **change})
    assert len(crossings) == 5


def test_a_field_that_is_missing_is_named(crossings):
    with pytest.raises(StoreError, match="lacks or does not know: epoch, hash"):
        crossings.insert({key: value for key, value in new_document(6).items() if key not in ("epoch", "hash")})


def test_what_is_no_mapping_is_refused_as_by_tinydb(crossings):
    with pytest.raises(ValueError, match="Document is not a Mapping"):
        crossings.insert([1])


def test_streams_only_grow(cache, crossings):
    chosen = Document(new_document(6), doc_id=6)
    for attempt in (
        lambda: crossings.insert(chosen),
        lambda: crossings.insert_multiple([chosen]),
        lambda: crossings.update({"outcome": "referred"}),
        lambda: crossings.update({"outcome": "referred"}, doc_ids=[1]),
        lambda: crossings.update_multiple([({"outcome": "referred"}, where("sequence") == 1)]),
        lambda: crossings.upsert(new_document(6), where("sequence") == 6),
        lambda: crossings.remove(where("sequence") == 1),
        lambda: crossings.remove(doc_ids=[1]),
        lambda: crossings.truncate(),
        lambda: cache.db.drop_table("crossing"),
        lambda: cache.db.drop_tables(),
        lambda: cache.db.table("audit", persist_empty=True),
    ):
        with pytest.raises(StreamsOnlyGrow):
            attempt()
    assert [document.doc_id for document in cache.db.table("crossing")] == [1, 2, 3, 4, 5]


def test_a_table_without_a_stream_is_empty_and_takes_nothing(cache):
    for name in ("referral", "_default", "no name of a stream"):
        table = cache.db.table(name)
        assert (len(table), list(table), table.get(doc_id=1), table.all()) == (0, [], None, [])
        with pytest.raises(StoreError):
            table.insert(new_document(1))
    assert "tables_count=3" in repr(cache.db)
    assert "total=1" in repr(cache.db.table("crossing"))


def test_tables_are_the_streams(cache):
    assert cache.db.tables() == {"crossing", "evidence", "audit"}


def test_a_new_store_has_no_tables(path):
    with Cache.open(path) as cache:
        assert cache.db.tables() == set()


def test_get_by_id_takes_ids_as_tinydb_does(crossings):
    memory = TinyDB(storage=MemoryStorage).table("crossing")
    memory.insert_multiple(document_of(record("crossing", n)) for n in range(1, 6))
    for doc_id in (1, 5, "5", 0, 6, -1, 5.0, True, "05", "x", 10**30):
        ours, theirs = crossings.get(doc_id=doc_id), memory.get(doc_id=doc_id)
        assert (ours, ours and ours.doc_id) == (theirs, theirs and theirs.doc_id), doc_id
    for doc_ids in ([3, 1, 3, 9], ["2"], []):
        ours, theirs = crossings.get(doc_ids=doc_ids), memory.get(doc_ids=doc_ids)
        assert [(d, d.doc_id) for d in ours] == [(d, d.doc_id) for d in theirs]
    assert crossings.contains(doc_id=1)
    assert not crossings.contains(where("sequence") == 9)
    with pytest.raises(RuntimeError):
        crossings.get()


def test_results_are_not_remembered(crossings, cache):
    everything = where("sequence") >= 1
    assert len(crossings.search(everything)) == 5
    append(cache, "crossing", 1)
    assert len(crossings.search(everything)) == 6
    release_all(cache)
    purge_all(cache, 1.0)
    assert crossings.search(everything) == []
    assert crossings.count(everything) == len(crossings) == 0


def test_the_storage_shows_views_that_are_read_when_asked(crossings, cache):
    view = cache.db.storage.read()["crossing"]
    assert (len(view), list(view), view["3"]["sequence"]) == (5, ["1", "2", "3", "4", "5"], 3)
    assert "9" not in view
    assert crossings._read_table()["1"] == crossings.get(doc_id=1)


def test_an_iteration_ends_where_the_stream_ended_when_it_began(crossings, cache):
    seen = []
    for document in crossings:
        seen.append(document.doc_id)
        append(cache, "crossing", 1)
    assert seen == [1, 2, 3, 4, 5]


def test_an_iteration_survives_purging_and_holds_no_transaction(cache, reader):
    append(cache, "crossing", 200)
    iteration = iter(reader.table("crossing"))
    seen = [next(iteration).doc_id]
    release_all(cache)
    purge_all(cache, 1.0)
    assert cache.checkpoint()
    assert not reader._rows.connection.in_transaction
    append(cache, "crossing", 1)
    seen += [document.doc_id for document in iteration]
    assert seen == list(range(1, 33))  # what had been read before the purge


def test_going_through_a_stream_takes_the_memory_of_a_few_documents(cache, reader):
    cache.append([record("evidence", n, size=40_000) for n in range(2, 202)])
    table = reader.table("evidence")
    sum(1 for _ in table)
    gc.collect()
    tracemalloc.start()
    assert table.count(where("record").matches(".*xx")) == 201
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * 1024 * 1024  # the bodies are 8 MB, and as documents 16


# The same questions to TinyDB's own storage.

KINDS = ["org.landfall.crossing.v1", "org.landfall.amendment.v1", "", "ä", "\U0001f6c2", "\uffff", "Z"]
documents = st.fixed_dictionaries(
    {
        "type": st.sampled_from(KINDS),
        "time": st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]),
        "direction": st.sampled_from(["entry", "exit", ""]),
        "outcome": st.sampled_from(["passed", "referred", ""]),
        "training": st.booleans(),
        "hash": st.sampled_from(["a", "b"]),
    }
)
paths = st.one_of(
    st.sampled_from(
        ["type", "time", "direction", "outcome", "training", "sequence", "epoch", "hash", "record", "id"]
    ).map(where),
    st.sampled_from(["carrier", "seat"]).map(where),
    st.sampled_from([where("type").x, where("carrier").name, Query()["record"]["data"], where(5), where("training").x]),
    st.sampled_from([where("type").map(len), where("sequence").map(str), where("carrier").map(len)]),
)
operands = st.one_of(
    st.sampled_from([*KINDS, "2026-01-01T00:00:00Z", "entry", "passed", "a", EPOCH, "\ud800"]),
    st.integers(-1, 9),
    st.sampled_from([2**63, -(2**63), 2**70]),
    st.booleans(),
    st.sampled_from([1.0, 0.0, 2.5, float("nan"), None, b"entry"]),
    st.lists(st.integers(0, 3), max_size=2),
    st.just({"a": 1}),
)


@st.composite
def comparisons(draw):
    path, operand = draw(paths), draw(operands)
    text = draw(st.sampled_from(["entry", "a", "e.*", "2026", ""]))
    return draw(
        st.sampled_from(
            [
                path == operand,
                path != operand,
                path < operand,
                path <= operand,
                path > operand,
                path >= operand,
                path.exists(),
                path.matches(text),
                path.search(text, flags=re.IGNORECASE),
                path.one_of([operand, "entry", 2]),
                path.any(["e", 1]),
                path.all(["e"]),
                path.test(lambda value: bool(value)),
                Query().fragment({"direction": "entry", "sequence": 2}),
                Query().noop(),
            ]
        )
    )


queries = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] & pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
        inner.map(lambda query: ~query),
    ),
    max_leaves=5,
)


def outcome_of(ask):
    try:
        found = ask()
    except Exception as error:
        return type(error)
    return [(document.doc_id, dict(document)) for document in found]


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory):
    return tmp_path_factory.mktemp("queries")


@settings(max_examples=60, deadline=None)
@given(st.lists(documents, max_size=7), st.lists(queries, min_size=8, max_size=8))
def test_every_query_answers_as_with_tinydbs_own_storage(shared_store, described, asked):
    for file in shared_store.iterdir():
        file.unlink()
    memory = TinyDB(storage=MemoryStorage).table("crossing", cache_size=0)
    with open_new(shared_store / "kiosk.db", streams=("crossing",)) as cache:
        cache.append([record("crossing", n, size=1, **fields) for n, fields in enumerate(described, 2)])
        ours = cache.db.table("crossing")
        memory.insert_multiple(dict(document) for document in ours)
        assert list(ours) == list(memory)
        for query in asked:
            expected = outcome_of(lambda query=query: memory.search(query))
            assert outcome_of(lambda query=query: ours.search(query)) == expected, query
            if isinstance(expected, list):
                assert ours.count(query) == len(expected)
                assert ours.get(query) == memory.get(query)
