"""`python -m tests.powercut`: cut the power in both ways, show that losses would be seen, and print the count.

Exit status: 0 when nobody was lost and every sabotaged kiosk was found out, 1 otherwise, 2 when something could not be
run on this machine, so that it is not proven here.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from tests.powercut import obstacles
from tests.powercut.figures import Figures
from tests.powercut.random_moments import cut_at_random

_PROOF_CUTS, _PROOF_CROSSINGS, _PROOF_LIVES = 12, 4, 2
_RANDOM, _EVERY, _SAMPLE = "random moments", "every write", "  and a whole kiosk"
_WIDTH = 110  # of what is printed into a file
Advance = Callable[[int, int], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for and return the exit status."""
    options = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    reasons = {_EVERY: obstacles.to_every_write(), _RANDOM: obstacles.to_random_moments()}
    wanted = [way for way, word in ((_EVERY, "every"), (_RANDOM, "random")) if options.only in ("", word)]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="landfall-powercut-")))
        cutter = _Cutter(folder, options, stack.enter_context(_bars(console)))
        possible = [way for way in wanted if not reasons[way]]
        rows = {way: figures for one in possible for way, figures in cutter.cut(one).items()}
        proofs = (
            {} if options.no_proof else {way: found for one in possible for way, found in cutter.prove(one).items()}
        )
    _print(console, rows, proofs)
    for way in wanted:
        if reasons[way]:
            console.print(f"NOT RUN, so not proven here: {way} {reasons[way]}")
    if not all(figures.is_clean and figures.is_quick for figures in rows.values()) or not all(
        figures.lost for figures in proofs.values()
    ):
        return 1
    return 2 if len(possible) < len(wanted) else 0


class _Cutter:
    """Runs one way after the other, each with bars of its own."""

    def __init__(self, folder: Path, options: argparse.Namespace, bars: Progress) -> None:
        self._folder, self._options, self._bars = folder, options, bars

    def cut(self, way: str) -> dict[str, Figures]:
        """Cut the power of the kiosk that ships."""
        options = self._options
        if way == _EVERY:
            return self._every_write(options.crossings, options.lives, options.starts)
        return {way: self._random(way, options.cuts, options.posts)}

    def prove(self, way: str) -> dict[str, Figures]:
        """Cut the power of kiosks that do not sync as they should: each must be found out."""
        found = {}
        for sabotage in ("NORMAL", "OFF", "LATE") if way == _EVERY else ("NORMAL", "OFF"):
            name = f"{way}, {_SABOTAGES[sabotage]}"
            if way == _EVERY:
                found |= self._every_write(_PROOF_CROSSINGS, _PROOF_LIVES, 0, sabotage=sabotage, name=name)
            else:
                found[name] = self._random(name, _PROOF_CUTS, 2, sabotage=sabotage)
        return found

    def _random(self, name: str, cuts: int, posts: int, sabotage: str = "") -> Figures:
        folder = self._new_folder()
        with self._bar(name, cuts) as advance:
            seed = self._options.seed
            return cut_at_random(folder, cuts=cuts, posts=posts, seed=seed, progress=advance, sabotage=sabotage)

    def _every_write(
        self, crossings: int, lives: int, starts: int, *, sabotage: str = "", name: str = _EVERY
    ) -> dict[str, Figures]:
        from tests.powercut.every_write import cut_everywhere, record, start_at_some  # only where FUSE is

        folder, seed = self._new_folder(), self._options.seed
        with self._bar(f"{name}: recording", 0):
            post, recording = record(folder, photographed=crossings, lives=lives, seed=seed, sabotage=sabotage)
        with self._bar(name, 0) as advance:
            found = {name: cut_everywhere(recording, folder, seed=seed, progress=advance)}
        if starts:
            with self._bar("whole kiosks on what is left", starts) as advance:
                sample = start_at_some(post, recording, starts=starts, seed=seed, progress=advance)
            found[_SAMPLE] = sample
        return found

    def _new_folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._folder))

    @contextlib.contextmanager
    def _bar(self, name: str, total: int) -> Iterator[Advance]:
        task = self._bars.add_task(name, total=total or None)
        yield lambda done, total: self._bars.update(task, advance=done, total=total)
        self._bars.update(task, total=1, completed=1, visible=False)


_SABOTAGES = {
    "NORMAL": "synchronous = NORMAL",
    "OFF": "synchronous = OFF",
    "LATE": "lamp before sync",
}


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def _print(console: Console, rows: dict[str, Figures], proofs: dict[str, Figures]) -> None:
    table = Table(title="Power cuts under the kiosk that ships")
    table.add_column("", no_wrap=True)
    for heading in ("cuts", "seen off", "lost", "twice", "half", "breaks", "unsound", "opened within", "ready within"):
        table.add_column(heading, justify="right")
    for way, figures in rows.items():
        counts = (figures.cuts, len(figures.seen_off), len(figures.lost), figures.twice, figures.halves, figures.breaks)
        unopened = figures.unopened + figures.salvaged
        ready = f"{figures.slowest_ready_s:.2f} s" if figures.starts else ""
        within = (f"{figures.slowest_opening_s:.2f} s", ready)
        table.add_row(way, *map(str, counts), str(unopened), *within)
    if rows:
        console.print(table)
    if proofs:
        table = Table(title="Would a loss be seen? The same under kiosks that do not wait for the card")
        table.add_column("", no_wrap=True)
        for heading in ("cuts", "seen off", "lost", "cuts that lost"):
            table.add_column(heading, justify="right")
        for way, figures in proofs.items():
            counts = (figures.cuts, len(figures.seen_off), len(figures.lost), figures.losing_cuts)
            table.add_row(way, *map(str, counts))
        console.print(table)
    for way, figures in rows.items():
        for remark in figures.remarks:
            console.print(f"{way}: {remark}", markup=False)
    for way, figures in proofs.items():
        if not figures.lost:
            console.print(f"{way}: no loss was seen, so the other figures prove nothing")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make powercut", description="Cut the power of real kiosks, and count.")
    parser.add_argument("--cuts", type=int, default=1000, help="cuts at random moments [1000]")
    parser.add_argument("--posts", type=int, default=os.cpu_count(), help="kiosks side by side [one a core]")
    parser.add_argument("--crossings", type=int, default=40, help="crossings with photo in the recorded run [40]")
    parser.add_argument("--lives", type=int, default=8, help="lives of the recorded run, with a cut after each [8]")
    parser.add_argument("--starts", type=int, default=25, help="of its moments, how many a whole kiosk starts on [25]")
    parser.add_argument("--only", choices=("every", "random"), default="", help="one way alone")
    parser.add_argument("--no-proof", action="store_true", help="leave the sabotaged kiosks out")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of everything that is up to chance [time]")
    return parser


if __name__ == "__main__":
    logging.disable()
    sys.exit(main())
