"""How many epochs and branches one kiosk may begin, so that a hostile one cannot fill the centre.

Owns the count. Always true: a kiosk that keeps within the bounds is never held up by one that does not; what is beyond
them is set aside with a reason and gets no receipt, so an honest kiosk keeps it until somebody has looked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, select, tuple_

from central import database
from central.chain import TRUNK, End
from central.incidents import Incident, Kind
from central.shelf import EpochKey
from central.tables import branch
from central.verify import MAX_REJECTED_BYTES, MAX_STREAMS, Checked, Rejected
from edge.wire.topics import stream_topic

REMEMBERED = 100_000  # epochs that are known to exist, before it is asked again


class Admission:
    """Lets records in; `most_epochs` are of one stream, `most_branches` of one epoch, `MAX_STREAMS` of one kiosk."""

    def __init__(self, most_epochs: int, most_branches: int) -> None:
        self._most_epochs, self._most_branches = most_epochs, most_branches
        self._known: set[EpochKey] = set()

    def epochs(
        self, connection: Connection, by_epoch: Mapping[EpochKey, Sequence[Checked]]
    ) -> tuple[dict[EpochKey, Sequence[Checked]], list[Rejected], list[Incident]]:
        """Return the records of epochs that exist or may begin, and what becomes of the others."""
        strange = self._strange(connection, by_epoch)
        counts = _count(connection, sorted({key[:2] for key in strange}))
        streams = _count_streams(connection, sorted({key.kiosk for key in strange if key[:2] not in counts}))
        admitted, refused, noticed = dict(by_epoch), [], []
        for key in strange:
            if key[:2] not in counts and streams.get(key.kiosk, 0) >= MAX_STREAMS:
                refused += [_aside(one, f"more than {MAX_STREAMS} streams") for one in admitted.pop(key)]
                noticed.append(Incident(Kind.TOO_MANY_EPOCHS, key.kiosk, detail="streams"))
            elif counts.get(key[:2], 0) >= self._most_epochs:
                refused += [_aside(one, f"more than {self._most_epochs} epochs") for one in admitted.pop(key)]
                noticed.append(Incident(Kind.TOO_MANY_EPOCHS, key.kiosk, key.stream, detail="epochs"))
            else:
                streams[key.kiosk] = streams.get(key.kiosk, 0) + (key[:2] not in counts)
                counts[key[:2]] = counts.get(key[:2], 0) + 1
        return admitted, refused, noticed

    def branches(
        self, ends: Mapping[EpochKey, Mapping[int, End]], by_epoch: dict[EpochKey, Sequence[Checked]]
    ) -> tuple[list[Rejected], list[Incident]]:
        """Take the records of epochs that have forked too often out of `by_epoch`, and return what becomes of them."""
        refused, noticed = [], []
        for key in [key for key in by_epoch if len(ends[key]) >= self._most_branches]:
            refused += [_aside(one, f"more than {self._most_branches} branches") for one in by_epoch.pop(key)]
            noticed.append(Incident(Kind.TOO_MANY_EPOCHS, key.kiosk, key.stream, key.epoch, detail="branches"))
        return refused, noticed

    def _strange(self, connection: Connection, keys: Mapping[EpochKey, object]) -> list[EpochKey]:
        """Return the epochs that do not exist yet; those that do are remembered, since none ever goes away."""
        wanted = sorted(set(keys) - self._known)
        if len(self._known) > REMEMBERED:
            self._known.clear()
        place = tuple_(branch.c.kiosk, branch.c.stream, branch.c.epoch)
        for some in database.pieces(wanted):
            columns = select(branch.c.kiosk, branch.c.stream, branch.c.epoch)
            found = connection.execute(columns.where(branch.c.branch == TRUNK, place.in_(some)))
            self._known.update(EpochKey(*row) for row in found)
        return [key for key in wanted if key not in self._known]


def _count(connection: Connection, streams: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    counts: dict[tuple[str, ...], int] = {}
    for some in database.pieces(streams):
        of_these = tuple_(branch.c.kiosk, branch.c.stream).in_(some) & (branch.c.branch == TRUNK)
        grouped = select(branch.c.kiosk, branch.c.stream, func.count()).where(of_these)
        for kiosk, stream, count in connection.execute(grouped.group_by(branch.c.kiosk, branch.c.stream)):
            counts[kiosk, stream] = count
    return counts


def _count_streams(connection: Connection, kiosks: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for some in database.pieces(kiosks):
        of_these = branch.c.kiosk.in_(some) & (branch.c.branch == TRUNK)
        grouped = select(branch.c.kiosk, func.count(branch.c.stream.distinct())).where(of_these)
        counts.update((kiosk, count) for kiosk, count in connection.execute(grouped.group_by(branch.c.kiosk)))
    return counts


def _aside(one: Checked, reason: str) -> Rejected:
    topic = stream_topic(one.claims.kiosk, one.claims.stream)
    return Rejected(topic, reason, one.record.encode()[:MAX_REJECTED_BYTES])
