"""From settings to devices.

Owns the choice of drivers. Always true: a vendor's library is imported only when the settings ask for it, so a kiosk
without a camera needs no picamera2; simulated and real devices may be mixed in one lane.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hw.devices import Camera, DeviceError, DocumentReader, Emit, Panel
from hw.framing import Family
from hw.settings import DeviceSettings, PanelSettings, PowerSettings, ReaderSettings

if TYPE_CHECKING:
    from gpiozero.pins import Factory

    from hw.black_box import BlackBox
    from hw.power_line import PowerLine
    from hw.simulated.lane import SimulatedLane


_SIMULATED = ("simulated", "simulated-hid")


@dataclass(slots=True)
class Devices:
    """The devices of one lane.

    `simulation` are the people and wires behind those that are simulated, `pins` those of the board, where they were
    opened for this lane.
    """

    readers: tuple[DocumentReader, ...]
    camera: Camera | None
    panel: Panel | None
    simulation: SimulatedLane | None = None
    pins: Factory | None = None

    def names(self) -> tuple[str, ...]:
        """Return the name of each device."""
        return tuple(device.name for device in self._all())

    def start(self, emit: Emit) -> None:
        """Start the panel first, so that the lane shows `CLOSED`, then the rest, and last of all who may come."""
        if self.simulation is not None:
            self.simulation.plug_in()
        for device in self._all():
            device.start(emit)
        if self.simulation is not None:
            self.simulation.start()

    def stop(self) -> None:
        """Stop everything; the panel last, so that the gate stays in the kiosk's hands to the end."""
        if self.simulation is not None:
            self.simulation.stop()
        for device in reversed(self._all()):
            device.stop()
        if self.pins is not None:
            self.pins.close()

    def _all(self) -> list[DocumentReader | Camera | Panel]:
        single = [device for device in (self.panel, self.camera) if device is not None]
        return [*single, *self.readers]


def open_devices(settings: DeviceSettings, *, pin_factory: Factory | None = None) -> Devices:
    """Return the devices that the settings name; nothing runs before `Devices.start`.

    `pin_factory` replaces the one that the panel's driver would choose. Raises DeviceError, with the remedy, for a
    setting that makes no sense and for software that is not installed.
    """
    _refuse_shared_names(settings)
    simulation = _simulation(settings)
    readers = tuple(_reader(reader, simulation, Path(settings.state_folder)) for reader in settings.readers)
    is_on_board = settings.panel.driver == "gpiozero" and pin_factory is None
    pins = pins_of_this_board(settings.panel.name) if is_on_board else None
    panel = _panel(settings.panel, simulation, pin_factory or pins)
    return Devices(readers, _camera(settings, simulation), panel, simulation, pins)


def open_power(settings: PowerSettings, *, pin_factory: Factory | None = None) -> PowerLine | None:
    """Return the line of the supply, or None where none is fitted; raises DeviceError as `open_devices` does."""
    if not settings.lost:
        return None
    from hw.power_line import NAME, PowerLine

    return PowerLine(settings, pin_factory or pins_of_this_board(NAME))


def _refuse_shared_names(settings: DeviceSettings) -> None:
    names = [reader.name for reader in settings.readers]
    names += [part.name for part in (settings.camera, settings.panel) if part.driver != "none"]
    for name in names:
        if names.count(name) > 1:
            raise DeviceError(name, "two devices have this name", remedy="give each a name of its own")


def _simulation(settings: DeviceSettings) -> SimulatedLane | None:
    drivers = [*(reader.driver for reader in settings.readers), settings.camera.driver, settings.panel.driver]
    if set(drivers).isdisjoint(_SIMULATED):
        return None
    from hw.simulated.lane import SimulatedLane
    from hw.simulated.scenario import load

    readers = [_checked(reader) for reader in settings.readers if reader.driver in _SIMULATED]
    panel = settings.panel if settings.panel.driver == "simulated" else None
    return SimulatedLane(load(settings.scenario), readers, panel)


