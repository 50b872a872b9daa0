"""The watcher: listens to what all kiosks tell of themselves, keeps it, and rings when something is wrong.

Owns the order of things in its one thread: hold the lease, listen, write what was heard, evaluate, condense. Always
true: one watcher works at a time, a stand-by has no connection to the broker; nothing that comes from there, and no
failure of broker or database, ends it; what was not written is told again by the kiosks within half a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from threading import Event as Flag
from time import monotonic
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from central import database, incidents, registry
from central.alerts.bell import Bell
from central.broker_link import Delivery, Disconnected, Event, Link, Stop, Subscribed
from central.clock import Pause, utc_now
from central.config import FleetSettings
from central.database import rfc3339
from central.fleet import centre, history, lease, state
from central.fleet.diagnosis import Context, KioskState, diagnose
from central.fleet.intake import Intake
from central.journal import ERROR, INFO, NOTICE, WARNING, log, notify, told
from edge.seal import Verifier

TURN_S = 0.25  # from a message to the state that everybody sees, at most
CONDENSE_OVER_S = 300.0  # in which every kiosk's history is condensed once
FORGET_EVERY_S = 3600.0


class Companion(Protocol):
    """A thread beside the watcher: one that tells, or the heart."""

    def start(self) -> None:
        """Begin."""

    def wake(self) -> None:
        """Look now."""

    def stop(self) -> None:
        """End."""


class Watcher:
    """One of several; `holder` names it in the lease, `open_link` makes a connection for the given inbox."""

    def __init__(
        self,
        engine: Engine,
        settings: FleetSettings,
        verifier_of: Callable[[str], Verifier | None],
        open_link: Callable[[SimpleQueue[Event]], Link],
        bell: Bell,
        holder: str,
        *,
        evaluate_every_s: float = 10.0,
        clock: Callable[[], datetime] = utc_now,
        clock_s: Callable[[], float] = monotonic,
    ) -> None:
        self._engine, self._settings, self._verifier_of = engine, settings, verifier_of
        self._open_link, self._bell, self._holder = open_link, bell, holder
        self._evaluate_every_s = evaluate_every_s
        self._clock, self._clock_s = clock, clock_s
        self._inbox: SimpleQueue[Event] = SimpleQueue()
        self._stopping = Flag()
        self._companions: Sequence[Companion] = ()
        self._link: Link | None = None
        self._intake: Intake | None = None  # None: stands by, or begins anew
        self._stands_by = False
        self._working_since: datetime | None = None
        self._latencies: dict[str, float] = {}
        self._pause = Pause()
        self._evaluated_at_s = -3600.0
        self._held_until_s = 0.0
        self._due_s = dict.fromkeys(("lease", "connect", "turn", "evaluate", "condense", "latency", "forget"), 0.0)
        self._condensed: list[str] = []

    def run(self, companions: Sequence[Companion] = ()) -> None:
        """Watch until `stop` is called."""
        self._companions = companions
        for one in companions:
            one.start()
        notify("READY=1\nSTATUS=standing by")
        try:
            while not self._stopping.is_set():
                self._step_safely()
                notify("WATCHDOG=1")
        finally:
            notify("STOPPING=1")
            self._hand_over()
            for one in companions:
                one.stop()

    def stop(self) -> None:
        """Ask the watcher to end; may be called from a signal handler."""
        self._stopping.set()
        self._inbox.put(Stop())

    def is_on_duty(self) -> bool:
        """Tell whether this watcher holds the lease; for the threads beside it."""
        return self._clock_s() < self._held_until_s

    def is_alive(self) -> bool:
        """Tell whether alerts are evaluated, or this one stands by; what the heart asks."""
        return self.is_on_duty() and self._clock_s() - self._evaluated_at_s < 3 * self._evaluate_every_s + 30.0

    def _step_safely(self) -> None:
        try:
            self._step()
            return
        except Exception as error:  # whatever it is, whoever watches goes on
            log(ERROR, f"{told(error)}; beginning anew")
        self._leave()
        self._intake = None
        self._due_s["lease"] = self._clock_s() + self._pause.next_s()
        self._stopping.wait(min(1.0, max(0.0, self._due_s["lease"] - self._clock_s())))

    def _step(self) -> None:
        if self._is_due("lease", self._settings.lease_s / 3):
            self._hold()
        if self._intake is None:
            self._stopping.wait(min(1.0, self._settings.lease_s / 3))
            return
        if self._link is None and self._clock_s() >= self._due_s["connect"]:
            self._connect()
        self._listen()
        if self._is_due("turn", TURN_S):
            self._turn()
        if self._is_due("evaluate", self._evaluate_every_s):
            self._evaluate()
        if self._is_due("condense", 1.0):
            self._condense()
        if self._is_due("forget", FORGET_EVERY_S):
            with database.writing(self._engine) as connection:
                self._bell.forget(connection, self._clock())

    def _is_due(self, work: str, every_s: float) -> bool:
        now_s = self._clock_s()
        if now_s < self._due_s[work]:
            return False
        self._due_s[work] = now_s + every_s
        return True

    def _hold(self) -> None:
        """Take or renew the lease; begin to work, or to stand by."""
        now_s = self._clock_s()
        with database.writing(self._engine) as connection:
            is_mine = lease.take(
                connection, centre.WATCHER, self._holder, self._clock(), self._settings.lease_s, self._working_since
            )
        if is_mine:
            self._held_until_s = now_s + self._settings.lease_s
            if self._intake is None:
                with database.reading(self._engine) as connection:
                    self._intake = Intake(state.load(connection), self._verifier_of, self._settings)
                self._stands_by = False
                log(NOTICE, "on duty")
                notify("STATUS=on duty")
            return
        self._held_until_s = 0.0
        if self._intake is not None or not self._stands_by:
            log(NOTICE, "somebody else is on duty: standing by")
            notify("STATUS=standing by")
            self._leave()
        self._intake, self._stands_by = None, True

    def _hand_over(self) -> None:
        """Let a stand-by take over at once."""
        self._leave()
        if self._held_until_s:
            try:
                with database.writing(self._engine) as connection:
                    lease.give_back(connection, centre.WATCHER, self._holder, self._clock())
            except SQLAlchemyError:
                pass  # it runs out by itself

    def _connect(self) -> None:
        link = self._open_link(self._inbox)
        try:
            link.open()
            self._link = link
        except OSError as error:
            link.close()
            log(WARNING, f"broker: not connected: {error}")
            self._leave()

    def _leave(self) -> None:
        """Drop the connection and connect again after a pause; nobody is judged silent meanwhile."""
        link, self._link, self._working_since = self._link, None, None
        if link is not None:
            link.close()
        self._due_s["connect"] = self._clock_s() + self._pause.next_s()

    def _listen(self) -> None:
        """Wait for a message, take what else is there, and acknowledge all of it: the newest counts, not each."""
        until_s = min(self._due_s[work] for work in ("lease", "turn", "evaluate", "condense"))
        while (left_s := until_s - self._clock_s()) > 0:
            try:
                event = self._inbox.get(timeout=left_s)
            except Empty:
                return
            match event:
                case Delivery() if event.link is self._link and self._intake is not None:
                    event.link.acknowledge(event)
                    self._intake.put(event.topic, event.payload, self._clock(), is_retained=event.is_retained)
                case Subscribed(link) if link is self._link:
                    self._pause.reset()
                    self._working_since = self._clock()
                    self._due_s["lease"] = 0.0  # so that everybody sees at once that somebody listens
                    log(INFO, "watcher ready: subscribed to all kiosks")
                    return
                case Disconnected(link, reason) if link is self._link:
                    log(WARNING, f"broker: connection lost ({reason})")
                    self._leave()
                    self._due_s["lease"] = 0.0
                    return
                case Stop():
                    return

    def _turn(self) -> None:
        """Write what was heard."""
        assert self._intake is not None
        now = self._clock()
        if self._is_due("latency", self._settings.sample_every_s):
            since = now - timedelta(seconds=self._settings.sample_every_s)
            with database.reading(self._engine) as connection:
                self._latencies = history.latencies(connection, since)
        heard = self._intake.turn(now, self._latencies)
        if not (heard.states or heard.incidents):
            return
        with database.writing(self._engine) as connection:
            state.put(connection, heard.states)
            history.put(connection, heard.samples)
            incidents.report(connection, heard.incidents, rfc3339(now))
        for one in heard.incidents:
            log(WARNING, f"{one.kind}: {one.kiosk} {one.stream} {one.detail} ({one.count})")

    def _evaluate(self) -> None:
        assert self._intake is not None
        now = self._clock()
        with database.reading(self._engine) as connection:
            known = self._known(registry.registered_kiosks(connection))
            noticed = state.open_incidents(connection)
            figures = centre.measure(connection, known, now, self._settings)
        findings = None
        if self._has_listened_long_enough(now):
            context = Context(now, self._settings, state.usual_version(known.values()), self._working_since)
            findings = {name: diagnose(one, noticed.get(name, ()), context) for name, one in known.items()}
        own = centre.diagnose(figures, now, self._settings)
        with database.writing(self._engine) as connection:
            opened, closed = self._bell.evaluate(connection, findings, own, now)
        self._evaluated_at_s = self._clock_s()
        if opened or closed:
            log(NOTICE, f"alerts: {opened} opened, {closed} closed")
            for one in self._companions:
                one.wake()

    def _known(self, registered: Iterable[str]) -> Mapping[str, KioskState]:
        assert self._intake is not None
        return {name: self._intake.states.get(name) or KioskState(name) for name in registered}

    def _has_listened_long_enough(self, now: datetime) -> bool:
        """Tell whether whoever is silent was so while we listened; before that no alert begins or ends."""
        if self._working_since is None:
            return False
        return (now - self._working_since).total_seconds() > self._settings.silent_after_s + TURN_S

    def _condense(self) -> None:
        """Condense the history of some kiosks, so that each has its turn and none waits for all."""
        assert self._intake is not None
        if not self._condensed:
            self._condensed = sorted(self._intake.states)
        share = max(1, round(len(self._intake.states) / CONDENSE_OVER_S))
        some, self._condensed = self._condensed[:share], self._condensed[share:]
        if some:
            with database.writing(self._engine) as connection:
                for piece in database.pieces(some):
                    history.condense(connection, piece, self._clock(), self._settings)
