"""Which character stands on which key, for the countries that a reader can be set to.

Owns the tables alone. Keys are the numbers of `linux/input-event-codes.h`, in the order of `KEYS`; the tables are those
of xkeyboard-config, and a test compares them with its own. A dead key stands as the combining character of its accent.
"""

from __future__ import annotations

from enum import StrEnum

# From the key above Tab along the four rows; 43 is the key beside Enter (or above it), 86 the one beside left Shift.
KEYS = (41, *range(2, 14), *range(16, 28), *range(30, 41), 43, 86, *range(44, 54))

_GRAVE, _ACUTE, _CIRCUMFLEX, _TILDE, _DIAERESIS = "\u0300\u0301\u0302\u0303\u0308"
SPACING = {_GRAVE: "`", _ACUTE: "´", _CIRCUMFLEX: "^", _TILDE: "~", _DIAERESIS: "¨"}


class Layout(StrEnum):
    """The country of a keyboard, by the name that xkeyboard-config gives it."""

    US = "us"
    GB = "gb"
    DE = "de"
    FR = "fr"


def _levels(plain: str, shifted: str, with_altgr: dict[str, str]) -> dict[int, tuple[str, str, str]]:
    keys = zip(KEYS, plain, shifted, strict=True)
    return {key: (low, high, with_altgr.get(low, "")) for key, low, high in keys}


# Key -> its character alone, with Shift, with AltGr (empty where there is none).
CHARACTERS: dict[Layout, dict[int, tuple[str, str, str]]] = {
    Layout.US: _levels(
        "`1234567890-=qwertyuiop[]asdfghjkl;'\\<zxcvbnm,./",
        '~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"|>ZXCVBNM<>?',
        {},
    ),
    Layout.GB: _levels(
        "`1234567890-=qwertyuiop[]asdfghjkl;'#\\zxcvbnm,./",
        '¬!"£$%^&*()_+QWERTYUIOP{}ASDFGHJKL:@~|ZXCVBNM<>?',
        {"4": "€"},
    ),
    Layout.DE: _levels(
        _CIRCUMFLEX + "1234567890ß" + _ACUTE + "qwertzuiopü+asdfghjklöä#<yxcvbnm,.-",
        '°!"§$%&/()=?' + _GRAVE + "QWERTZUIOPÜ*ASDFGHJKLÖÄ'>YXCVBNM;:_",
        {"2": "²", "3": "³", "7": "{", "8": "[", "9": "]", "0": "}", "ß": "\\", "q": "@", "e": "€", "+": "~", "<": "|"}
        | {"m": "µ"},
    ),
    Layout.FR: _levels(
        "²&é\"'(-è_çà)=azertyuiop" + _CIRCUMFLEX + "$qsdfghjklmù*<wxcvbn,;:!",
        "~1234567890°+AZERTYUIOP" + _DIAERESIS + "£QSDFGHJKLM%µ>WXCVBN?./§",
        {"é": _TILDE, '"': "#", "'": "{", "(": "[", "-": "|", "è": _GRAVE, "_": "\\", "ç": "^", "à": "@", ")": "]"}
        | {"=": "}", "e": "€", "$": "¤"},
    ),
}
