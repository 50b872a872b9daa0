"""The settings of devices, as kiosk.toml spells them.

Owns names, defaults and ranges of everything that `hw` can be told; `edge.config` puts them into the whole file and
turns a breach into a sentence. Always true: no driver is imported here.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="lower case letters, digits and dashes")]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
Pin = Annotated[str, Meta(pattern=r"^(GPIO|BOARD)?[0-9]{1,2}$", description="a gpiozero pin name, such as GPIO17")]


class ReaderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One document or barcode reader."""

    name: Name
    driver: Literal["serial", "simulated"] = "serial"
    kind: Literal["document", "barcode"] = "document"
    path: str = ""  # /dev/serial/by-id/..., which may hold wildcards, or /dev/ttyUSB0; the simulated driver has its own
    baud: Annotated[int, Meta(ge=300, le=4_000_000)] = 9600
    framing: str = "auto"  # a family of hw.framing, or auto
    idle_gap_s: Annotated[float, Meta(gt=0, le=5)] = 0.15  # silence that ends a message without a terminator
    substitutes: Annotated[str, Meta(pattern=r"^[!-~]{0,8}$")] = "?*"  # stand for characters that were not recognised
    check_bcc: bool = True  # 3M RTE only: the rule of its block check character is assumed


class CameraSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The camera of the lane."""

    name: Name = "camera"
    driver: Literal["picamera2", "simulated", "none"] = "none"
    python: str = "/usr/bin/python3"  # the interpreter that has picamera2
    width: Annotated[int, Meta(ge=160, le=4608)] = 640
    height: Annotated[int, Meta(ge=120, le=3456)] = 480
    quality: Annotated[int, Meta(ge=1, le=100)] = 80
    deadline_s: Seconds = 3.0


class PanelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Pins of the panel; an empty name means that the part is not fitted."""

    name: Name = "panel"
    driver: Literal["gpiozero", "simulated", "none"] = "none"
    green: Pin | Literal[""] = "GPIO17"
    amber: Pin | Literal[""] = "GPIO27"
    red: Pin | Literal[""] = "GPIO22"
    buzzer: Pin | Literal[""] = "GPIO18"
    gate: Pin | Literal[""] = "GPIO23"
    accept: Pin | Literal[""] = "GPIO5"
    refer: Pin | Literal[""] = "GPIO6"
    direction: Pin | Literal[""] = ""
    tamper: Pin | Literal[""] = "GPIO26"
    gate_pulse_s: Annotated[float, Meta(gt=0, le=10)] = 1.0
    debounce_s: Annotated[float, Meta(gt=0, le=1)] = 0.05


class DeviceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every device of one lane."""

    readers: list[ReaderSettings] = []
    camera: CameraSettings = CameraSettings()
    panel: PanelSettings = PanelSettings()
    scenario: str = ""  # what the simulated devices do: a file, or the name of one that ships in hw/simulated/scenarios
