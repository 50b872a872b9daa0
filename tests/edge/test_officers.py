"""What officers ask of the running kiosk, and what they are told."""

from __future__ import annotations

import pytest

from edge.events import CrossingDraft, DeadlinePassed, RecordFailed
from edge.kiosk import State
from edge.named_crossing import is_named, short
from edge.officers import TOO_LATE
from tests.edge.lane import moment
from tests.edge.post import TYPED, Post


def test_what_is_keyed_in_is_pending_until_it_is_on_disk() -> None:
    post = Post()
    asked = post.ask("enter", typed=TYPED, officer="A-1042")
    assert asked == {"id": post.drafts[0].id, "lane": "left"}
    assert post.ask("outcome", id=asked["id"])["state"] == "pending"
    post.settle()
    found = post.ask("outcome", id=asked["id"])
    assert (found["state"], found["sequence"], found["result"], found["by"]) == ("recorded", 7, "passed", "rule")


def test_no_answer_and_no_draft_shows_what_was_typed() -> None:
    post = Post()
    asked = post.ask("enter", typed=TYPED)
    post.settle()
    text = f"{asked} {post.ask('outcome', id=asked['id'])} {post.drafts!r} {post.store.audited}"
    assert not [value for value in ("ERIKSSON", "Eriksson", "L898902C3", "1974") if value in text]


def test_a_disk_that_fails_is_told() -> None:
    post = Post()
    asked = post.ask("enter", typed=TYPED)
    post.settle(RecordFailed(asked["id"], "disk full"))
    assert post.ask("outcome", id=asked["id"])["reason"] == "disk full"
    assert post.ask("enter", typed=TYPED)["error"].startswith("lane left is closed")


@pytest.mark.parametrize("comes_after_all", [False, True])
def test_a_disk_that_is_too_late_is_told_even_when_the_record_comes_after_all(comes_after_all) -> None:
    post = Post()
    asked = post.ask("enter", typed=TYPED)
    post.hand(post.lanes[0], DeadlinePassed(), post.now)
    if comes_after_all:
        post.settle()
    found = post.ask("outcome", id=asked["id"])
    assert (found["state"], found["reason"]) == ("failed", TOO_LATE)


def test_manual_mode_is_one_press_and_pressing_again_changes_nothing() -> None:
    post = Post()
    for on, state in ((True, "manual"), (True, "manual"), (False, "ready"), (False, "ready")):
        assert post.ask("manual", on=on) == {"lane": "left", "state": state}
    post.ask("enter", typed=TYPED)
    assert post.ask("manual") == {"error": "lane left is recording; try again in a moment"}


def test_manual_mode_is_not_said_to_have_begun_while_somebody_still_sees_the_lamp() -> None:
    post = Post()
    post.ask("enter", typed=TYPED)
    post.settle()
    assert post.ask("manual") == {"error": "lane left is showing; try again in a moment"}


def test_nothing_is_keyed_in_while_somebody_else_is_there() -> None:
    post = Post()
    post.ask("enter", typed=TYPED)
    assert post.ask("enter", typed=TYPED) == {"error": "lane left is recording; try again in a moment"}


def test_a_form_is_recorded_with_the_time_on_it_whatever_the_lane_does() -> None:
    post = Post()
    post.ask("manual")
    post.ask("enter", typed=TYPED, written_at="2026-03-01T09:40:00+02:00", result="passed", officer="A-1042")
    form = post.drafts[-1]
    assert isinstance(form, CrossingDraft)
    assert (form.written_at, form.documents[0].source) == ("2026-03-01T07:40:00Z", "paper")
    assert post.lane.state is State.MANUAL


