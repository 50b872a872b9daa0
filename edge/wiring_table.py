"""The wiring table in docs/hardware.md, made from the default settings.

Owns how the table looks; `python -m edge.wiring_table` puts it between its markers in a file. Always true: pins come
from `hw.settings`, their place on the header from gpiozero's own knowledge of the board; nothing is written by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gpiozero.pins.pi import PiBoardInfo
from msgspec import inspect

from edge.setting_words import meaning_of
from edge.settings_table import with_table
from hw.settings import PANEL_PARTS, PanelSettings

BOARD = 0xC03111  # Raspberry Pi 4 Model B; every board with 40 pins has them in the same places
_OUTPUTS = ("green", "amber", "red", "buzzer", "gate")
_CLOSED_AT_REST = ("tamper", "door")


def wiring_table() -> str:
    """Return each part of a panel with its default pin and its place on the header, as Markdown."""
    kind = inspect.type_info(PanelSettings)
    assert isinstance(kind, inspect.StructType)
    meanings = {field.encode_name: meaning_of(field) for field in kind.fields}
    places = {pin.name: pin.number for pin in PiBoardInfo.from_revision(BOARD).headers["J8"].pins.values()}
    rows = ["| part | setting | pin | on the header | to be connected |", "|---|---|---|---|---|"]
    for part in PANEL_PARTS:
        pin = str(getattr(PanelSettings(), part))
        place = str(places[pin]) if pin else ""
        rows.append(f"| {meanings[part]} | `{part}` | {pin or 'not fitted'} | {place} | {_connection(part)} |")
    return "\n".join(rows) + "\n"


def _connection(part: str) -> str:
    if part in _OUTPUTS:
        return "driver or relay, on while the pin is high"
    return "contact to ground, closed at rest" if part in _CLOSED_AT_REST else "push button to ground"


def main() -> int:
    """Put the table into docs/hardware.md, or into the file that is named."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/hardware.md")
    path.write_text(with_table(path.read_text(encoding="utf-8"), wiring_table()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
