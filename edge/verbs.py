"""What is asked over the control socket, taken apart by its form.

Owns the way from a verb and its arguments to a typed question, and the exception that says why something asked for
cannot be done. Always true: what is not right is named by its place and never quoted, since it may be a traveller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Refused(Exception):
    """What was asked for cannot be done now; the text says why, and is the answer."""


def take_apart(
    verb: str,
    arguments: Mapping[str, Any],
    forms: Mapping[str, type[msgspec.Struct]],
    *,
    hints: Mapping[str, str] | None = None,
) -> Any:
    """Return the arguments of a verb in the form that it has in `forms`; raise `Refused` where they do not fit.

    `hints` says by its place (`$.officer`) what would be right there; of every other place only that it is not right.
    """
    try:
        return msgspec.convert(arguments, forms[verb])
    except msgspec.ValidationError as error:  # its text may quote what was typed
        place = str(error).partition(" - at ")[2].strip("`")
        raise Refused((hints or {}).get(place) or f"{verb}: {place or 'an argument'} is not right") from None
