"""Mock pins that can be watched and pressed, from other threads as on a real panel.

Owns what a person at the panel has: eyes (`Eyes` sees every change of a lamp, with its time) and a finger
(`press`). gpiozero's own mock calls back in the thread that drives the pin; a finger here is a thread of its own.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

from gpiozero.pins.mock import MockFactory, MockPin

from hw.devices import Signal
from hw.settings import PanelSettings

LAMPS = ("green", "amber", "red")
# An amber lamp that has not changed for this long does not blink: WORKING changes every 0.5 s.
STEADY_S = 0.7
_SLOW_S = 0.3  # between the blink of TRY_AGAIN (0.125 s) and that of WORKING
# Four changes of TRY_AGAIN take 0.375 s. WORKING that ends in a steady amber takes 0.5 s or more.
_QUICK_S = 0.45
_REMEMBERED = 64
_CHATTER_S = 0.001  # between two contacts of a button that bounces


@dataclass(frozen=True, slots=True)
class Change:
    """A lamp went on or off at a time of the monotonic clock."""

    lamp: str
    is_lit: bool
    at_s: float


class WatchedPin(MockPin):
    """A mock pin that tells the factory when it changes, and forgets the history that MockPin would keep for ever."""

    _settling: threading.Timer | None = None

    def contact(self, *, is_closed: bool) -> None:
        """Close or open the contact to ground; as lgpio, tell of it once the level was still for the bounce time."""
        if self._settling is not None:
            self._settling.cancel()
        self._settling = threading.Timer(self._bounce or 0.0, self.drive_low if is_closed else self.drive_high)
        self._settling.daemon = True
        self._settling.start()

    def settle(self) -> None:
        """Wait until the level is still."""
        if self._settling is not None:
            self._settling.join()

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        if self in self.factory.grounded:
            self.drive_low()

    def _change_state(self, value: bool) -> bool:
        has_changed = super()._change_state(value)
        if has_changed:
            del self.states[:-1]
            self.factory.tell(self, bool(value))
        return has_changed


class WatchedFactory(MockFactory):
    """gpiozero's mock factory with pins that can be watched."""

    def __init__(self) -> None:
        super().__init__(pin_class=WatchedPin)
        self.watchers: list[Eyes] = []
        self.grounded: set[WatchedPin] = set()

    def ground(self, pin: str) -> None:
        """Connect an input to ground for good, as the tamper switch of a closed case does."""
        self.grounded.add(self.pin(pin))

    def tell(self, pin: WatchedPin, is_high: bool) -> None:
        """Pass a change on to whoever watches."""
        for eyes in self.watchers:
            eyes.see(pin, is_high)


class Eyes:
    """What a person sees of a panel: every change of every lamp, however short."""

    def __init__(self, factory: WatchedFactory, settings: PanelSettings) -> None:
        self._lamps = {factory.pin(pin): lamp for lamp in LAMPS if (pin := getattr(settings, lamp))}
        self._lit: dict[str, float] = {}  # since when
        self._changes: deque[Change] = deque(maxlen=_REMEMBERED)
        self._seen = threading.Condition()
        self.greens = 0  # how often green went on
        self._green_at_s = 0.0
        factory.watchers.append(self)

    def see(self, pin: WatchedPin, is_high: bool) -> None:
        """Take note of a change; called in the thread that drives the pin."""
        lamp = self._lamps.get(pin)
        if lamp is None:
            return
        with self._seen:
            now = time.monotonic()
            self._changes.append(Change(lamp, is_high, now))
            if is_high:
                self._lit[lamp] = now
                if lamp == "green":
                    self.greens += 1
                    self._green_at_s = now
            else:
                self._lit.pop(lamp, None)
            self._seen.notify_all()

    def green_at_s(self, number: int) -> float:
        """Return when green went on for the n-th time, on the monotonic clock; 0 when that is not known (any more)."""
        with self._seen:
            return self._green_at_s if number == self.greens else 0.0

    def signal(self) -> Signal:
        """Say what the panel shows, as far as one can see by now; `WORKING` while amber may yet turn out to blink."""
        with self._seen:
            if "green" in self._lit:
                return Signal.PASSED
            now = time.monotonic()
            red = [change for change in self._changes if change.lamp == "red"][-3:]
            if len(red) == 3 and red[2].at_s - red[0].at_s < 2 * STEADY_S and now - red[2].at_s < STEADY_S:
                return Signal.MANUAL
            if "red" in self._lit:
                return Signal.CLOSED
            amber = [change for change in self._changes if change.lamp == "amber"][-4:]
            if "amber" in self._lit and now - self._lit["amber"] > STEADY_S:
                return Signal.CALL_OFFICER
            if not amber or ("amber" not in self._lit and now - amber[-1].at_s > STEADY_S):
                return Signal.READY
            if len(amber) == 4 and amber[3].at_s - amber[0].at_s < _QUICK_S and now - amber[3].at_s < _SLOW_S:
                return Signal.TRY_AGAIN
            return Signal.WORKING

    def wait(self, timeout_s: float) -> None:
        """Wait for the next change, at most so long."""
        with self._seen:
            self._seen.wait(timeout_s)


def press(factory: WatchedFactory, pin: str, *, for_s: float = 0.1, bounce_s: float = 0.0) -> threading.Thread:
    """Press a button that connects its pin to ground, with a finger that is a thread of its own.

    Worn contacts bounce for `bounce_s`, when they close and when they open.
    """

    button = factory.pin(pin)

    def hold() -> None:
        _chatter(button, bounce_s)
        button.contact(is_closed=True)
        time.sleep(max(for_s, 2 * (button.bounce or 0.0)))
        _chatter(button, bounce_s)
        button.contact(is_closed=False)
        button.settle()

    finger = threading.Thread(target=hold, name=f"finger on {pin}", daemon=True)
    finger.start()
    return finger


def _chatter(button: WatchedPin, for_s: float) -> None:
    until_s = time.monotonic() + for_s
    while time.monotonic() < until_s:
        button.contact(is_closed=True)
        time.sleep(_CHATTER_S)
        button.contact(is_closed=False)
        time.sleep(_CHATTER_S)
