"""How much a reader may say in a second."""

from __future__ import annotations

from hw.allowance import Allowance


def test_a_reader_in_use_is_never_paused():
    allowance = Allowance()
    for second in range(100):
        for _ in range(100):
            allowance.read(90, second)
        assert allowance.pause_s(second) == 0
        assert allowance.admit(second)


def test_a_keyboard_that_types_as_fast_as_usb_allows_is_never_paused():
    allowance = Allowance()
    for millisecond in range(3000):
        allowance.read(1, millisecond / 1000)
        assert allowance.pause_s(millisecond / 1000) == 0


def test_a_line_that_never_rests_waits_for_the_next_second():
    allowance = Allowance(bytes_per_s=1000)
    allowance.read(1000, 10.0)
    assert allowance.pause_s(10.25) == 0.75
    assert allowance.pause_s(11.0) == 0


def test_a_mib_that_is_passed_over_is_through_in_a_second_or_two():
    allowance = Allowance()
    seconds = 0
    for _ in range(256):
        allowance.read(4096, seconds, is_passed_over=True)
        seconds += allowance.pause_s(seconds) > 0
    assert seconds <= 1


def test_a_great_many_small_pieces_are_too_many_as_well():
    allowance = Allowance(bytes_per_s=1000)
    for _ in range(250):
        allowance.read(0, 0.0)
    assert allowance.pause_s(0.5) == 0.5


def test_of_the_messages_that_are_too_many_the_first_is_said_and_the_others_are_not():
    allowance = Allowance(messages_per_s=2)
    assert [allowance.admit(0.0) for _ in range(5)] == [True, True, False, None, None]
    assert allowance.admit(1.0) is True
