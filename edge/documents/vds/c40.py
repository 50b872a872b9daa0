"""C40: three characters in two bytes (ISO/IEC 16022; the part that Doc 9303-13 uses, and the shifts for reading).

Owns the code only. Always true: `encode` writes capital letters, digits and space (`<` becomes a space, as the standard
says), `decode` reads what any Data Matrix encoder may have written and raises `ValueError` for the rest.
"""

from __future__ import annotations

_BASIC = " 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # values 3 to 39
_VALUE = {character: value for value, character in enumerate(_BASIC, 3)} | {"<": 3}
_SHIFTED = (
    "".join(map(chr, range(32))),
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_",
    "`abcdefghijklmnopqrstuvwxyz{|}~\x7f",
)
_UNLATCH = 254  # the byte behind it is one ASCII character plus 1


def encode(text: str) -> bytes:
    """Return the C40 bytes of a text; raises ValueError for characters other than A-Z, 0-9, space and `<`."""
    try:
        values = [_VALUE[character] for character in text]
    except KeyError:
        raise ValueError("C40 holds capital letters, digits, space and < only") from None
    encoded = bytearray()
    whole = len(values) - len(values) % 3
    for index in range(0, whole, 3):
        encoded += _packed(*values[index : index + 3])
    match values[whole:]:
        case [last]:
            encoded += bytes((_UNLATCH, ord(_BASIC[last - 3]) + 1))
        case [first, second]:
            encoded += _packed(first, second, 0)
    return bytes(encoded)


def decode(encoded: bytes) -> str:
    """Return the text of C40 bytes; a shift with nothing behind it is padding. Raises ValueError."""
    if len(encoded) % 2:
        raise ValueError("C40 comes in pairs of bytes")
    text, shift = [], None
    for index in range(0, len(encoded), 2):
        high, low = encoded[index], encoded[index + 1]
        if high == _UNLATCH:
            if not 1 <= low <= 128:
                raise ValueError("no ASCII character after the unlatch")
            text.append(chr(low - 1))
            continue
        packed = high * 256 + low - 1
        if not 0 <= packed < 64000:
            raise ValueError("no C40 value")
        for value in (packed // 1600, packed // 40 % 40, packed % 40):
            if shift is not None:
                if value >= len(_SHIFTED[shift]):
                    raise ValueError("no character at this shift")
                text.append(_SHIFTED[shift][value])
                shift = None
            elif value < 3:
                shift = value
            else:
                text.append(_BASIC[value - 3])
    return "".join(text)


def _packed(first: int, second: int, third: int) -> bytes:
    return (1600 * first + 40 * second + third + 1).to_bytes(2, "big")
