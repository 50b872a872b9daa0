"""What a kiosk tells of itself when somebody looks for a fault: bounded, and of listed things alone.

Owns the list. Always true: what goes in is named here, one by one; no record, no key and nothing of a traveller can get
in, since nothing is copied as a whole.
"""

from __future__ import annotations

from typing import Any

from edge.config import Settings

MOST_LINES = 100
MOST_LINE_CHARACTERS = 200


def diagnostics(settings: Settings, health: dict[str, Any], log: list[str]) -> dict[str, Any]:
    """Return what the command `diagnostics` answers; it fits into a reply."""
    return {"health": health, "log": [line[:MOST_LINE_CHARACTERS] for line in log[-MOST_LINES:]]}