def _checked(settings: ReaderSettings) -> ReaderSettings:
    if settings.framing not in set(Family):
        raise DeviceError(settings.name, f"framing {settings.framing} is unknown", remedy=f"use {', '.join(Family)}")
    return settings


def _reader(settings: ReaderSettings, simulation: SimulatedLane | None, state_folder: Path) -> DocumentReader:
    settings = _checked(settings)
    if settings.driver in _SIMULATED and simulation is not None:
        settings = msgspec.structs.replace(settings, path=str(simulation.ports[settings.name].path))
    if not settings.path:
        folder = "/dev/input/by-id" if settings.driver == "hid" else "/dev/serial/by-id"
        raise DeviceError(settings.name, "path is missing", remedy=f"give the reader's name in {folder}")
    black_box = _black_box(settings, state_folder) if settings.black_box else None
    match settings.driver:
        case "page_camera":
            return _page_camera(settings)
        case "hid":
            from hw.hid_reader import HidReader

            return HidReader(settings, black_box)
        case "simulated-hid":
            from hw.hid_reader import HidReader
            from hw.simulated.keyboard import take

            return HidReader(settings, black_box, take=take)
        case _:
            from hw.serial_reader import SerialReader

            return SerialReader(settings, black_box)


def _page_camera(settings: ReaderSettings) -> DocumentReader:
    from hw.camera import picamera2_command, refuse_missing_picamera2
    from hw.page_camera import PageCamera, page_camera_settings
    from hw.sight import Sight, refuse_missing_opencv
    from hw.sight import command as sight_command

    camera = page_camera_settings(settings.name, settings.path)
    refuse_missing_picamera2(camera)
    refuse_missing_opencv(settings.name)
    return PageCamera(settings.name, picamera2_command(camera), Sight(sight_command()))


def _black_box(settings: ReaderSettings, state_folder: Path) -> BlackBox:
    from hw.black_box import BlackBox

    try:
        return BlackBox(settings, state_folder)
    except OSError as error:
        raise DeviceError(
            settings.name, f"its black box cannot be written ({error.strerror})", remedy="see to the store's folder"
        ) from error


def _panel(settings: PanelSettings, simulation: SimulatedLane | None, pin_factory: Factory | None) -> Panel | None:
    if pin_factory is None and simulation is not None:
        pin_factory = simulation.pins
    if settings.driver == "none" or pin_factory is None:
        return None
    from hw.panel import GpioPanel

    return GpioPanel(settings, pin_factory)


def pins_of_this_board(name: str) -> Factory:
    """Return the pins of the Raspberry Pi that this is; raise `DeviceError`, named after the panel, without one."""
    try:
        from gpiozero.pins.lgpio import LGPIOFactory
    except ImportError as error:
        raise DeviceError(name, "lgpio is not installed", remedy="install landfall with the extra `pi`") from error
    try:
        return LGPIOFactory()
    except Exception as error:  # lgpio raises a bare class of its own that derives from Exception alone
        raise DeviceError(
            name, "the pins cannot be opened", remedy="this must be a Raspberry Pi, and the user in the group gpio"
        ) from error


def _camera(settings: DeviceSettings, simulation: SimulatedLane | None) -> Camera | None:
    if settings.camera.driver == "none":
        return None
    from hw.camera import ChildCamera, picamera2_command, refuse_missing_picamera2
    from hw.sight import Sight, refuse_missing_opencv
    from hw.sight import command as sight_command

    if settings.camera.driver == "simulated" and simulation is not None:
        from hw.simulated.camera_child import command

        return ChildCamera(settings.camera, command(simulation.scenario.camera))
    refuse_missing_picamera2(settings.camera)
    if not settings.camera.check:
        return ChildCamera(settings.camera, picamera2_command(settings.camera))
    refuse_missing_opencv(settings.camera.name)
    return ChildCamera(settings.camera, picamera2_command(settings.camera), Sight(sight_command()))
