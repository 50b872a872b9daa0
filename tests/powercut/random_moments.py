"""Cuts at random moments of a real file system under whole kiosks, again and again on the same cards.

Owns the moments. Several posts run side by side, each with a card of its own; broker and centre listen. Every cycle
starts the kiosk on what the last cut left, and cuts: while it starts, while travellers cross, or while it purges and
checkpoints. Always true: the kiosk starts on the very files that the cut left; only a copy of them is examined.
"""

from __future__ import annotations

import queue
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random

from sqlalchemy import Engine, create_engine

from central.reconcile import verify_chain
from edge.errors import LandfallError
from provisioning.demo.count import unreceipted
from provisioning.local_deployment import LocalDeployment, wait_until
from tests.powercut.examine import Entry, Examined
from tests.powercut.figures import Figures
from tests.powercut.loop_card import LoopCard
from tests.powercut.post import STORE, Post, entries_at_centre

STARTING = (0.4, 1.1)  # of the time that the start before took: where the store is opened, and the first crossing
CROSSING_S = 1.2
TIDYING_S = (1.9, 2.6)  # after the last crossing the recorder waits two seconds, then purges and checkpoints
CROSSED_WITHIN_S = 60.0
DRAINED_WITHIN_S = 120.0


def cut_at_random(
    folder: Path, *, cuts: int, posts: int, seed: int, progress: Callable[[int, int], None], sabotage: str = ""
) -> Figures:
    """Cut so many times in all, and return the count; at the end every traveller must be at the centre too."""
    results: queue.SimpleQueue[Figures | Exception | None] = queue.SimpleQueue()
    stopped = threading.Event()
    with ExitStack() as stack:
        deployment = stack.enter_context(LocalDeployment(folder / "random"))
        deployment.start_collectors()
        engine = create_engine(f"sqlite:///{deployment.centre / 'centre.db'}")
        stack.callback(engine.dispose)
        threads = []
        for number in range(posts):
            card = stack.enter_context(LoopCard(folder / f"card-{number + 1}"))
            post = Post(deployment, f"ferry-{number + 1:02}", card.folder, sabotage=sabotage)
            stack.callback(post.process.kill)
            share = cuts // posts + (number < cuts % posts)
            cycles = _Cycles(post, card, engine, Random(f"{seed}/{number}"), share, results.put, stopped)
            threads.append(threading.Thread(target=cycles.run, name=f"power of {post.kiosk}"))
        for thread in threads:
            thread.start()
        try:
            return _collected(results, len(threads), cuts, progress)
        finally:
            stopped.set()
            for thread in threads:
                thread.join()


def _collected(
    results: queue.SimpleQueue[Figures | Exception | None],
    running: int,
    cuts: int,
    progress: Callable[[int, int], None],
) -> Figures:
    """Add up what the posts report; raise what goes wrong in one of them."""
    figures = Figures()
    while running:
        match results.get():
            case Figures() as found:
                figures.add(found)
                progress(found.cuts, cuts)
            case None:
                running -= 1
            case error:
                raise error
    return figures


class _Cycles:
    """The cuts of one post, in a thread of their own."""

    def __init__(
        self,
        post: Post,
        card: LoopCard,
        engine: Engine,
        chance: Random,
        cuts: int,
        report: Callable[[Figures | Exception | None], None],
        stopped: threading.Event,
    ) -> None:
        self._post, self._card, self._engine = post, card, engine
        self._chance, self._cuts, self._report, self._stopped = chance, cuts, report, stopped
        self._examiner = post.keys.examiner()
        self._centre: list[Entry] = []
        self._ready_s = 1.0

    def run(self) -> None:
        """Cut so many times, then let the kiosk send everything; every cycle is reported, None at the end."""
        try:
            for number in range(1, self._cuts + 1):
                if self._stopped.is_set():
                    return
                self._report(self._cycle(number))
            self._report(self._end())
        except Exception as error:  # the thread wrapper
            self._report(error)
        finally:
            self._report(None)

    def _cycle(self, number: int) -> Figures:
        figures, post = Figures(), self._post
        moment = (
            self._chance.choices(("starting", "crossing", "tidying"), (15, 65, 20))[0] if number > 1 else "crossing"
        )
        where = f"{post.kiosk}, cut {number} ({moment})"
        more = 3 if moment == "tidying" else 10_000
        passed = post.witnesses.count()
        post.expect(passed[0] + more, passed[1] + more)
        if moment == "starting":
            post.process.start()
            time.sleep(self._chance.uniform(*STARTING) * self._ready_s)
        else:
            start = post.start()
            self._ready_s = start.ready_s
            figures.started(start, where)
        if moment == "crossing":
            time.sleep(self._chance.uniform(0, CROSSING_S))
        elif moment == "tidying":
            goal = sum(passed) + 2 * more
            wait_until(lambda: sum(post.witnesses.count()) >= goal, CROSSED_WITHIN_S, f"{post.kiosk}: travellers cross")
            time.sleep(self._chance.uniform(*TIDYING_S))
        self._card.cut()
        post.process.kill()
        self._card.unmount()
        self._card.mount()
        self._examine(figures, where)
        return figures

    def _examine(self, figures: Figures, where: str) -> None:
        """Examine a copy, so that the kiosk itself has to start on what the cut left."""
        copy = self._post.folder / "copy"
        shutil.copytree(self._card.folder, copy, ignore=shutil.ignore_patterns("lost+found"))
        found = self._examiner.examine(copy / STORE)
        shutil.rmtree(copy)
        after = self._centre[-1].sequence if self._centre else 0
        if found.purged_up_to > after:
            self._centre += entries_at_centre(self._engine, self._post.kiosk, after)
        figures.take(self._post.kiosk, found, self._post.witnesses.seen_off(), self._centre, where=where)

    def _end(self) -> Figures:
        """Let the kiosk send all it has; whoever was seen off must be at the centre, in an unbroken chain."""
        figures, post = Figures(), self._post
        where = f"{post.kiosk}, after all cuts"
        post.expect(1, 1)
        figures.started(post.start(), where)
        try:
            wait_until(lambda: not unreceipted(self._card.folder), DRAINED_WITHIN_S, f"{post.kiosk}: queue is empty")
        except LandfallError as error:
            figures.remark(str(error))
        post.process.stop()
        self._centre = entries_at_centre(self._engine, post.kiosk)
        self._examine(figures, where)
        figures.cuts = 0
        everything = Examined(entries=tuple(self._centre))
        unsent = everything.missing(post.witnesses.seen_off())
        figures.lost |= {(post.kiosk, traveller) for traveller in unsent}
        twice = len(self._centre) - len({entry.id for entry in self._centre})
        broken = verify_chain(self._engine, post.kiosk).breaks
        figures.twice += twice
        figures.breaks += broken
        if unsent or twice or broken:
            figures.remark(f"{where}, at the centre: lost {len(unsent)}, twice {twice}, {broken} chain breaks")
        return figures
