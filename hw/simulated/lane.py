"""A lane with travellers: they wait for their turn, show their documents, look at the lamps, and leave.

Owns the people. Always true: a traveller leaves only after green, or after the officer; whoever has not left comes
again, also after the kiosk was restarted, as people do. The witness writes down who left before the next one comes.
"""

from __future__ import annotations

import math
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hw.devices import Button, DeviceError, Signal
from hw.framing import Family, encode
from hw.settings import PanelSettings, ReaderSettings
from hw.simulated.keyboard import SimulatedKeyboard
from hw.simulated.pins import Eyes, WatchedFactory, press
from hw.simulated.port import SimulatedPort
from hw.simulated.scenario import Fault, Scenario
from hw.simulated.turns import Turn, chance_of, messages, turn
from hw.simulated.witness import Sighting, Witness

_LOOK_S = 0.05
_REACTION_S = 0.5
_TURNS = (Signal.READY, Signal.TRY_AGAIN, Signal.CALL_OFFICER)


@dataclass(slots=True)
class _Ahead:
    """How often green had been lit when a traveller's documents were shown, and when that was."""

    greens: int
    at_s: float


class SimulatedLane:
    """The people at one lane, its simulated ports and its panel's pins.

    `ports` are the far ends of the simulated readers by their kind; `panel` is None when the panel is a real one, which
    nobody here can see: travellers then come by the clock, and the witness has nothing to write down.
    """

    def __init__(self, scenario: Scenario, readers: list[ReaderSettings], panel: PanelSettings | None) -> None:
        self.scenario = scenario
        self.witness = Witness(Path(scenario.witness) if scenario.witness else None)
        self.pins = WatchedFactory()
        self._panel = panel
        if (scenario.keyed_every or scenario.no_document_every) and (panel is None or not panel.manual):
            raise DeviceError(
                "scenario", "somebody must be keyed in, and no button begins that", remedy="set panel.manual to a pin"
            )
        self._eyes = Eyes(self.pins, panel) if panel is not None else None
        self._home = tempfile.TemporaryDirectory(prefix="landfall-lane-")
        self.ports: dict[str, SimulatedPort | SimulatedKeyboard] = {}
        self._encode: dict[str, Callable[[bytes], bytes]] = {}
        for settings in readers:
            path = Path(self._home.name) / f"usb-Landfall_{settings.name}-if00"
            self.ports[settings.name] = _port(settings, path)
            self._encode[settings.kind] = self._wire_of(settings)
        self._port_of = {settings.kind: self.ports[settings.name] for settings in readers}
        for contact in (panel.tamper, panel.door) if panel is not None else ():
            if contact:
                self.pins.ground(contact)
        self._stopped = threading.Event()
        self._people: threading.Thread | None = None

    def plug_in(self) -> None:
        """Plug the readers in."""
        for port in self.ports.values():
            port.plug()

    def start(self) -> None:
        """Let the travellers come."""
        if self._people is None and "document" in self._port_of:
            self._stopped.clear()
            self._people = threading.Thread(target=self._come_one_by_one, name="travellers", daemon=True)
            self._people.start()

    def stop(self) -> None:
        """Send the travellers away, unplug the readers, and remove the files; a stopped lane is not started again."""
        self._stopped.set()
        if self._people is not None:
            self._people.join()
            self._people = None
        for port in self.ports.values():
            port.unplug()
        self._home.cleanup()

    # -- people

    def _come_one_by_one(self) -> None:
        if not self._may_begin():
            return
        ahead: _Ahead | None = None
        for ordinal in self._ordinals():
            if self.witness.has_left(ordinal):
                continue
            one = turn(self.scenario, ordinal, flight_day=_flight_day())
            ahead = self._cross(one, ahead)
            if self._stopped.is_set() or (ahead is None and self._stopped.wait(one.pause_s)):
                return

    def _may_begin(self) -> bool:
        """Wait for the file that the scenario waits for; tell whether the lane was not stopped meanwhile."""
        wanted = self.scenario.waits_for
        while wanted and not Path(wanted).exists():
            if self._stopped.wait(_LOOK_S):
                return False
        return True

    def _ordinals(self) -> Iterator[int]:
        ordinal, count = self.scenario.first, self.scenario.count
        while not count or ordinal < self.scenario.first + count:
            yield ordinal
            ordinal += 1

    def _cross(self, one: Turn, ahead: _Ahead | None) -> _Ahead | None:
        """Let one traveller cross; return how it stands for the next one, if that one has shown a passport already."""
        faults, again, is_followed = one.faults, 0, False
        if ahead is None:
            self._see(lambda signal: signal is Signal.READY)
        while not self._stopped.is_set():
            if ahead is None:
                shown = _Ahead(self._greens(), 0.0)
                self._step_up(one, faults)
                shown.at_s = max(port.sent_at_s for port in self.ports.values())
                if one.is_followed and faults:
                    is_followed = True
                    self._show_documents(turn(self.scenario, one.traveller.ordinal + 1, flight_day=_flight_day()), ())
            else:
                shown, ahead = ahead, None
            faults = ()
            if self._eyes is None:
                return None
            if self._is_seen_off(one, shown, is_followed=is_followed, again=again):
                shown.at_s = math.inf  # the next one waits for this one's lamp first
                return shown if is_followed else None
            # TRY_AGAIN asks for the document at once; a closed lane, or one that took no notice, for another turn. What
            # was shown may still be answered meanwhile, and is then not shown again.
            self._see(lambda signal, greens=shown.greens: signal in _TURNS or self._greens() > greens)
            if self._signal() is Signal.CALL_OFFICER or self._greens() > shown.greens:
                ahead = shown
            else:
                again += 1
        return None

    def _is_seen_off(self, one: Turn, shown: _Ahead, *, is_followed: bool, again: int) -> bool:
        """Watch the lamps after the documents were shown; tell whether the traveller leaves.

        `shown.greens` is brought up to what the next one must see more of.
        """
        greens = shown.greens
        shown_at = time.monotonic()

        def is_answer(signal: Signal) -> bool:
            waited_s = time.monotonic() - shown_at
            if self._greens() > greens:
                return True
            match signal:
                case Signal.CLOSED:
                    return one.shows == "document"  # manual mode blinks red, and takes a moment to tell apart
                case Signal.PASSED | Signal.CALL_OFFICER:
                    return True
                case Signal.TRY_AGAIN:
                    return waited_s > _REACTION_S  # before that it may still be the answer to the last attempt
                case Signal.READY:
                    return waited_s > self.scenario.patience_s
                case _:
                    return False

        self._see(is_answer)
        was_called = self._greens() == greens and self._signal() is Signal.CALL_OFFICER
        if was_called:
            self._call_officer(one, greens)
        # A green after a referral is that of the next traveller, if one has shown a passport already.
        is_green = self._greens() > greens and not (was_called and is_followed and one.word != "accept")
        if is_green:
            is_timed = not was_called and one.shows == "document"
            waited_s = max(0.0, self._eyes_green_at(greens + 1) - shown.at_s) if is_timed else 0.0
            self.witness.note(Sighting(one.traveller.ordinal, "green", round(waited_s, 3), again))
            shown.greens = greens + 1
        elif was_called and (self._signal() is Signal.READY or self._greens() > greens):
            self.witness.note(Sighting(one.traveller.ordinal, "amber", again=again))
        else:
            return False
        self._see(lambda signal: signal is not Signal.PASSED or self._greens() > shown.greens)
        return True

    def _call_officer(self, one: Turn, greens: int) -> None:
        button = {"accept": Button.ACCEPT, "refer": Button.REFER}.get(one.word)
        pin = getattr(self._panel, button) if button else ""
        if pin and not self._stopped.wait(self.scenario.officer_s):
            press(self.pins, pin, bounce_s=one.bounce_s).join()
        self._see(lambda signal: signal in (Signal.READY, Signal.CLOSED) or self._greens() > greens)

    def _step_up(self, one: Turn, faults: tuple[Fault, ...]) -> None:
        """Show the documents, or let the officer begin to key in what no reader reads."""
        if one.shows == "document":
            self._show_documents(one, faults)
        elif self._panel is not None:
            press(self.pins, self._panel.manual, bounce_s=one.bounce_s).join()

    def _show_documents(self, one: Turn, faults: tuple[Fault, ...]) -> None:
        self._send("document", one.traveller.mrz, faults, chance_of(self.scenario, one.traveller.ordinal))
        if "barcode" in self._port_of and one.has_boarding_pass:
            self._send("barcode", one.traveller.boarding_pass, (), random.Random(0))

    def _send(self, kind: str, payload: bytes, faults: tuple[Fault, ...], chance: random.Random) -> None:
        port = self._port_of[kind]
        for message in messages(self._encode[kind](payload), faults, chance):
            port.send(message.wire, unplug_at=message.unplug_at)
            if message.pause_s:
                self._stopped.wait(message.pause_s)
            if message.unplug_at is not None:
                port.plug()

    # -- eyes

    def _greens(self) -> int:
        return self._eyes.greens if self._eyes is not None else 0

    def _eyes_green_at(self, number: int) -> float:
        return self._eyes.green_at_s(number) if self._eyes is not None else 0.0

    def _signal(self) -> Signal:
        return self._eyes.signal() if self._eyes is not None else Signal.READY

    def _see(self, is_it: Callable[[Signal], bool]) -> None:
        """Look until the panel shows it, or the lane is stopped."""
        while not (self._stopped.is_set() or is_it(self._signal())):
            if self._eyes is not None:
                self._eyes.wait(_LOOK_S)

    @staticmethod
    def _wire_of(settings: ReaderSettings) -> Callable[[bytes], bytes]:
        family = Family.RAW if settings.framing == Family.AUTO else Family(settings.framing)
        return lambda payload: encode(payload, family)


def _flight_day() -> int:
    """Return today's day of the year: a pass has the date at the airport (IATA Resolution 792), here in UTC."""
    return datetime.now(UTC).timetuple().tm_yday


def _port(settings: ReaderSettings, path: Path) -> SimulatedPort | SimulatedKeyboard:
    if settings.driver == "simulated-hid":
        return SimulatedKeyboard(path, layout=settings.layout)
    return SimulatedPort(path, baud=settings.baud)
