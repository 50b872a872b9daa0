"""The devices of a lane as the kiosk sees them: Protocols, and the events they emit.

Owns no driver. Always true: a device calls `emit` from a thread of its own and never waits for the answer; what it
read is withheld from every `repr`; a device that dies says so with `DeviceLost`, once for each loss, and once more only
when the reason has become another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class DeviceError(Exception):
    """A device cannot be opened as the settings say; `device` is its name there, `remedy` one sentence on what to do.

    Raised while devices are opened, never by one that runs: what happens later is an event.
    """

    def __init__(self, device: str, message: str, *, remedy: str = "") -> None:
        super().__init__(f"{device}: {message}; {remedy}" if remedy else f"{device}: {message}")
        self.device, self.message, self.remedy = device, message, remedy


@dataclass(frozen=True, slots=True)
class Frame:
    """One complete message of a reader.

    `payload` is what the document says, framing removed: MRZ lines joined by LF, a barcode's bytes as they are.
    `family` names the framing, `symbology` the AIM identifier (`]L`) where one led the data, `unrecognised` the
    offsets in `payload` of characters that the reader flagged as not read.
    """

    payload: bytes = field(repr=False)
    family: str
    symbology: str | None = None
    unrecognised: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentRead:
    """A reader delivered a whole frame; `took_s` is the time from its first byte to its end, where the driver knows."""

    device: str
    frame: Frame
    took_s: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """A reader delivered something that is no frame (half of one, noise, too long); `reason` quotes nothing of it."""

    device: str
    reason: str


class Guidance(StrEnum):
    """What stands between a traveller and a good photo, worst first: words for the screen, and codes in the record."""

    NOBODY_THERE = "nobody_there"
    ONE_PERSON_PLEASE = "one_person_please"
    CLOSER = "closer"
    FARTHER = "farther"
    BACKLIGHT = "backlight"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    LOOK_AT_CAMERA = "look_at_camera"
    HOLD_STILL = "hold_still"


@dataclass(frozen=True, slots=True)
class PhotoTaken:
    """The camera delivered the JPEG that was asked for under `request`.

    `quality` is what is not right with it, worst first; None where nobody looked. `sharpness` is that of the face, as
    `hw.photo.quality.sharpness` measures it; None where there is no face.
    """

    device: str
    request: str
    jpeg: bytes = field(repr=False)
    quality: tuple[Guidance, ...] | None = None
    sharpness: float | None = None


@dataclass(frozen=True, slots=True)
class PhotoGuidance:
    """The photo asked for under `request` is being taken again; with `guidance` followed it will be a better one."""

    device: str
    request: str
    guidance: Guidance


@dataclass(frozen=True, slots=True)
class PhotoFailed:
    """The photo asked for under `request` will not come; `reason` goes into the crossing as `absent`."""

    device: str
    request: str
    reason: str


class Button(StrEnum):
    """Buttons of a panel."""

    ACCEPT = "accept"
    REFER = "refer"
    DIRECTION = "direction"
    MANUAL = "manual"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    """An officer or traveller pressed a button (debounced)."""

    device: str
    button: Button


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """The tamper switch says that the case was opened."""

    device: str


@dataclass(frozen=True, slots=True)
class CaseClosed:
    """The tamper switch says that the case was closed again."""

    device: str


@dataclass(frozen=True, slots=True)
class DoorOpened:
    """The contact of the door behind the gate says that it is open."""

    device: str


@dataclass(frozen=True, slots=True)
class DoorClosed:
    """The contact of the door behind the gate says that it is closed."""

    device: str


@dataclass(frozen=True, slots=True)
class PowerLost:
    """The supply says that the mains are gone."""

    device: str


@dataclass(frozen=True, slots=True)
class PowerBack:
    """The supply says that the mains are there."""

    device: str


@dataclass(frozen=True, slots=True)
class DeviceReady:
    """A device works (first start, or again after a loss)."""

    device: str


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """A device does not work; its driver goes on trying where that makes sense."""

    device: str
    reason: str


DeviceEvent = (
    DocumentRead
    | ReadFailed
    | PhotoTaken
    | PhotoFailed
    | PhotoGuidance
    | ButtonPressed
    | CaseOpened
    | CaseClosed
    | DoorOpened
    | DoorClosed
    | PowerLost
    | PowerBack
    | DeviceReady
    | DeviceLost
)
Emit = Callable[[DeviceEvent], None]


class Signal(StrEnum):
    """What the panel tells the people at the lane. Pattern and place differ, not colour alone.

    `READY` shows nothing; green is lit by `PASSED` alone, which the kiosk asks for only after the crossing is on disk.
    """

    READY = "ready"  # all lamps off: the next document, please
    WORKING = "working"  # amber, slow blink: hold still
    TRY_AGAIN = "try_again"  # amber, fast blink, two short beeps: the document was not read
    PASSED = "passed"  # green, steady, one beep
    CALL_OFFICER = "call_officer"  # amber, steady, long beep
    MANUAL = "manual"  # red, slow blink: wait, an officer keys the document in
    CLOSED = "closed"  # red, steady: this lane records nothing, use paper


class DocumentReader(Protocol):
    """A document or barcode reader."""

    name: str

    def start(self, emit: Emit) -> None:
        """Begin to read in a thread of its own; a device that is not there yet is no error but `DeviceLost`."""

    def stop(self) -> None:
        """End the thread and close the device; may be called twice."""


class Camera(Protocol):
    """A camera that takes one photo on request."""

    name: str

    def start(self, emit: Emit) -> None:
        """Begin to serve requests."""

    def take_photo(self, request: str) -> None:
        """Ask for a photo; `PhotoTaken` or `PhotoFailed` with this `request` follows within the camera's deadline.

        `PhotoGuidance` may come before it.
        """

    def stop(self) -> None:
        """End every thread and process of the camera; may be called twice."""


class Panel(Protocol):
    """Lamps, buzzer, gate and buttons of a lane."""

    name: str

    def start(self, emit: Emit) -> None:
        """Take the pins, show `CLOSED`, and begin to report buttons and the tamper switch."""

    def show(self, signal: Signal) -> None:
        """Show one signal; the one before it ends."""

    def open_gate(self) -> None:
        """Let one traveller through: one pulse on the gate relay."""

    def warn(self) -> None:
        """Call attention to the lane by the buzzer; the lamps stay as they are."""

    def confirm(self, beeps: int) -> None:
        """Answer a button by so many short beeps; the lamps stay as they are."""

    def stop(self) -> None:
        """Put every output into its safe state (lamps off, gate closed) and release the pins; may be called twice."""
