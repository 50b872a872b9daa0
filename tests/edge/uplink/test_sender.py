"""Go back N: whatever the way to the centre does, everything is receipted in the end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.uplink.sender import FIRST_HOLD_OFF_S, MOST_HOLD_OFF_S, MOST_TIMEOUT_S, UNACKNOWLEDGED, Sender

TIMEOUT_S = 10.0
AHEAD_BYTES = 4000


def sender(held: int = 0, head: int = 10) -> Sender:
    """Return a sender of a stream."""
    return Sender(held=held, head=head, timeout_s=TIMEOUT_S)


def test_records_go_in_order_until_the_limit_or_the_head() -> None:
    sending = sender(head=3)
    for last in (1, 2, 3):
        assert sending.may_send(0, AHEAD_BYTES)
        sending.sent(last, 1000, 0)
    assert not sending.may_send(0, AHEAD_BYTES)
    assert sending.unreceipted == 3


def test_no_more_awaits_its_receipt_than_the_limit_says() -> None:
    sending = sender()
    sending.sent(1, AHEAD_BYTES, 0)
    assert not sending.may_send(0, AHEAD_BYTES)
    sending.receipt(1, 0)
    assert sending.may_send(0, AHEAD_BYTES)


def test_a_receipt_for_part_makes_room_for_that_part() -> None:
    sending = sender()
    sending.sent(1, 3000, 0)
    sending.sent(2, 3000, 0)
    sending.receipt(1, 0)
    assert sending.may_send(0, AHEAD_BYTES)


def test_only_a_receipt_raises_what_is_held() -> None:
    sending = sender()
    sending.sent(5, 100, 0)
    sending.acknowledged(1, 0.1)
    sending.appended(20)
    sending.check_timer(10_000)
    sending.nobody_listens(10_000)
    sending.reconnected()
    assert sending.held == 0
    sending.receipt(5, 10_000)
    assert sending.held == 5


def test_an_old_receipt_again_changes_nothing() -> None:
    sending = sender()
    sending.sent(5, 100, 0)
    sending.receipt(5, 1)
    sending.receipt(3, 2)
    assert (sending.held, sending.cursor) == (5, 5)


def test_a_receipt_for_what_an_earlier_connection_sent_is_taken() -> None:
    sending = sender()
    sending.sent(5, 100, 0)
    sending.reconnected()
    assert sending.cursor == 0
    sending.receipt(5, 1)
    assert (sending.held, sending.cursor) == (5, 5)


def test_without_a_receipt_it_goes_back_and_probes_with_one_batch() -> None:
    sending = sender()
    sending.sent(3, 100, 0)
    sending.acknowledged(1, 0.5)
    assert not sending.check_timer(1 + TIMEOUT_S)
    assert sending.check_timer(1 + TIMEOUT_S + 1)
    assert sending.cursor == 0 and sending.may_send(50, AHEAD_BYTES)
    sending.sent(3, 100, 50)
    assert not sending.may_send(50, AHEAD_BYTES)


def test_without_a_puback_it_is_more_patient_because_tcp_sends_again_by_itself() -> None:
    sending = sender()
    sending.sent(3, 100, 0)
    assert not sending.check_timer(UNACKNOWLEDGED * TIMEOUT_S - 1)
    assert sending.check_timer(UNACKNOWLEDGED * TIMEOUT_S)


def test_the_time_doubles_up_to_a_limit_and_is_short_again_after_a_receipt() -> None:
    sending, now_s, waited = sender(), 0.0, []
    for _ in range(8):
        sending.sent(1, 100, now_s)
        sending.acknowledged(now_s, 0)
        due_s = sending.wake_at_s(now_s)
        assert due_s is not None
        waited.append(due_s - now_s)
        now_s = due_s
        assert sending.check_timer(now_s)
    assert waited == [10, 20, 40, 80, 160, MOST_TIMEOUT_S, MOST_TIMEOUT_S, MOST_TIMEOUT_S]
    sending.receipt(1, now_s)
    sending.sent(2, 100, now_s)
    sending.acknowledged(now_s, 0)
    assert sending.wake_at_s(now_s) == now_s + TIMEOUT_S


def test_while_nobody_listens_it_tries_more_and_more_seldom() -> None:
    sending, now_s, waited = sender(), 0.0, []
    for _ in range(9):
        assert sending.may_send(now_s, AHEAD_BYTES)
        sending.sent(1, 100, now_s)
        sending.nobody_listens(now_s)
        assert not sending.may_send(now_s, AHEAD_BYTES)
        due_s = sending.wake_at_s(now_s)
        assert due_s is not None
        waited.append(due_s - now_s)
        now_s = due_s
    assert waited[:3] == [FIRST_HOLD_OFF_S, 2, 4] and waited[-1] == MOST_HOLD_OFF_S


def test_a_rewind_sends_again_what_was_held() -> None:
    sending = sender(held=8)
    sending.rewind(3)
    assert (sending.held, sending.cursor, sending.unreceipted) == (3, 3, 7)
    assert sending.may_send(0, AHEAD_BYTES)


def test_a_rewind_never_goes_forward() -> None:
    sending = sender(held=3)
    sending.rewind(8)
    assert sending.held == 3


def test_an_idle_sender_wakes_nobody() -> None:
    sending = sender(held=10)
    assert sending.wake_at_s(0) is None
    assert not sending.check_timer(1e9) and not sending.may_send(0, AHEAD_BYTES)


FATES = st.lists(
    st.sampled_from(["arrives", "lost", "twice", "late", "no receipt", "reconnect", "nobody", "append"]), max_size=60
)


@settings(max_examples=200, deadline=None)
@given(FATES, st.integers(1, 6))
def test_whatever_is_lost_doubled_or_delayed_everything_is_receipted_in_the_end(fates, batch) -> None:
    """The centre stores what arrives and receipts its contiguous prefix; `fates` end, and then all goes well."""
    sending, now_s, stored, late = sender(head=12), 0.0, set(), []
    fate = iter(fates)

    def prefix() -> int:
        return next(n for n in range(len(stored) + 1) if n + 1 not in stored)

    for _ in range(1000):
        if sending.unreceipted == 0 and not sending.may_send(now_s, AHEAD_BYTES):
            break
        held = sending.held
        happens = next(fate, "arrives")
        if happens == "append":
            sending.appended(sending.head + 1)
        elif happens == "reconnect":
            sending.reconnected()
        elif sending.may_send(now_s, AHEAD_BYTES):
            records = range(sending.cursor + 1, min(sending.cursor + batch, sending.head) + 1)
            sending.sent(records[-1], 1000, now_s)
            assert sending.held == held
            if happens == "nobody":
                sending.nobody_listens(now_s)
            elif happens == "late":
                late.append(records)
            elif happens != "lost":
                stored.update(records)
                sending.acknowledged(now_s, 0.1)
                if happens != "no receipt":
                    for _ in range(2 if happens == "twice" else 1):
                        sending.receipt(prefix(), now_s)
                    assert sending.held <= prefix()
        else:
            wake_s = sending.wake_at_s(now_s)
            assert wake_s is not None, "it would wait for ever"
            now_s = max(now_s, wake_s)
            sending.check_timer(now_s)
            for records in late:
                stored.update(records)
            late.clear()
        assert sending.held <= sending.cursor <= sending.head
        assert sending.held <= prefix()
    assert sending.unreceipted == 0 and stored >= set(range(1, sending.head + 1))


@pytest.mark.parametrize("held", [0, 5])
def test_a_sender_begins_after_the_last_receipt(held) -> None:
    assert sender(held=held).cursor == held
