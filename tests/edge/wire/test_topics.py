"""Topics: how they are spelt and taken apart."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.errors import ContractError
from edge.wire import topics

KIOSK = "utopia/lane-1"


@pytest.mark.parametrize(
    ("topic", "spelt"),
    [
        (topics.stream_topic(KIOSK, "crossing"), "landfall/v1/utopia/lane-1/stream/crossing"),
        (topics.receipt_topic(KIOSK, "crossing"), "landfall/v1/utopia/lane-1/receipt/crossing"),
        (topics.status_topic(KIOSK), "landfall/v1/utopia/lane-1/status"),
        (topics.health_topic(KIOSK), "landfall/v1/utopia/lane-1/health"),
        (topics.command_topic(KIOSK, "resend"), "landfall/v1/utopia/lane-1/command/resend"),
        (topics.reply_topic(KIOSK, "0190"), "landfall/v1/utopia/lane-1/reply/0190"),
        (topics.desired_topic(KIOSK), "landfall/v1/utopia/lane-1/desired"),
        (topics.reported_topic(KIOSK), "landfall/v1/utopia/lane-1/reported"),
    ],
)
def test_a_topic_is_spelt_as_the_contract_says(topic, spelt) -> None:
    assert topic == spelt


@given(st.from_regex(topics.NAME, fullmatch=True), st.from_regex(topics.NAME, fullmatch=True))
def test_what_was_put_together_comes_apart_again(site, kiosk) -> None:
    assume(len(site) + len(kiosk) < topics.MAX_KIOSK_ID)
    both = topics.kiosk_id(site, kiosk)
    assert topics.parse_topic(topics.stream_topic(both, "audit")) == (both, "stream", "audit")
    assert topics.parse_topic(topics.status_topic(both)) == (both, "status", "")


def test_a_name_that_no_certificate_can_hold_is_refused() -> None:
    with pytest.raises(ContractError, match="64 characters"):
        topics.kiosk_id("a" * 32, "b" * 32)


@pytest.mark.parametrize("name", ["", "Utopia", "a b", "a/b", "+", "#", "-a", "a" * 33, "é", "a\n", "a_b"])
def test_a_name_that_no_topic_can_hold_is_refused(name) -> None:
    for site, kiosk in ((name, "lane-1"), ("utopia", name)):
        with pytest.raises(ContractError, match="no name of a site or kiosk"):
            topics.kiosk_id(site, kiosk)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        "landfall/v1/utopia",
        "landfall/v2/utopia/lane-1/status",
        "landfall/v1/utopia/lane-1/stream/a/b",
        "$SYS/x",
    ],
)
def test_a_topic_of_somebody_else_is_refused(topic) -> None:
    with pytest.raises(ContractError):
        topics.parse_topic(topic)


def test_crossings_go_before_the_audit_and_photos_last() -> None:
    assert list(topics.Stream) == ["crossing", "audit", "evidence"]
