"""The same parsers, guided by the branches that an input reaches: `python -m tests.fuzz.guided TARGET [OPTION ...]`.

Wants the extra `fuzz` (atheris, which has wheels for x86_64 alone). Options are libFuzzer's, such as `-runs=1000000` or
`-max_total_time=60`. The seeds are those of `tests.fuzz`, and so is what must hold; what breaks it is kept there too.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Fuzz one target until the options or a find end it."""
    try:
        atheris = importlib.import_module("atheris")  # by name: an extra that not every machine can install
    except ImportError:
        sys.exit("atheris is not installed; install landfall with the extra `fuzz`, or use `make fuzz`")
    with atheris.instrument_imports(include=["edge.documents", "hw.framing"]):
        from tests.fuzz import cases
        from tests.fuzz.__main__ import TARGETS
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"name a target: {', '.join(TARGETS)}")
    target = TARGETS[sys.argv[1]]

    def check(payload: bytes) -> None:
        try:
            target.check(payload)
        except Exception:
            cases.keep(target.name, payload)
            raise

    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(target.seeds):
            made = target.make(seed)
            content = made if isinstance(made, bytes) else made.encode("utf-8", "surrogatepass")
            (Path(corpus) / str(number)).write_bytes(content)
        atheris.Setup([sys.argv[0], *sys.argv[2:], corpus], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
