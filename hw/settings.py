"""The settings of devices, as kiosk.toml spells them.

Owns names, defaults and ranges of everything that `hw` can be told; `edge.settings` puts them into the whole file, and
`edge.config` turns a breach into a sentence. Always true: no driver is imported here.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from hw.framing import Family
from hw.keyboard import Layout

Name = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z", extra={"right": "1-32 lower case letters, digits and dashes"})
]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
Pin = Annotated[
    str, Meta(pattern=r"^((GPIO|BOARD)?[0-9]{1,2})?\Z", extra={"right": "a gpiozero pin name such as GPIO17, or empty"})
]
PANEL_PARTS = (
    "green",
    "amber",
    "red",
    "buzzer",
    "gate",
    "accept",
    "refer",
    "direction",
    "manual",
    "group",
    "tamper",
    "door",
)


class ReaderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One document or barcode reader."""

    name: Annotated[Name, Meta(description="name of the reader in records, log and status")]
    driver: Annotated[
        Literal["serial", "hid", "page_camera", "simulated", "simulated-hid"],
        Meta(description="how it is reached: serial line, as a keyboard (HID), or a camera whose number is the path"),
    ] = "serial"
    kind: Annotated[Literal["document", "barcode"], Meta(description="what it reads")] = "document"
    path: Annotated[
        str,
        Meta(
            description="its port, best `/dev/serial/by-id/...`; of a keyboard `/dev/input/by-id/...-event-kbd`, or "
            "its USB id such as `05e0:1200`; may hold wildcards; simulated ones have none"
        ),
    ] = ""
    baud: Annotated[int, Meta(ge=300, le=4_000_000, description="its speed; USB readers take any")] = 9600
    framing: Annotated[Family, Meta(description="how its messages begin and end")] = Family.AUTO
    layout: Annotated[Layout, Meta(description="hid only: the country that the reader is set to")] = Layout.US
    idle_gap_s: Annotated[
        float, Meta(gt=0, le=5, description="silence that ends a message without a terminator, in seconds")
    ] = 0.15
    substitutes: Annotated[
        str,
        Meta(
            pattern=r"^[!-~]{0,8}\Z",
            description="what the reader sends for characters that it did not recognise",
            extra={"right": "up to 8 printable ASCII characters"},
        ),
    ] = "?*"
    check_bcc: Annotated[
        bool, Meta(description="3M RTE only: check the block check character, whose rule is assumed")
    ] = True
    black_box: Annotated[
        int,
        Meta(
            ge=0,
            le=1000,
            description="how many of its last messages are kept, without the people in them, to find a fault; 0: none",
        ),
    ] = 0


class CameraSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The camera of the lane."""

    name: Annotated[Name, Meta(description="name of the camera in log and status")] = "camera"
    driver: Annotated[Literal["picamera2", "simulated", "none"], Meta(description="how it is reached")] = "none"
    number: Annotated[
        int, Meta(ge=0, le=15, description="which of the board's cameras, as rpicam-hello --list-cameras counts them")
    ] = 0
    python: Annotated[str, Meta(description="the interpreter that has picamera2")] = "/usr/bin/python3"
    width: Annotated[int, Meta(ge=160, le=4608, description="of a photo, in pixels")] = 640
    height: Annotated[int, Meta(ge=120, le=3456, description="of a photo, in pixels")] = 480
    quality: Annotated[int, Meta(ge=1, le=95, description="of the JPEG, as long as it is not too large")] = 85
    photo_kb: Annotated[
        int, Meta(ge=10, le=500, description="how large a JPEG may be, in kB; its quality goes down until it fits")
    ] = 40
    check: Annotated[
        bool, Meta(description="look at each photo: one face, near, upright, well lit and sharp (picamera2 only)")
    ] = True
    retakes: Annotated[
        int, Meta(ge=0, le=2, description="how often a photo that is not good is taken again; the best one counts")
    ] = 2
    retake_pause_s: Annotated[
        float, Meta(gt=0, le=10, description="how long the traveller has before the next attempt, in seconds")
    ] = 0.8
    capture_s: Annotated[
        Seconds, Meta(description="how long one capture may take; then the camera hangs, and is started again")
    ] = 2.0
    deadline_s: Annotated[
        Seconds, Meta(description="how long all attempts may take; then the crossing goes on without a photo")
    ] = 6.0


class PanelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Lamps, buzzer, gate and buttons. An empty pin means that the part is not fitted."""

    name: Annotated[Name, Meta(description="name of the panel in log and status")] = "panel"
    driver: Annotated[Literal["gpiozero", "simulated", "none"], Meta(description="how it is reached")] = "none"
    green: Annotated[Pin, Meta(description="lamp: passed")] = "GPIO17"
    amber: Annotated[Pin, Meta(description="lamp: working, try again, officer called")] = "GPIO27"
    red: Annotated[Pin, Meta(description="lamp: closed")] = "GPIO22"
    buzzer: Annotated[Pin, Meta(description="buzzer")] = "GPIO18"
    gate: Annotated[Pin, Meta(description="relay of the gate")] = "GPIO23"
    accept: Annotated[Pin, Meta(description="the officer's button: let pass")] = "GPIO5"
    refer: Annotated[Pin, Meta(description="the officer's button: refer")] = "GPIO6"
    direction: Annotated[Pin, Meta(description="button that toggles entry and exit")] = ""
    manual: Annotated[Pin, Meta(description="the officer's button: a document is keyed in by hand")] = ""
    group: Annotated[Pin, Meta(description="the officer's button: opens a group of travellers, and closes it")] = ""
    tamper: Annotated[Pin, Meta(description="switch that notices an opened case")] = "GPIO26"
    door: Annotated[Pin, Meta(description="contact of the door behind the gate, closed while the door is")] = ""
    door_pass_s: Annotated[
        Seconds, Meta(description="how long after the gate's pulse the door may be opened; later it was forced")
    ] = 10.0
    door_open_s: Annotated[
        Seconds, Meta(description="how long the door may stand open; then the buzzer sounds and the centre is told")
    ] = 15.0
    gate_pulse_s: Annotated[float, Meta(gt=0, le=10, description="how long the gate's relay is closed, in seconds")] = (
        1.0
    )
    debounce_s: Annotated[float, Meta(gt=0, le=1, description="how long a button must be still, in seconds")] = 0.05


class PowerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An uninterruptible supply (battery or supercapacitor) that says on a pin when the mains are gone."""

    lost: Annotated[Pin, Meta(description="pin on which the supply says that the mains are gone; empty: none")] = ""
    lost_is: Annotated[
        Literal["high", "low"], Meta(description="the level that says so; a wire that came off reads as this one")
    ] = "high"
    debounce_s: Annotated[float, Meta(gt=0, le=1, description="how long the level must be still, in seconds")] = 0.2
    stop_after_s: Annotated[
        float,
        Meta(
            ge=0,
            le=3600,
            description="how long the kiosk works on without the mains, then it stops in order with exit status 75; "
            "0: until it is dark, which loses no record either",
        ),
    ] = 10.0


# Where the pins of the 40-pin header lead, since a pin has two names.
_HEADER = {
    3: 2, 5: 3, 7: 4, 8: 14, 10: 15, 11: 17, 12: 18, 13: 27, 15: 22, 16: 23, 18: 24, 19: 10, 21: 9, 22: 25, 23: 11,
    24: 8, 26: 7, 27: 0, 28: 1, 29: 5, 31: 6, 32: 12, 33: 13, 35: 19, 36: 16, 37: 26, 38: 20, 40: 21,
}  # fmt: skip


def same_pin(pin: str) -> str:
    """Return one name for a pin, however it is spelt: GPIO17, 17, and BOARD11 are one."""
    if pin.startswith("BOARD"):
        return f"GPIO{_HEADER[int(pin[5:])]}" if int(pin[5:]) in _HEADER else pin
    return f"GPIO{int(pin.removeprefix('GPIO'))}" if pin else ""


class DeviceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every device of one lane.

    `scenario` says what the simulated ones do: a file, or the name of one that ships; `state_folder` is where black
    boxes are kept.
    """

    readers: list[ReaderSettings] = []
    camera: CameraSettings = CameraSettings()
    panel: PanelSettings = PanelSettings()
    scenario: str = ""
    state_folder: str = "."
