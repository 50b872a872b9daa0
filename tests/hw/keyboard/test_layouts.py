"""The tables beside those of xkeyboard-config, which the desktops of the world type with."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pytest

from hw.keyboard.layouts import CHARACTERS, KEYS, SPACING, Layout

_EVDEV_OFFSET = 8  # X counts keys from there
_DEAD = {"dead_grave": "`", "dead_acute": "´", "dead_circumflex": "^", "dead_tilde": "~", "dead_diaeresis": "¨"}
_ACCENTS = {spacing: accent for accent, spacing in SPACING.items()}

# Where readers follow Windows, and xkeyboard-config does not; (layout, key, level) -> ours.
_AS_WINDOWS = {
    (Layout.FR, 3, 2): "\u0303",  # tilde and grave are dead keys there
    (Layout.FR, 8, 2): "\u0300",
}


@pytest.fixture(scope="module")
def xkb() -> ctypes.CDLL:
    library = ctypes.CDLL("libxkbcommon.so.0")
    for name in ("xkb_context_new", "xkb_keymap_new_from_names"):
        getattr(library, name).restype = ctypes.c_void_p
    return library


class _Names(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("rules", "model", "layout", "variant", "options")]


def typed_on_a_desktop(xkb: ctypes.CDLL, layout: Layout) -> Iterator[tuple[int, int, str]]:
    """Yield key, level and character as xkeyboard-config has them."""
    context = ctypes.c_void_p(xkb.xkb_context_new(0))
    names = _Names(b"evdev", b"pc105", layout.encode(), b"", b"")
    keymap = ctypes.c_void_p(xkb.xkb_keymap_new_from_names(context, ctypes.byref(names), 0))
    symbols, name = ctypes.POINTER(ctypes.c_uint32)(), ctypes.create_string_buffer(64)
    for key in KEYS:
        for level in range(3):
            if xkb.xkb_keymap_key_get_syms_by_level(keymap, key + _EVDEV_OFFSET, 0, level, ctypes.byref(symbols)):
                xkb.xkb_keysym_get_name(symbols[0], name, len(name))
                dead = _DEAD.get(name.value.decode())
                yield key, level, _ACCENTS[dead] if dead else chr(xkb.xkb_keysym_to_utf32(symbols[0]))
    xkb.xkb_keymap_unref(keymap)
    xkb.xkb_context_unref(context)


@pytest.mark.parametrize("layout", Layout)
def test_every_character_stands_where_the_country_has_it(xkb: ctypes.CDLL, layout: Layout):
    desktop = {(key, level): character for key, level, character in typed_on_a_desktop(xkb, layout)}
    ours = {(key, level): found for key in KEYS for level, found in enumerate(CHARACTERS[layout][key]) if found}
    different = {place: (found, desktop.get(place)) for place, found in ours.items() if found != desktop.get(place)}
    assert {(layout, *place) for place in different} == {place for place in _AS_WINDOWS if place[0] is layout}
    assert all(ours[place[1:]] == character for place, character in _AS_WINDOWS.items() if place[0] is layout)


@pytest.mark.parametrize("layout", Layout)
def test_every_character_of_ascii_can_be_typed(layout: Layout):
    found = {character for levels in CHARACTERS[layout].values() for character in levels}
    found |= {SPACING[character] for character in found if character in SPACING}
    assert {chr(code) for code in range(0x21, 0x7F)} <= found
