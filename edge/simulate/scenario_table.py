"""The tables of docs/simulation.md, made from the types of a scenario.

Owns nothing but where they go; `python -m edge.simulate.scenario_table` puts them between the markers of the file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from msgspec import inspect

from edge.settings_table import table_of, with_table
from hw.simulated.scenario import Scenario


def scenario_table() -> str:
    """Return every key of a scenario file as Markdown."""
    return table_of(inspect.type_info(Scenario))


def main() -> int:
    """Put the tables into docs/simulation.md, or into the file that is named."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/simulation.md")
    path.write_text(with_table(path.read_text(encoding="utf-8"), scenario_table()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
