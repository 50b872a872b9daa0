import pytest
from tinydb import Query, where
from tinydb.queries import QueryInstance

from edge.cache.pushdown import FALSE, TRUE, Condition, condition


def test_tinydb_still_hashes_queries_by_the_tuples_that_are_read_here():
    kind, lane = where("type") == "a", where("training") == True  # noqa: E712
    assert kind._hash == ("==", ("type",), "a")
    assert [q._hash[0] for q in (kind, where("x") != 1, where("x") < 1, where("x") <= 1)] == ["==", "!=", "<", "<="]
    assert [q._hash[0] for q in (where("x") > 1, where("x") >= 1)] == [">", ">="]
    assert (kind & lane)._hash == ("and", frozenset([kind._hash, lane._hash]))
    assert (kind | lane)._hash == ("or", frozenset([kind._hash, lane._hash]))
    assert (~kind)._hash == ("not", kind._hash)
    assert where("x").exists()._hash == ("exists", ("x",))
    assert Query().noop()._hash == ()
    assert where("x").map(len)._hash is None
    assert where("x")._hash == ("path", ("x",))
    assert Query()._hash == (None,)
    assert type(kind) is type(kind & lane) is type(~kind) is QueryInstance


@pytest.mark.parametrize(
    ("query", "sql"),
    [
        (where("type") == "a", Condition("type = ?", ("a",))),
        (where("type") != "a", Condition("type <> ?", ("a",))),
        (where("sequence") > 5, Condition("sequence > ?", (5,))),
        (where("training") == True, Condition("training = ?", (True,))),  # noqa: E712
        (~(where("outcome") == "referred"), Condition("(NOT outcome = ?)", ("referred",))),
        (where("time").exists(), TRUE),
        (where("carrier") == "UT", FALSE),
        (where("type").x.matches("a"), FALSE),
        (Query().noop(), TRUE),
    ],
)
def test_comparisons_of_columns_become_sql(query, sql):
    assert condition(query) == sql


def test_both_sides_of_and_and_or_are_in_the_sql():
    for query, word in (
        ((where("type") == "a") & (where("sequence") < 3), "AND"),
        ((where("type") == "a") | (where("sequence") < 3), "OR"),
    ):
        found = condition(query)
        assert set(found.sql.strip("()").split(f" {word} ")) == {"type = ?", "sequence < ?"}
        assert sorted(map(str, found.parameters)) == ["3", "a"]


@pytest.mark.parametrize(
    "query",
    [
        where("training") == 1,
        where("sequence") == True,  # noqa: E712
        where("sequence") == 1.0,
        where("sequence") == 2**63,
        where("type") == "\ud800",
        where("type") < 5,
        where("type") == None,  # noqa: E711
        where("type").matches("a"),
        where("type").one_of(["a"]),
        where("record") == "{}",
        where("type").map(len) == 1,
        where(len) == 1,
        Query().fragment({"type": "a"}),
        where("type"),
        Query(),
        (where("type") == "a") & where("id"),
        (where("type") == "a") & (where("training") == 1),
        lambda document: True,
    ],
)
def test_what_sql_might_answer_differently_is_left_to_tinydb(query):
    assert condition(query) is None


def test_a_query_too_deep_for_sql_is_left_to_tinydb():
    query = where("sequence") == 0
    for n in range(200):
        query = query | (where("sequence") == n)
    assert condition(query) is None
