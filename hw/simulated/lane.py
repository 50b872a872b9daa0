"""A lane with travellers: they wait for their turn, show their documents, look at the lamps, and leave.

Owns the people. Always true: a traveller leaves only after green, or after the officer; whoever has not left comes
again, also after the kiosk was restarted, as people do. The witness writes down who left before the next one comes.
"""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from hw.devices import Button, Signal
from hw.framing import Family, encode
from hw.settings import PanelSettings, ReaderSettings
from hw.simulated.keyboard import SimulatedKeyboard
from hw.simulated.pins import Eyes, WatchedFactory, press
from hw.simulated.port import SimulatedPort
from hw.simulated.scenario import Fault, Scenario
from hw.simulated.travellers import SpecimenTraveller, specimen
from hw.simulated.witness import Sighting, Witness

_NOISE = b"\xff\x80\x00\xfe\x9c\xff"
_LOOK_S = 0.05
_REACTION_S = 0.5


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
        for ordinal in self._ordinals():
            if self.witness.has_left(ordinal):
                continue
            self._cross(ordinal)
            if self._stopped.wait(self.scenario.interval_s):
                return

    def _ordinals(self) -> Iterator[int]:
        ordinal, count = self.scenario.first, self.scenario.count
        while not count or ordinal < self.scenario.first + count:
            yield ordinal
            ordinal += 1

    def _cross(self, ordinal: int) -> None:
        scenario = self.scenario
        kind = scenario.documents[(ordinal - 1) % len(scenario.documents)]
        traveller = specimen(scenario.seed, ordinal, kind, flight_day=date.today().timetuple().tm_yday)
        faults = [fault for fault in scenario.faults if ordinal % fault.every == 0]
        self._see(lambda signal: signal is Signal.READY)
        while not self._stopped.is_set():
            greens = self._greens()
            self._show_documents(traveller, faults)
            faults = []
            if self._eyes is None or self._is_seen_off(traveller, greens):
                return
            # TRY_AGAIN asks for the document at once; a closed lane, or one that took no notice, for another turn.
            self._see(lambda signal: signal in (Signal.READY, Signal.TRY_AGAIN))

    def _is_seen_off(self, traveller: SpecimenTraveller, greens: int) -> bool:
        """Watch the lamps after the documents were shown; tell whether the traveller leaves."""
        shown_at = time.monotonic()

        def is_answer(signal: Signal) -> bool:
            waited_s = time.monotonic() - shown_at
            match signal:
                case Signal.PASSED | Signal.CALL_OFFICER | Signal.CLOSED:
                    return True
                case Signal.TRY_AGAIN:
                    return waited_s > _REACTION_S  # before that it may still be the answer to the last attempt
                case Signal.READY:
                    return self._greens() > greens or waited_s > self.scenario.patience_s
                case _:
                    return self._greens() > greens

        self._see(is_answer)
        was_called = self._greens() == greens and self._signal() is Signal.CALL_OFFICER
        if was_called:
            self._call_officer(greens)
        if self._greens() > greens:
            self.witness.note(Sighting(traveller.ordinal, "green"))
        elif was_called and self._signal() is Signal.READY:
            self.witness.note(Sighting(traveller.ordinal, "amber"))
        else:
            return False
        self._see(lambda signal: signal is not Signal.PASSED)
        return True

    def _call_officer(self, greens: int) -> None:
        button = {"accept": Button.ACCEPT, "refer": Button.REFER}.get(self.scenario.officer)
        pin = getattr(self._panel, button) if button else ""
        if pin and not self._stopped.wait(self.scenario.officer_s):
            press(self.pins, pin).join()
        self._see(lambda signal: signal in (Signal.READY, Signal.CLOSED) or self._greens() > greens)

    def _show_documents(self, traveller: SpecimenTraveller, faults: list[Fault]) -> None:
        self._send("document", traveller.mrz, faults)
        every = self.scenario.boarding_pass_every
        if "barcode" in self._port_of and every and traveller.ordinal % every == 0:
            self._send("barcode", traveller.boarding_pass, [])

    def _send(self, kind: str, payload: bytes, faults: list[Fault]) -> None:
        port, wire = self._port_of[kind], bytearray(self._encode[kind](payload))
        for fault in faults:
            match fault.kind:
                case "flip":
                    at = fault.at_byte % len(wire)
                    wire[at : at + 1] = random.Random(at).choice("BDGHKQ").encode() if wire[at] > 0x20 else b" "
                case "noise":
                    wire[:0] = _NOISE
                case "half":
                    del wire[min(fault.at_byte, len(wire) - 1) :]
        unplug = next((fault for fault in faults if fault.kind == "unplug"), None)
        port.send(bytes(wire), unplug_at=unplug.at_byte if unplug else None)
        if unplug:
            self._stopped.wait(unplug.for_s)
            port.plug()

    # -- eyes

    def _greens(self) -> int:
        return self._eyes.greens if self._eyes is not None else 0

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


def _port(settings: ReaderSettings, path: Path) -> SimulatedPort | SimulatedKeyboard:
    if settings.driver == "simulated-hid":
        return SimulatedKeyboard(path, layout=settings.layout)
    return SimulatedPort(path, baud=settings.baud)
