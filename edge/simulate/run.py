"""A simulation from the first traveller to the last, with the officer who sits at the keyboard.

Owns the order of events and the officer's typing. Always true: travellers come only once the kiosk is ready and the
officer has opened the group; the kiosk has ended when `run` returns or raises.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from edge.control import ask
from edge.documents import mrz
from edge.errors import LandfallError
from edge.simulate.kiosk import BEGIN, Simulated
from hw.simulated.turns import Turn, turn
from hw.simulated.witness import Sighting, sightings_in

OFFICER = "S-1"
READY_WITHIN_S = 60.0
STALL_S = 60.0  # nobody left for so long, beyond what the scenario itself takes
ENDS_WITHIN_S = 20.0
_POLL_S = 0.05


def run(kiosk: Simulated, told: Callable[[int, int], None]) -> None:
    """Let every traveller of every lane cross; `told` hears how many have left, of how many.

    Raises LandfallError when the kiosk ends, or nobody leaves any more.
    """
    with _running(kiosk) as process:
        officer = _Officer(kiosk)
        _wait(process, kiosk, officer.is_ready, READY_WITHIN_S, "the kiosk is not ready")
        officer.open_groups()
        (kiosk.folder / BEGIN).touch()
        total = sum(scenario.count for scenario in kiosk.scenarios.values())
        left, last_s = -1, time.monotonic()
        while left < total:
            now_left = sum(len(left_at(kiosk, lane)) for lane in kiosk.scenarios)
            if now_left != left:
                left, last_s = now_left, time.monotonic()
                told(left, total)
            elif time.monotonic() - last_s > _longest_turn_s(kiosk):
                raise _broken(kiosk, f"nobody left for {_longest_turn_s(kiosk):.0f} s")
            if process.poll() is not None:
                raise _broken(kiosk, "the kiosk ended")
            officer.key_in()
            time.sleep(_POLL_S)
        officer.close_groups()


def left_at(kiosk: Simulated, lane: str) -> list[Sighting]:
    """Return who has left a lane, and after which lamp."""
    return sightings_in(kiosk.folder / kiosk.scenarios[lane].witness)


@contextmanager
def _running(kiosk: Simulated) -> Iterator[subprocess.Popen[bytes]]:
    """Give the running kiosk, and end it."""
    command = [sys.executable, "-m", "edge.simulate.child", str(kiosk.folder)]
    with (kiosk.folder / "kiosk.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdin is not None
            process.stdin.close()


def _wait(
    process: subprocess.Popen[bytes], kiosk: Simulated, is_so: Callable[[], bool], within_s: float, what: str
) -> None:
    until_s = time.monotonic() + within_s
    while not is_so():
        if process.poll() is not None or time.monotonic() > until_s:
            raise _broken(kiosk, what)
        time.sleep(_POLL_S)


def _broken(kiosk: Simulated, what: str) -> LandfallError:
    lines = (kiosk.folder / "kiosk.log").read_text("utf-8", "replace").splitlines()
    return LandfallError(f"{what}: {lines[-1] if lines else 'it said nothing'}", remedy="see kiosk.log (--keep FOLDER)")


def _longest_turn_s(kiosk: Simulated) -> float:
    """Return how long a turn may take before something is wrong, in seconds."""
    policies = [lane.policy for lane in kiosk.settings.lanes]
    waits = [one.collect_s + one.officer_s + one.refer_s + one.show_s for one in policies]
    people = [one.interval_s + one.officer_s + 2 * one.patience_s for one in kiosk.scenarios.values()]
    return STALL_S + max(waits) + max(people)


class _Officer:
    """Who opens the group, and keys in whom no reader can read."""

    def __init__(self, kiosk: Simulated) -> None:
        self._kiosk = kiosk
        self._called_s: dict[str, float] = {}

    def is_ready(self) -> bool:
        """Tell whether every lane waits for a traveller."""
        return all(self._state(lane) == "lane ready" for lane in self._kiosk.scenarios)

    def open_groups(self) -> None:
        """Open the group of each lane."""
        for lane, scenario in self._kiosk.scenarios.items():
            if scenario.group is not None:
                self._ask("group", lane=lane, do="open", **msgspec.to_builtins(scenario.group))

    def close_groups(self) -> None:
        """Close the group of each lane; the kiosk writes into its audit stream how many it had."""
        for lane, scenario in self._kiosk.scenarios.items():
            if scenario.group is not None:
                self._ask("group", lane=lane, do="close")

    def key_in(self) -> None:
        """Type for whoever stands at a lane in manual mode, once the time that it takes is over."""
        for lane, scenario in self._kiosk.scenarios.items():
            if not (scenario.keyed_every or scenario.no_document_every):
                continue
            if self._state(lane) != "lane manual":
                self._called_s.pop(lane, None)
                continue
            called_s = self._called_s.setdefault(lane, time.monotonic())
            ordinal = scenario.first + len(left_at(self._kiosk, lane))
            if time.monotonic() - called_s < scenario.officer_s or ordinal >= scenario.first + scenario.count:
                continue
            one = turn(scenario, ordinal)
            if one.shows != "document":
                self._ask("enter", lane=lane, typed=_typed(one), is_document=one.shows == "keyed")

    def _state(self, lane: str) -> str:
        answer = self._ask("status")
        return str(answer.get("devices", {}).get(lane, {}).get("state", ""))

    def _ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Ask the kiosk; nothing comes of it where it does not answer, or cannot do that now: ask again."""
        if verb != "status":
            arguments["officer"] = OFFICER
        try:
            return ask(self._kiosk.socket, verb, **arguments)
        except LandfallError:
            return {}


def _typed(one: Turn) -> dict[str, str]:
    """Return what the officer types: the fields of a document that no reader reads, or a name alone."""
    fields = mrz.parse(one.traveller.mrz, today=None).fields
    wanted = ("primary_identifier", "secondary_identifier")
    if one.shows == "keyed":
        wanted += (
            "document_code", "issuing_state", "document_number", "nationality", "date_of_birth", "sex",
            "date_of_expiry",
        )  # fmt: skip
    return {name: str(fields[name]) for name in wanted}