def test_the_time_on_a_form_stays_rfc_3339_whatever_the_year() -> None:
    post = Post()
    post.ask("enter", typed=TYPED, written_at="0926-03-01T09:40:00Z", result="passed", officer="A-1042")
    assert post.drafts[-1].written_at == "0926-03-01T09:40:00Z"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"written_at": "2026-03-01T09:40:00Z", "officer": "A-1042"}, "a form needs the result"),
        ({"written_at": "2026-03-01T09:40:00Z", "result": "passed"}, "and the officer who keys it in"),
        ({"written_at": "yesterday", "result": "passed", "officer": "A-1042"}, "must be RFC 3339"),
        ({"written_at": "2026-03-01T09:40:00", "result": "passed", "officer": "A-1042"}, "must be RFC 3339"),
        ({"written_at": "2026-03-01", "result": "passed", "officer": "A-1042"}, "must be RFC 3339"),
        ({"written_at": "2027-03-01T09:40:00Z", "result": "passed", "officer": "A-1042"}, "has not come yet"),
    ],
)
def test_a_form_that_lacks_something_is_refused_with_a_reason(arguments, says) -> None:
    assert says in Post().ask("enter", typed=TYPED, **arguments)["error"]


@pytest.mark.parametrize("officer", ["A-1042", "7", "UT.77-3"])
def test_a_service_number_is_taken(officer) -> None:
    assert "error" not in Post().ask("manual", officer=officer)


@pytest.mark.parametrize("officer", ["ERIKSSON", "a-1042", "A 1042", "A-1042-TOO-LONG-BY-FAR", "-1", 7])
def test_a_name_is_no_service_number(officer) -> None:
    error = Post().ask("manual", officer=officer)["error"]
    assert error == "officer must be a service number such as A-1042, never a name"


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("enter", {"typed": "Eriksson"}),
        ("enter", {"typed": {"primary_identifier": "E" * 121}}),
        ("enter", {"typed": {}, "direction": "Eriksson"}),
        ("enter", {}),
        ("void", {"reason": "Eriksson"}),
        ("decide", {"result": "refused"}),
        ("decide", {"result": "passed", "crossing": "Eriksson, Anna Maria"}),
        ("group", {"do": "open", "expected": 0}),
        ("outcome", {"id": "unheard-of"}),
        ("manual", {"Eriksson": 1}),
    ],
)
def test_what_is_not_right_is_refused_and_not_quoted(verb, arguments) -> None:
    error = Post().ask(verb, **arguments)["error"]
    assert error and "Eriksson" not in error and "EEE" not in error


def test_two_lanes_have_to_be_named() -> None:
    post = Post("left", "right")
    assert post.ask("manual") == {"error": "say which lane: left, right"}
    assert post.ask("manual", lane="right")["lane"] == "right"
    assert [lane.kiosk.state for lane in post.lanes] == [State.READY, State.MANUAL]


def test_a_crossing_is_voided_once_and_the_officer_is_told() -> None:
    post = Post()
    assert post.ask("void")["error"] == "lane left: there is no crossing that can be voided (any more)"
    crossing = post.ask("enter", typed=TYPED)
    post.settle()
    void = post.ask("void", crossing=crossing["id"], reason="entered_twice", officer="A-1042")
    post.settle()
    assert post.ask("outcome", id=void["id"])["amends"] == crossing["id"]
    assert "error" in post.ask("void")


def test_a_decision_is_taken_once() -> None:
    post = Post()
    crossing = post.ask("enter", typed={}, is_document=False)
    post.settle()
    decision = post.ask("decide", crossing=crossing["id"], result="passed", officer="A-1042")
    post.settle()
    assert post.ask("outcome", id=decision["id"])["amends"] == crossing["id"]
    assert post.ask("decide", result="passed")["error"] == "lane left: nobody waits for a decision (any more)"


def test_a_decision_is_not_taken_about_whoever_came_between_the_look_and_the_key() -> None:
    post = Post()
    looked_at = post.ask("enter", typed={}, is_document=False)
    post.settle()
    post.hand(post.lanes[0], DeadlinePassed(), post.now)
    another = post.ask("enter", typed={}, is_document=False)
    post.settle()
    told = post.ask("decide", crossing=looked_at["id"], result="passed")["error"]
    assert told == f"lane left: that crossing is not open any more; {another['id']} waits for a decision: look again"
    assert len(post.drafts) == 2
    assert "error" not in post.ask("decide", crossing=another["id"], result="passed")


