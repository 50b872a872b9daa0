"""The threads that tell: one a channel, so that a dead mail server holds up no webhook, and neither the watcher.

Owns when something is tried again, and the heartbeat. Always true: a heart beats only while alerts are evaluated; a
thread that meets a fault says its kind and place and goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread
from time import monotonic
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from central import database
from central.alerts import outbox
from central.alerts.channels import Heartbeat, NotDelivered
from central.alerts.outbox import Letter
from central.journal import ERROR, INFO, WARNING, log, told

LOOK_EVERY_S = 2.0


class Channel(Protocol):
    """A way out."""

    def send(self, letter: Letter) -> None:
        """Deliver one notification; raise `NotDelivered`."""


class Postman:
    """Delivers what is due on one channel while `is_on_duty` says so, until `stop`."""

    def __init__(self, engine: Engine, name: str, channel: Channel, is_on_duty: Callable[[], bool]) -> None:
        self._engine, self._name, self._channel, self._is_on_duty = engine, name, channel, is_on_duty
        self._stopping = Event()
        self._woken = Event()
        self._thread = Thread(target=self._run, name=f"post {name}", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def wake(self) -> None:
        """Say that something new is there."""
        self._woken.set()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End after the delivery at hand; one that hangs is left alone, and tried again by whoever comes next."""
        self._stopping.set()
        self._woken.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                while self._is_on_duty() and not self._stopping.is_set() and self._deliver():
                    pass
            except SQLAlchemyError as error:
                log(WARNING, f"{self._name}: {told(error)}")
            except Exception as error:  # the thread's wrapper; its text may quote what a server answered
                log(ERROR, f"{self._name}: {told(error)}")
            self._woken.wait(LOOK_EVERY_S)
            self._woken.clear()

    def _deliver(self) -> bool:
        """Try the oldest notification that is due; return False when there is none, or it did not work."""
        with database.reading(self._engine) as connection:
            letter = outbox.due(connection, self._name, datetime.now(UTC))
        if letter is None:
            return False
        try:
            self._channel.send(letter)
        except NotDelivered as error:
            with database.writing(self._engine) as connection:
                will_be_tried = outbox.failed(connection, letter, error.message, datetime.now(UTC))
            what = "will be tried again" if will_be_tried else "given up after a day"
            log(WARNING, f"{self._name}: notification {letter.id} not delivered ({error.message}); {what}")
            return False
        with database.writing(self._engine) as connection:
            outbox.sent(connection, letter, datetime.now(UTC))
        log(INFO, f"{self._name}: notification {letter.id} delivered")
        return True


class Pulse:
    """Beats while `is_alive` says so; whoever listens raises the alarm when it stops."""

    def __init__(self, heartbeat: Heartbeat, is_alive: Callable[[], bool]) -> None:
        self._heartbeat, self._is_alive = heartbeat, is_alive
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def wake(self) -> None:
        """Do nothing: a heart has its own time."""

    def stop(self, timeout_s: float = 5.0) -> None:
        """Stop beating."""
        self._stopping.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        next_s = monotonic()
        while not self._stopping.wait(max(0.05, next_s - monotonic())):
            if not self._is_alive():
                next_s = monotonic() + 1.0
                continue
            next_s = monotonic() + self._heartbeat.every_s
            try:
                self._heartbeat.beat()
            except NotDelivered as error:
                log(WARNING, f"heartbeat not taken ({error.message})")
            except Exception as error:  # the thread's wrapper
                log(ERROR, f"heartbeat: {told(error)}")
