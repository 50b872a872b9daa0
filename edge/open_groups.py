"""The open groups of the lanes: opened and closed, on the audit stream, and open again after a restart.

Owns when a group begins and ends and what the store keeps of it meanwhile; who belongs to it is counted by the lane
(`edge.groups`). It runs in the main loop alone. Always true: a lane has one group at the most; a group that ends for
any reason ends with its count on the audit stream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from edge import groups
from edge.cache import CacheReader
from edge.documents.ships import imo_number, imo_number_check
from edge.events import Moment
from edge.groups import Group
from edge.recorder import Recorder
from edge.wire.crossing import Conveyance
from edge.wiring import Lane


class OpenGroups:
    """The groups of all lanes; `new_id` makes UUIDv7s."""

    def __init__(self, lanes: Sequence[Lane], recorder: Recorder, new_id: Callable[[], str]) -> None:
        self._lanes = lanes
        self._recorder, self._new_id = recorder, new_id

    @property
    def deadline_s(self) -> float | None:
        """Return the CLOCK_BOOTTIME at which the next group is idle for too long, or None."""
        times = [lane.kiosk.group.deadline_s for lane in self._lanes]
        return min((time for time in times if time is not None), default=None)

    def close_idle(self, now: Moment) -> None:
        """Close the groups that nobody has joined for too long."""
        for lane in self._lanes:
            if (due_s := lane.kiosk.group.deadline_s) is not None and due_s <= now.clock.boottime_s:
                self.close(lane, "idle")

    def restore(self, reader: CacheReader, now: Moment) -> None:
        """Open the groups again that were open before the restart."""
        for lane in self._lanes:
            if (group := groups.decode(reader.state(groups.group_of(lane.settings.name)))) is not None:
                lane.kiosk.group.open(group, now, count=int(reader.state(groups.count_of(group.id)) or 0))

    def press(self, lane: Lane, now: Moment) -> None:
        """Open a group by the lane's button, of which only the count is known, or close the one that is open."""
        is_open = lane.kiosk.group.group is not None
        if is_open:
            self.close(lane, "officer")
        else:
            self.open(lane, now)
        if lane.devices.panel is not None:
            lane.devices.panel.confirm(1 if is_open else 2)

    def open(
        self,
        lane: Lane,
        now: Moment,
        *,
        expected: int | None = None,
        conveyance: Conveyance | None = None,
        officer: str = "",
    ) -> dict[str, Any]:
        """Let the next crossings of a lane belong to a new group, and return it; one that is open ends.

        Of a vessel's number, `number_check` says how the check digit of the IMO number came out.
        """
        self.close(lane, "next_group", officer)
        number_check = {}
        if conveyance is not None and conveyance.kind == "vessel" and conveyance.number:
            conveyance = msgspec.structs.replace(conveyance, number=imo_number(conveyance.number))
            number_check = {"number_check": imo_number_check(conveyance.number).result.value}
        group = Group(self._new_id(), now.text, expected, conveyance, officer)
        lane.kiosk.group.open(group, now)
        self._recorder.keep(groups.group_of(lane.settings.name), groups.encode(group))
        self._recorder.keep(groups.count_of(group.id), "0")
        opened = self.shown(lane) | number_check
        self._recorder.audit("group_opened", **opened, officer=officer)
        return opened

    def close(self, lane: Lane, why: Literal["officer", "next_group", "idle"], officer: str = "") -> None:
        """Let the next crossings of a lane belong to no group; nothing happens where none is open."""
        count = lane.kiosk.group.count
        if (group := lane.kiosk.group.close()) is None:
            return
        self._recorder.keep(groups.group_of(lane.settings.name), "")
        self._recorder.keep(groups.count_of(group.id), "")
        self._recorder.audit(
            "group_closed",
            lane=lane.settings.name,
            group=group.id,
            count=count,
            expected=group.expected,
            reason=why,
            officer=officer,
        )

    def all_shown(self) -> list[dict[str, Any]]:
        """Return the open groups with their counts."""
        return [self.shown(lane) for lane in self._lanes if lane.kiosk.group.group is not None]

    def shown(self, lane: Lane) -> dict[str, Any]:
        """Return a lane's open group with its count, or that there is none."""
        open_one = lane.kiosk.group
        if (group := open_one.group) is None:
            return {"lane": lane.settings.name, "group": None}
        return {
            "lane": lane.settings.name,
            "group": group.id,
            "opened_at": group.opened_at,
            "count": open_one.count,
            "expected": group.expected,
            "conveyance": msgspec.to_builtins(group.conveyance),
        }
