"""A cut at every single write: one run of a real kiosk is recorded, then cut at each operation, in every way.

Owns the run and the boundaries. The kiosk process writes to a `FuseCard`; its card is cut between lives, so that starts
after a cut are part of the run. Afterwards each moment between two operations is played again: what could have been on
the card is put into files and examined. Always true: at each moment everybody whom a witness had seen off must be
there; a sample of the moments is also given to a whole kiosk, which has to be ready and let one more traveller pass.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import pickle
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sqlalchemy import create_engine

from edge.errors import LandfallError
from provisioning.local_deployment import LocalDeployment, wait_until
from tests.powercut.card import Card, Contents, Survival
from tests.powercut.examine import Entry, Examined, Examiner
from tests.powercut.figures import Figures
from tests.powercut.fuse_card import FuseCard, Life
from tests.powercut.post import STORE, Keys, Marks, Post, Witnesses, entries_at_centre

CROSSED_WITHIN_S = 90.0
QUIET_S = 2.5  # longer than the recorder waits before it tidies up
MOMENTS_A_TASK = 40
_MEMORY = Path("/dev/shm")  # thousands of stores are laid out: not on the machine's own disk if that can be helped
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Recording:
    """A run with its cuts, and what is needed to judge any moment of it; can be pickled."""

    kiosk: str
    keys: Keys
    witnesses: Witnesses
    lives: list[Life]
    centre: list[Entry]

    def moments(self) -> Iterator[tuple[int, int]]:
        """Yield every moment as (life, operations carried out by then)."""
        return ((number, at) for number, life in enumerate(self.lives) for at in range(len(life.noted) + 1))

    def marks(self, number: int, at: int) -> Marks:
        """Return how much the witnesses had written at a moment."""
        life = self.lives[number]
        return life.noted[at].marks if at < len(life.noted) else life.marks_at_end


def record(folder: Path, *, photographed: int, lives: int, seed: int, sabotage: str = "") -> tuple[Post, Recording]:
    """Run a kiosk until so many travellers were photographed, with a cut between two lives; broker and centre listen.

    In every second life, the travellers stay away at the end until receipts, purging and checkpoint are done. The last
    life ends politely.
    """
    chance = Random(seed)
    contents: Contents = {}
    recorded = []
    with LocalDeployment(folder / "recorded") as deployment:
        deployment.start_collectors()
        post = Post(deployment, "ferry-01", folder / "card", sabotage=sabotage)
        for number in range(lives):
            goal = photographed * (number + 1) // lives
            is_last = number == lives - 1
            is_quiet = number % 2 == 0 and not is_last
            more = 0 if is_quiet or is_last else 5  # who is on the way when the power goes
            post.expect(goal + more, goal + more, pause_s=0.01)
            with FuseCard(post.card, contents, post.witnesses.marks) as card:
                post.start()
                wait_until(lambda: sum(post.witnesses.count()) >= 2 * goal, CROSSED_WITHIN_S, "travellers cross")  # noqa: B023
                if is_quiet:
                    _be_quiet(card)
                post.process.stop() if is_last else post.process.kill()
            recorded.append(card.life)
            contents = _played(card.life).after_cut(chance.choice((Survival.NOTHING, Survival.SCATTERED)), chance)
        engine = create_engine(f"sqlite:///{deployment.centre / 'centre.db'}")
        centre = entries_at_centre(engine, post.kiosk)
        engine.dispose()
    return post, Recording(post.kiosk, post.keys, post.witnesses, recorded, centre)


def _be_quiet(card: FuseCard) -> None:
    """Wait until nothing was written for a while."""
    until_s = time.monotonic() + CROSSED_WITHIN_S
    seen, since_s = -1, time.monotonic()
    while time.monotonic() - since_s < QUIET_S and time.monotonic() < until_s:
        if len(card.life.noted) != seen:
            seen, since_s = len(card.life.noted), time.monotonic()
        time.sleep(0.05)


def _played(life: Life, up_to: int | None = None) -> Card:
    card = Card(life.before)
    for noted in life.noted[:up_to]:
        card.apply(noted.operation)
    return card


# --- judging ---------------------------------------------------------------------------------------------------------


def cut_everywhere(recording: Recording, folder: Path, *, seed: int, progress: Progress, jobs: int = 0) -> Figures:
    """Cut at every moment of a recording in every way, in several processes, and return the count."""
    file = folder / "recording.pickle"
    file.write_bytes(pickle.dumps(recording))
    figures = Figures()
    moments = list(recording.moments())
    tasks = [moments[at : at + MOMENTS_A_TASK] for at in range(0, len(moments), MOMENTS_A_TASK)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs or os.cpu_count(), mp_context=spawn) as pool:
        futures = {pool.submit(_cut_at, file, task, seed): len(task) for task in tasks}
        for future in as_completed(futures):
            figures.add(future.result())
            progress(futures[future], len(moments))
    return figures


@functools.lru_cache(maxsize=1)
def _loaded(file: Path) -> tuple[Recording, Examiner]:
    recording: Recording = pickle.loads(file.read_bytes())
    return recording, recording.keys.examiner()


def _cut_at(file: Path, moments: list[tuple[int, int]], seed: int) -> Figures:
    """Examine what is left at some moments in a row."""
    recording, examiner = _loaded(file)
    figures = Figures()
    life, done, card = -1, 0, Card()
    known: dict[Survival, tuple[Contents, Examined]] = {}
    for number, at in moments:
        if number != life:
            life, done, card = number, at, _played(recording.lives[number], at)
        while done < at:
            card.apply(recording.lives[number].noted[done].operation)
            done += 1
        seen_off = recording.witnesses.seen_off(recording.marks(number, at))
        for survival in card.survivals():
            contents = card.after_cut(survival, Random(f"{seed}/{number}/{at}/{survival}"))
            if survival not in known or known[survival][0] != contents:
                known[survival] = contents, _examined(examiner, contents)
            where = f"life {number + 1}, before operation {at + 1}, {survival}"
            figures.take(recording.kiosk, known[survival][1], seen_off, recording.centre, where=where)
    return figures


def _examined(examiner: Examiner, contents: Contents) -> Examined:
    with tempfile.TemporaryDirectory(prefix="landfall-card-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        lay_out(contents, Path(folder))
        return examiner.examine(Path(folder) / STORE)


def lay_out(contents: Contents, folder: Path) -> None:
    """Put the files of a card into an ordinary folder."""
    for name, content in contents.items():
        (folder / name).write_bytes(content)


# --- whole kiosks ----------------------------------------------------------------------------------------------------


def start_at_some(post: Post, recording: Recording, *, starts: int, seed: int, progress: Progress) -> Figures:
    """Give what was left at some moments to a whole kiosk: it must be ready, and one more traveller pass each lane.

    The centre cannot be reached meanwhile: it has seen the future of these moments.
    """
    figures = Figures()
    chance = Random(seed)
    examiner = recording.keys.examiner()
    texts = [path.read_bytes() for path in post.witnesses.paths]
    moments = list(recording.moments())
    for _ in range(starts):
        number, at = chance.choice(moments)
        card = _played(recording.lives[number], at)
        survival = chance.choice(card.survivals())
        marks = recording.marks(number, at)
        for path, text, mark in zip(post.witnesses.paths, texts, marks, strict=True):
            path.write_bytes(text[:mark])
        before = post.witnesses.count()
        shutil.rmtree(post.card)
        post.card.mkdir()
        lay_out(card.after_cut(survival, chance), post.card)
        post.expect(before[0] + 1, before[1] + 1)
        where = f"kiosk started on life {number + 1}, before operation {at + 1}, {survival}"
        try:
            figures.started(post.start(), where)
            wait_until(lambda: sum(post.witnesses.count()) >= sum(before) + 2, CROSSED_WITHIN_S, "one more crosses")  # noqa: B023
        except LandfallError as error:
            figures.unopened += 1
            figures.remark(f"{where}: {error}")
        post.process.kill()
        figures.take(
            post.kiosk, examiner.examine(post.card / STORE), post.witnesses.seen_off(), recording.centre, where=where
        )
        progress(1, starts)
    for path, text in zip(post.witnesses.paths, texts, strict=True):
        path.write_bytes(text)
    return figures