def test_a_decision_at_the_lane_names_whoever_stands_there_and_not_who_was_there_before() -> None:
    post = Post(decision="officer")
    stands_there = post.ask("enter", typed=TYPED)
    assert post.lane.state is State.DECIDING
    assert "is not open any more" in post.ask("decide", crossing="id-of-yesterday", result="passed")["error"]
    assert post.officers.crossings(post.now) == [
        {"lane": "left", "crossing": stands_there["id"], "id": stands_there["id"], "words": ["decide"]}
    ]
    assert "error" not in post.ask("decide", crossing=stands_there["id"], result="passed")


@pytest.mark.parametrize(
    ("verb", "arguments", "command"),
    [
        ("decide", {"result": "passed"}, "landfall decide passed"),
        ("void", {"reason": "test"}, "landfall void"),
    ],
)
def test_whoever_names_no_crossing_is_told_which_one_is_open_and_nothing_is_recorded(verb, arguments, command) -> None:
    post = Post()
    crossing = post.ask("enter", typed={}, is_document=False)["id"]
    post.settle()
    assert post.ask(verb, **arguments)["error"].endswith(f"`{command} {crossing}`")
    assert len(post.drafts) == 1
    assert [one["words"] for one in post.officers.crossings(post.now)] == [["decide", "void"]]


def test_a_form_is_named_like_a_crossing() -> None:
    post = Post()
    form = post.ask("enter", typed=TYPED, written_at="2026-03-01T09:40:00Z", result="passed", officer="A-1042")
    post.settle()
    assert "that can be voided" in post.ask("void", is_form=True)["error"]
    assert post.ask("void", crossing=form["id"])["error"] == (
        "lane left: there is no crossing that can be voided (any more)"
    )
    assert "error" not in post.ask("void", crossing=form["id"], is_form=True)


@pytest.mark.parametrize(
    ("name", "is_it"),
    [
        ("0198c5b0-7a31-7c1e-b5a2-77d1c03f9a1c", True),
        ("3f9a1c", True),
        ("3F9A1C", True),
        ("c03f9a1c", True),
        ("9a1c", False),
        ("3f9a1d", False),
    ],
)
def test_a_crossing_is_named_by_its_end_or_as_a_whole(name, is_it) -> None:
    crossing = "0198c5b0-7a31-7c1e-b5a2-77d1c03f9a1c"
    assert is_named(crossing, name) is is_it
    assert short(crossing) == "3f9a1c"


# --- groups -----------------------------------------------------------------------------------------------------------


def test_a_group_is_opened_counted_and_closed_and_the_audit_has_both() -> None:
    post = Post()
    opened = post.ask("group", do="open", expected=2, conveyance="vessel", number="imo 9074729", name="Madras")
    assert (opened["count"], opened["expected"], opened["number_check"]) == (0, 2, "ok")
    assert opened["conveyance"] == {"kind": "vessel", "number": "9074729", "name": "Madras"}
    post.ask("enter", typed=TYPED)
    post.settle()
    assert post.ask("group")["count"] == 1
    assert [group["count"] for group in post.groups.all_shown()] == [1]
    assert post.ask("group", do="close", officer="A-1042")["count"] == 1
    assert post.ask("group") == {"lane": "left", "group": None}
    assert "error" in post.ask("group", do="close")
    assert [(event, detail["count"], detail["officer"]) for event, detail in post.store.audited] == [
        ("group_opened", 0, ""),
        ("group_closed", 1, "A-1042"),
    ]


def test_a_ships_number_that_does_not_add_up_is_doubtful_and_taken() -> None:
    opened = Post().ask("group", do="open", conveyance="vessel", number="9074728")
    assert (opened["conveyance"]["number"], opened["number_check"]) == ("9074728", "doubtful")


def test_a_verb_of_somebody_else_is_not_answered() -> None:
    assert Post().officers.answer("status", {}, moment()) is None
