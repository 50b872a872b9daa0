"""One evaluation: findings in, alerts and notifications out, in one transaction.

Owns what is read and written together. Always true: an alert that says it was told has its notification in the outbox;
a transaction that fails changes neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from central.alerts import ledger, outbox, telling
from central.alerts.evaluate import faults, judge
from central.alerts.ledger import Alert
from central.alerts.rules import Rules
from central.alerts.tables import alert
from central.fleet.diagnosis import Finding


class Bell:
    """Rings on `channels` by the rules."""

    def __init__(self, rules: Rules, channels: Iterable[str], *, keep_days: int) -> None:
        self._rules = rules
        self._channels = tuple(channels)
        self._keep = timedelta(days=keep_days)

    def evaluate(
        self,
        connection: Connection,
        kiosks: Mapping[str, Sequence[Finding]] | None,
        centre: Iterable[Finding],
        now: datetime,
    ) -> tuple[int, int]:
        """Open and close alerts; return how many were told as new, and as over.

        `kiosks` is None while nobody hears them: their alerts then stay as they are.
        """
        known = ledger.load(connection, alert.c.closed_at.is_(None))
        if kiosks is None:
            known = [one for one in known if one.scope == ledger.CENTRE]
        found = faults(kiosks or {}, centre, self._rules)
        judged = judge(found, known, ledger.load_silences(connection, now), self._rules, now)
        numbers = ledger.write(connection, judged.changed, judged.dropped)
        self._tell(connection, judged.tell_open, judged.tell_closed, numbers, now)
        return len(judged.tell_open), len(judged.tell_closed)

    def forget(self, connection: Connection, now: datetime) -> None:
        """Delete what ended long ago."""
        ledger.forget(connection, now - self._keep)
        outbox.forget(connection, now - self._keep)

    def _tell(
        self,
        connection: Connection,
        opened: Sequence[Alert],
        closed: Sequence[Alert],
        numbers: Mapping[Alert, int],
        now: datetime,
    ) -> None:
        by_code = self._rules.by_code()
        for channel in self._channels:
            begun, over = (
                [one for one in ones if one.code in by_code and channel in by_code[one.code].to]
                for ones in (opened, closed)
            )
            if begun or over:
                begun.sort(key=lambda one: (one.severity, one.scope))
                outbox.put(connection, [channel], telling.body_of(begun, over, numbers, now), now)
