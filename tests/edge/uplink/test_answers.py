"""What the kiosk owes until the broker has it."""

from __future__ import annotations

from edge.uplink.answers import MOST_OWED, Answers


def test_what_the_broker_took_is_owed_no_more() -> None:
    answers = Answers()
    answers.owe("a", b"1")
    answers.sent(7, "a")
    assert not answers.acknowledged(8)
    assert answers.acknowledged(7)
    assert answers.reconnected() == []


def test_what_went_out_on_an_old_connection_goes_again() -> None:
    answers = Answers()
    answers.owe("a", b"1")
    answers.sent(7, "a")
    assert answers.reconnected() == [("a", b"1")]
    assert not answers.acknowledged(7), "that packet identifier was the old connection's"
    assert answers.reconnected() == [("a", b"1")]


def test_a_newer_answer_takes_the_place_of_the_one_before() -> None:
    answers = Answers()
    answers.owe("a", b"1")
    answers.owe("a", b"2")
    assert answers.reconnected() == [("a", b"2")]


def test_there_are_never_many_and_the_oldest_go_first() -> None:
    answers = Answers()
    for number in range(3 * MOST_OWED):
        answers.owe(str(number), b"x")
    assert [topic for topic, _ in answers.reconnected()] == [str(n) for n in range(2 * MOST_OWED, 3 * MOST_OWED)]


def test_what_could_not_be_sent_stays_owed() -> None:
    answers = Answers()
    answers.owe("a", b"1")
    answers.sent(None, "a")
    assert answers.reconnected() == [("a", b"1")]
