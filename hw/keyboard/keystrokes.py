"""What one reader's keys mean: a few modifiers are remembered from press to press, and nothing else.

Owns Shift, Caps Lock, AltGr, dead keys, control characters (Ctrl with a key) and characters by number (Alt with the
keypad). Always true: Enter and Tab end a message and come out as CR; a key that means nothing comes out as nothing;
a key that is held down does not repeat, because a reader never means it so.
"""

from __future__ import annotations

import unicodedata

from hw.keyboard.layouts import CHARACTERS, SPACING, Layout

_LEFT_CTRL, _RIGHT_CTRL, _LEFT_SHIFT, _RIGHT_SHIFT, _LEFT_ALT, _RIGHT_ALT = 29, 97, 42, 54, 56, 100
_MODIFIERS = frozenset({_LEFT_CTRL, _RIGHT_CTRL, _LEFT_SHIFT, _RIGHT_SHIFT, _LEFT_ALT, _RIGHT_ALT})
_CAPS_LOCK = 58
_PLAIN = {1: "\x1b", 15: "\r", 28: "\r", 57: " ", 96: "\r"}  # Esc, Tab, Enter, space, Enter of the keypad
# Num Lock is taken for set: a reader that uses the keypad means its digits.
_KEYPAD = dict(zip((82, 79, 80, 81, 75, 76, 77, 71, 72, 73), "0123456789", strict=True))
_KEYPAD_SIGNS = {55: "*", 74: "-", 78: "+", 83: ".", 98: "/", 117: "=", 121: ","}
_CONTROL_OF = {"2": "\x00", "6": "\x1e", "-": "\x1f"}  # beside those that ASCII puts under @ to _
_MOST_DIGITS = 7


class Keystrokes:
    """Turns the key events of one reader into bytes."""

    def __init__(self, layout: Layout | str = Layout.US) -> None:
        self._characters = CHARACTERS[Layout(layout)]
        self.reset()

    def reset(self) -> None:
        """Forget every key that is held, because the reader is a new one or key events were lost."""
        self._held: set[int] = set()
        self._is_caps = False
        self._number = ""  # typed on the keypad while Alt is held
        self._accent = ""  # of a dead key that waits for its letter

    def key(self, code: int, *, is_down: bool) -> bytes:
        """Take one key that goes down or up and return what it completes."""
        if code in _MODIFIERS:
            return self._modifier(code, is_down)
        if not is_down:
            return b""
        if code == _CAPS_LOCK:
            self._is_caps = not self._is_caps
            return b""
        if code in _KEYPAD and self._is_held(_LEFT_ALT, _RIGHT_ALT):
            self._number = (self._number + _KEYPAD[code])[:_MOST_DIGITS]
            return b""
        return self._composed(self._character(code)).encode()

    def _is_held(self, *codes: int) -> bool:
        return not self._held.isdisjoint(codes)

    def _modifier(self, code: int, is_down: bool) -> bytes:
        if is_down:
            self._held.add(code)
            return b""
        self._held.discard(code)
        if not self._number or self._is_held(_LEFT_ALT, _RIGHT_ALT):
            return b""
        number, self._number = self._number, ""
        return _numbered(number)

    def _character(self, code: int) -> str:
        if code in _KEYPAD or code in _KEYPAD_SIGNS or code in _PLAIN:
            return _KEYPAD.get(code) or _KEYPAD_SIGNS.get(code) or _PLAIN[code]
        if code not in self._characters:
            return ""
        low, high, with_altgr = self._characters[code]
        is_ctrl, is_alt = self._is_held(_LEFT_CTRL, _RIGHT_CTRL), self._is_held(_LEFT_ALT)
        if self._is_held(_RIGHT_ALT) or (is_ctrl and is_alt):  # Windows lets Ctrl and Alt together stand for AltGr
            return with_altgr
        is_letter = low.isalpha() and low.upper() == high
        shifted = self._is_held(_LEFT_SHIFT, _RIGHT_SHIFT) != (self._is_caps and is_letter)
        character = high if shifted else low
        return self._control(code, character) if is_ctrl else character

    @staticmethod
    def _control(code: int, character: str) -> str:
        # By the character; else by what stands on that key in the US, which is how other countries reach ESC, FS, GS.
        for candidate in (character, CHARACTERS[Layout.US][code][0]):
            if candidate and "@" <= candidate.upper() <= "_":
                return chr(ord(candidate.upper()) & 0x1F)
        return _CONTROL_OF.get(CHARACTERS[Layout.US][code][0], "")

    def _composed(self, character: str) -> str:
        if not character:
            return ""
        accent, self._accent = self._accent, ""
        if character in SPACING:
            if accent != character:
                self._accent = character
                return SPACING.get(accent, "")
            return SPACING[accent]
        if not accent:
            return character
        if character == " ":
            return SPACING[accent]
        together = unicodedata.normalize("NFC", character + accent)
        return together if len(together) == 1 else SPACING[accent] + character


def _numbered(number: str) -> bytes:
    """Return what Alt and a number on the keypad mean on Windows, for which readers are made.

    With a leading zero, and below 128, the number is the byte of the barcode itself, so a reader that sends UTF-8 byte
    by byte comes out right; else it is of code page 437, and above 255 a Unicode character.
    """
    value = int(number)
    if value < 128 or (number.startswith("0") and value < 256):
        return bytes([value])
    if value < 256:
        return bytes([value]).decode("cp437").encode()
    return chr(value).encode(errors="ignore") if value < 0x110000 else b""
