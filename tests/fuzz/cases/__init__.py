"""Inputs that once broke a parser, one file each: `<target>-<digest>.bin`, or `.txt` where the input was text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent


def keep(target: str, payload: bytes | str) -> Path:
    """Write an input into the folder and return its file."""
    raw = payload if isinstance(payload, bytes) else payload.encode("utf-8", "surrogatepass")
    suffix = "bin" if isinstance(payload, bytes) else "txt"
    path = FOLDER / f"{target}-{hashlib.sha256(raw).hexdigest()[:12]}.{suffix}"
    path.write_bytes(raw)
    return path


def kept() -> Iterator[tuple[str, bytes | str]]:
    """Yield the name of the target and the input of each file."""
    for path in sorted(FOLDER.glob("*-*.*")):
        raw = path.read_bytes()
        yield path.stem.rpartition("-")[0], raw if path.suffix == ".bin" else raw.decode("utf-8", "surrogatepass")
