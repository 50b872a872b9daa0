"""Groups that are open: by verb or button, until they are closed, idle, or begun anew after a restart."""

from __future__ import annotations

from edge.groups import Group, count_of, encode, group_of
from tests.edge.lane import moment
from tests.edge.post import TYPED, Post


def test_one_press_opens_a_group_and_the_next_closes_it() -> None:
    post = Post()
    post.groups.press(post.lanes[0], post.now)
    post.ask("enter", typed=TYPED)
    post.settle()
    assert (post.ask("group")["count"], post.ask("group")["expected"]) == (1, None)
    post.groups.press(post.lanes[0], post.now)
    assert post.ask("group")["group"] is None
    assert [event for event, _ in post.store.audited] == ["group_opened", "group_closed"]


def test_the_next_group_closes_the_one_before() -> None:
    post = Post()
    first = post.ask("group", do="open")
    second = post.ask("group", do="open")
    assert [(event, detail["group"]) for event, detail in post.store.audited] == [
        ("group_opened", first["group"]),
        ("group_closed", first["group"]),
        ("group_opened", second["group"]),
    ]


def test_a_group_that_nobody_joins_is_closed_when_it_is_due() -> None:
    post = Post(group_idle_s=60.0)
    assert post.groups.deadline_s is None
    post.ask("group", do="open")
    assert post.groups.deadline_s == 160
    post.groups.close_idle(moment(159))
    assert post.lane.group.group is not None
    post.groups.close_idle(moment(160))
    assert post.store.audited[-1][1]["reason"] == "idle"


def test_an_open_group_is_open_again_after_a_restart() -> None:
    post = Post()
    group = Group("g", "2026-03-01T12:00:00.000Z", 120)
    post.store.kept = {group_of("left"): encode(group), count_of("g"): "57"}
    post.groups.restore(post.store, post.now)  # type: ignore[arg-type]
    shown = post.ask("group")
    assert (shown["group"], shown["count"], shown["expected"]) == ("g", 57, 120)
