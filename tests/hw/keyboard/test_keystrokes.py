"""Keys into bytes: what a typist of each country presses, and what readers do beside typing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.keyboard import Keystrokes, Layout
from hw.simulated.keyboard import Typist
from tests.hw.framing.samples import SAMPLES

EVERY_LAYOUT = pytest.mark.parametrize("layout", Layout)
CTRL, SHIFT, ALT, ALTGR, CAPS, ENTER, TAB, SPACE = 29, 42, 56, 100, 58, 28, 15, 57
A, Q, KEY_2, KEY_6, KEY_8, KEY_9, OPENING, CLOSING, BACKSLASH, MINUS, GRAVE = 30, 16, 3, 7, 9, 10, 26, 27, 43, 12, 41
KEYPAD = (82, 79, 80, 81, 75, 76, 77, 71, 72, 73)
KEYPAD_ENTER = 96


def chord(keystrokes: Keystrokes, *keys: int) -> bytes:
    """Press keys one after the other, and release them the other way round."""
    down = [keystrokes.key(key, is_down=True) for key in keys]
    return b"".join(down + [keystrokes.key(key, is_down=False) for key in reversed(keys)])


def numbered(keystrokes: Keystrokes, digits: str, alt: int = ALT) -> bytes:
    """Hold Alt and type a number on the keypad."""
    return chord(keystrokes, alt, *(KEYPAD[int(digit)] for digit in digits))


def typed(text: bytes, layout: Layout) -> bytes:
    keystrokes = Keystrokes(layout)
    return b"".join(keystrokes.key(key, is_down=value == 1) for key, value in Typist(layout).events(text))


@EVERY_LAYOUT
@settings(max_examples=60, deadline=None)
@given(text=st.binary(max_size=60))
def test_every_byte_comes_out_as_the_typist_of_the_country_meant_it(layout: Layout, text: bytes):
    assert typed(text, layout) == text


@EVERY_LAYOUT
@pytest.mark.parametrize("name", SAMPLES)
def test_every_message_of_a_serial_reader_can_be_typed_too(layout: Layout, name: str):
    wire = SAMPLES[name][0]
    assert typed(wire, layout) == wire


def test_a_german_reader_on_a_us_setting_swaps_y_and_z_which_is_why_there_is_a_setting():
    keystrokes = Keystrokes(Layout.US)
    assert b"".join(keystrokes.key(key, is_down=value == 1) for key, value in Typist("de").events(b"xyz")) == b"xzy"


def test_caps_lock_turns_letters_and_nothing_else():
    keystrokes = Keystrokes()
    chord(keystrokes, CAPS)
    assert chord(keystrokes, A) + chord(keystrokes, SHIFT, A) + chord(keystrokes, KEY_2) == b"Aa2"
    chord(keystrokes, CAPS)
    assert chord(keystrokes, A) == b"a"


@pytest.mark.parametrize("end", [ENTER, TAB, KEYPAD_ENTER])
def test_enter_and_tab_end_a_message(end: int):
    assert chord(Keystrokes(), end) == b"\r"


@pytest.mark.parametrize(
    ("layout", "keys", "control"),
    [
        ("us", (CTRL, CLOSING), b"\x1d"),
        ("us", (CTRL, OPENING), b"\x1b"),
        ("us", (CTRL, BACKSLASH), b"\x1c"),
        ("us", (CTRL, SHIFT, KEY_6), b"\x1e"),
        ("us", (CTRL, KEY_6), b"\x1e"),
        ("us", (CTRL, MINUS), b"\x1f"),
        ("us", (CTRL, SHIFT, MINUS), b"\x1f"),
        ("us", (CTRL, KEY_2), b"\x00"),
        ("us", (CTRL, SHIFT, A), b"\x01"),
        ("de", (CTRL, CLOSING), b"\x1d"),
        ("de", (CTRL, BACKSLASH), b"\x1c"),
        ("fr", (CTRL, CLOSING), b"\x1d"),
        ("fr", (CTRL, OPENING), b"\x1b"),
        ("fr", (CTRL, KEY_8), b"\x1f"),
        ("fr", (CTRL, Q), b"\x01"),
    ],
)
def test_ctrl_and_a_key_is_a_control_character(layout: str, keys: tuple[int, ...], control: bytes):
    assert chord(Keystrokes(layout), *keys) == control


def test_ctrl_and_alt_together_stand_for_altgr():
    assert chord(Keystrokes("de"), CTRL, ALT, KEY_9) == chord(Keystrokes("de"), ALTGR, KEY_9) == b"]"


@pytest.mark.parametrize(
    ("number", "meant"),
    [
        ("029", b"\x1d"),
        ("29", b"\x1d"),
        ("65", b"A"),
        ("0220", b"\xdc"),
        ("0195", b"\xc3"),
        ("129", "ü".encode()),
        ("8364", "€".encode()),
        ("55296", b""),
        ("9999999", b""),
        ("99999999999", b""),
    ],
)
@pytest.mark.parametrize("alt", [ALT, ALTGR])
def test_alt_and_a_number_on_the_keypad_is_that_character(number: str, meant: bytes, alt: int):
    assert numbered(Keystrokes(), number, alt) == meant


def test_alt_alone_is_nothing_and_the_keypad_alone_types_digits():
    keystrokes = Keystrokes()
    assert chord(keystrokes, ALT) == b""
    assert b"".join(chord(keystrokes, key) for key in KEYPAD) == b"0123456789"


def test_a_dead_key_waits_for_its_letter():
    keystrokes = Keystrokes("fr")
    assert chord(keystrokes, OPENING) == b""
    assert chord(keystrokes, 18) == "ê".encode()
    assert chord(keystrokes, OPENING) + chord(keystrokes, SPACE) == b"^"
    assert chord(keystrokes, OPENING) + chord(keystrokes, OPENING) == b"^"
    assert chord(keystrokes, OPENING) + chord(keystrokes, 50) == b"^,"


def test_a_key_held_when_the_reader_went_away_is_forgotten():
    keystrokes = Keystrokes("de")
    keystrokes.key(SHIFT, is_down=True)
    keystrokes.key(GRAVE, is_down=True)
    keystrokes.reset()
    assert chord(keystrokes, A) == b"a"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 300) | st.sampled_from([CTRL, ALT, ALTGR, *KEYPAD]), st.booleans())),
    st.sampled_from(Layout),
)
def test_no_keys_in_any_order_are_too_much(keys: list[tuple[int, bool]], layout: Layout):
    keystrokes = Keystrokes(layout)
    for key, is_down in keys:
        assert len(keystrokes.key(key, is_down=is_down)) <= 6
