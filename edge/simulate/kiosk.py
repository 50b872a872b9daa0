"""A kiosk that exists for one simulation: its folder, throwaway keys and settings.

Owns how real settings become simulated ones. Always true: the folder holds everything that the kiosk writes; no real
device, key, store or broker is touched, whatever the settings name that it is made from; documents are specimens, so
they are accepted, and every crossing is marked as training.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from edge.config import load
from edge.errors import LandfallError
from edge.seal import Opener, throwaway_key
from edge.settings import (
    DocumentSettings,
    IdentitySettings,
    KeySettings,
    LaneSettings,
    PolicySettings,
    Settings,
    StoreSettings,
    UplinkSettings,
)
from hw.settings import PANEL_PARTS, CameraSettings, PanelSettings, ReaderSettings, same_pin
from hw.simulated.scenario import Scenario

BEGIN = "begin"  # the file that travellers wait for
SETTINGS = "settings.json"
_LEAST_SHOW_S, _LEAST_REFER_S, _LEAST_PATIENCE_S = 0.1, 3.0, 3.0  # shorter, and travellers do not see the lamp
_SPARE_PINS = ("GPIO12", "GPIO13", "GPIO16", "GPIO19", "GPIO20", "GPIO21", "GPIO24", "GPIO25", "GPIO4", "GPIO17")
_PORT_OF_NOBODY = 9  # discard (RFC 863)


@dataclass(frozen=True, slots=True)
class Simulated:
    """One simulated kiosk, ready to run; `opener` opens what it seals."""

    folder: Path
    settings: Settings
    scenarios: dict[str, Scenario]
    opener: Opener

    @property
    def store(self) -> Path:
        """Return the path of its store."""
        return self.folder / "cache.db"

    @property
    def socket(self) -> Path:
        """Return the path of its control socket."""
        return self.folder / "control.sock"


def make(folder: Path, scenario: Scenario, *, speed: float, config: Path | None) -> Simulated:
    """Make a kiosk in a folder that is new or empty; raise `SettingError` for settings, `LandfallError` for the folder.

    `speed` divides the time that people and lamps take; with `config` lanes and policy come from a real settings file.
    """
    real = load(config) if config is not None else None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise LandfallError(f"{folder} is not empty", remedy="name a new folder")
    except OSError as error:
        raise LandfallError(f"{folder}: {error.strerror}", remedy="name another folder") from None
    lanes = _lanes(real, scenario)
    scenarios = {lane.name: _scenario_of(lane, number, scenario, speed) for number, lane in enumerate(lanes)}
    for name, one in scenarios.items():
        (folder / f"{name}.json").write_bytes(msgspec.json.encode(one))
    settings = Settings(
        kiosk=IdentitySettings(site="simulated", name="kiosk"),
        lanes=[_quicker(lane, speed) for lane in lanes],
        documents=_documents(real) if real is not None else DocumentSettings(),
        store=StoreSettings(keep_receipted_h=24, photos_stop_below_mb=17, reserve_mb=16),
        keys=KeySettings(record="record.key.json", opening="opening.pub.json", receipt=["receipt.pub.json"]),
        uplink=UplinkSettings(
            host="localhost",
            port=_PORT_OF_NOBODY,
            ca="ca.crt",
            certificate="client.crt",
            key="client.key",
            retry_least_s=600.0,
            retry_most_s=600.0,
        ),
        folder=str(folder.resolve()),
    )
    opener = _make_keys(folder)
    (folder / SETTINGS).write_bytes(msgspec.json.encode(settings))
    return Simulated(folder, settings, scenarios, opener)


def _documents(real: Settings) -> DocumentSettings:
    trust_list = real.documents.trust_list
    return replace(real.documents, trust_list=str(real.resolve(trust_list)) if trust_list else "")


def _make_keys(folder: Path) -> Opener:
    record, receipt, opening = throwaway_key("Ed25519"), throwaway_key("Ed25519"), throwaway_key("X25519")
    private = folder / "record.key.json"
    private.touch(mode=0o600)
    private.write_bytes(msgspec.json.encode(record.as_dict(private=True)))
    (folder / "receipt.pub.json").write_bytes(msgspec.json.encode(receipt.as_dict(private=False)))
    (folder / "opening.pub.json").write_bytes(msgspec.json.encode(opening.as_dict(private=False)))
    return Opener([opening])


def _lanes(real: Settings | None, scenario: Scenario) -> list[LaneSettings]:
    """Return the lanes of a settings file, or one lane that fits the scenario, with simulated devices alone."""
    if real is not None:
        return [_simulated(lane, number) for number, lane in enumerate(real.lanes, 1)]
    passes = {0: "nobody", 1: "everybody"}.get(scenario.boarding_pass_every, "some")
    readers = [ReaderSettings(name="passport", driver="simulated", baud=115_200)]
    if passes != "nobody":
        readers.append(
            ReaderSettings(name="pass", driver="simulated", kind="barcode", framing="access-is", baud=115_200)
        )
    lane = LaneSettings(
        name="lane-1",
        policy=PolicySettings(
            photo="wanted" if scenario.camera.is_fitted else "off",
            required=("travel_document", "boarding_pass") if passes == "everybody" else ("travel_document",),
            optional=("boarding_pass",) if passes == "some" else (),
        ),
        readers=readers,
        camera=CameraSettings(driver="simulated" if scenario.camera.is_fitted else "none"),
        panel=PanelSettings(driver="simulated"),
    )
    return [_simulated(lane, 1)]


def _simulated(lane: LaneSettings, number: int) -> LaneSettings:
    readers = [
        replace(reader, driver="simulated-hid" if "hid" in reader.driver else "simulated", path="", black_box=0)
        for reader in lane.readers
    ]
    return replace(
        lane,
        readers=readers,
        camera=lane.camera if lane.camera.driver == "none" else replace(lane.camera, driver="simulated"),
        panel=_panel(lane.panel, number),
        policy=replace(lane.policy, specimens="accept", training=True),
        scenario=f"{lane.name}.json",
    )


def _panel(panel: PanelSettings, number: int) -> PanelSettings:
    """Return a panel that people can see and press: what is not fitted gets a pin, or a name, that nobody else has."""
    if panel.driver == "none":
        panel = replace(panel, name=f"simulated-panel-{number}")
    taken = {same_pin(getattr(panel, part)) for part in PANEL_PARTS}
    spare = iter(pin for pin in _SPARE_PINS if pin not in taken)
    missing = [part for part in ("green", "amber", "red", "accept", "refer", "manual") if not getattr(panel, part)]
    return replace(panel, driver="simulated", **{part: next(spare) for part in missing})


def _scenario_of(lane: LaneSettings, number: int, scenario: Scenario, speed: float) -> Scenario:
    """Return what happens at one lane; each lane has people of its own."""
    return replace(
        scenario,
        seed=scenario.seed + number,
        interval_s=scenario.interval_s / speed,
        officer_s=scenario.officer_s / speed,
        patience_s=min(scenario.patience_s, max(scenario.patience_s / speed, _LEAST_PATIENCE_S)),
        witness=f"{lane.name}.witness.jsonl",
        waits_for=BEGIN,
    )


def _quicker(lane: LaneSettings, speed: float) -> LaneSettings:
    """Return a lane whose lamps are lit more briefly; what is waited for stays, since the machine gets no faster."""
    policy = lane.policy
    show_s = min(policy.show_s, max(policy.show_s / speed, _LEAST_SHOW_S))
    refer_s = max(policy.refer_s / speed, _LEAST_REFER_S)
    return replace(lane, policy=replace(policy, show_s=show_s, refer_s=refer_s))
