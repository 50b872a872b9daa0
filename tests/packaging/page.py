"""What `docs/operations.md` says to type, so that a test of a package types that and nothing that nobody can read."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
_COMMAND = re.compile(r"landfall-|cp |systemctl |sudo ")


def typed(heading: str) -> tuple[list[str], str]:
    """Return the commands of a section of the page, and the settings that it shows."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0].split("\n### ")[0]
    blocks = [re.sub(r"^ +", "", block, flags=re.M) for block in re.findall(r"(?:^(?: {4,}.+\n|\n)+)", section, re.M)]
    settings = "".join(block for block in blocks if re.match(r"\n*\[", block))
    lines = "".join(block for block in blocks if not re.match(r"\n*\[", block)).replace("\\\n", "").splitlines()
    return [line for line in lines if _COMMAND.match(line)], settings
