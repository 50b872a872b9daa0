"""The parts of a kiosk, built from its settings.

Owns what is made of what, and nothing that runs: no thread is started and nothing outside is touched but the key files,
the trust list and a look at the store for the latest known time. Always true: whatever a technician can get wrong in
kiosk.toml or in the files that it names is an error here, before anything runs.
"""

from __future__ import annotations

import contextlib
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import uuid6

from edge import boots
from edge.cache import CacheReader
from edge.clock import SystemClock, boot_id, hardware_id, installed_s
from edge.control import ControlServer
from edge.disk import MB, DiskBudget, free_bytes
from edge.documents.read import read
from edge.documents.standing import age_of
from edge.documents.verdict import Result
from edge.door import Door
from edge.errors import StoreError
from edge.events import Moment
from edge.identity.tls import client_context
from edge.kiosk import Kiosk, Reads
from edge.log import Log, Priority
from edge.recent import Recent
from edge.recorder import BOOTS, Recorder
from edge.seal import Sealer, Signer, Verifier, load_private_key, load_public_key, load_public_keys
from edge.settings import LaneSettings, Settings
from edge.trust_file import load as load_trust_list
from edge.uplink.link import Endpoint
from edge.uplink.uplink import Identity, Pace, Uplink
from edge.wire.topics import kiosk_id
from hw.choose import Devices, open_devices, open_power
from hw.devices import Guidance, Signal
from hw.rtc import rtc_time_s
from hw.settings import DeviceSettings

if TYPE_CHECKING:
    from hw.power_line import PowerLine

Put = Callable[[object], None]


@dataclass(slots=True)
class Lane:
    """One lane as the main loop knows it; `signal` is what its panel shows, `guidance` what is asked for a photo."""

    settings: LaneSettings
    kiosk: Kiosk
    devices: Devices
    door: Door
    signal: Signal = Signal.CLOSED
    guidance: Guidance | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that the main loop drives; `kiosk` is `<site>/<name>`, `store` the path of the local cache.

    `rtc_time_s` reads the battery-backed clock, where the settings say that one is fitted.
    """

    kiosk: str
    store: Path
    clock: SystemClock
    recorder: Recorder
    uplink: Uplink
    control: ControlServer
    signer: Signer
    centre: Verifier
    lanes: tuple[Lane, ...]
    recent: Recent
    power: PowerLine | None
    rtc_time_s: Callable[[], float | None] | None


def build(settings: Settings, log: Log, put: Put, version: str) -> Parts:
    """Build a kiosk whose parts tell what happens through `put`.

    Raises SettingError, DeviceError or another LandfallError for what cannot work.
    """
    kiosk = kiosk_id(settings.kiosk.site, settings.kiosk.name)
    store = settings.resolve(settings.store.path)
    last_known = known_time(settings)
    clock = system_clock(settings, last_known)
    signer = Signer(load_private_key(settings.resolve(settings.keys.record)))
    centre = Verifier([key for path in settings.keys.receipt for key in load_public_keys(settings.resolve(path))])
    sealer = Sealer(load_public_key(settings.resolve(settings.keys.opening)))
    identity = Identity(kiosk, version, boot_id(), sealer.kid, centre.kids)
    recent = Recent()
    reading = recent.watched(_reading(settings, clock.now(), log))
    return Parts(
        kiosk=kiosk,
        store=store,
        clock=clock,
        recorder=_recorder(settings, kiosk, sealer, signer, clock, put, floor_s=last_known.timestamp()),
        uplink=_uplink(settings, identity, signer, centre, clock, put),
        control=ControlServer(settings.resolve(settings.control.socket), put),
        signer=signer,
        centre=centre,
        lanes=tuple(_lane(settings, lane, reading) for lane in settings.lanes),
        recent=recent,
        power=open_power(settings.power),
        rtc_time_s=rtc_time_s if settings.clock.rtc else None,
    )


def system_clock(settings: Settings, last_known: datetime) -> SystemClock:
    """Return the clock that the settings describe; `last_known` is what `known_time` returns."""
    has_rtc = settings.clock.rtc and rtc_time_s() is not None
    return SystemClock(floor=_floor(settings), last_known=last_known, has_rtc=has_rtc, zone=settings.clock.zone)


def known_time(settings: Settings) -> datetime:
    """Return the latest time that was known once: by the settings, of this installation, or the last in the store."""
    known_s = installed_s()
    with contextlib.suppress(StoreError), CacheReader.open(settings.resolve(settings.store.path)) as reader:
        if (kept := boots.decode(reader.state(BOOTS))) is not None:
            known_s = max(known_s, kept.known_s)
    return max(_floor(settings), datetime.fromtimestamp(known_s, UTC))


def _floor(settings: Settings) -> datetime:
    return datetime.fromisoformat(settings.clock.not_before).replace(tzinfo=UTC)


def _recorder(
    settings: Settings, kiosk: str, sealer: Sealer, signer: Signer, clock: SystemClock, put: Put, *, floor_s: float
) -> Recorder:
    return Recorder(
        kiosk,
        settings.resolve(settings.store.path),
        sealer=sealer,
        signer=signer,
        put=put,
        now=clock.now,
        hardware=hardware_id(),
        keep_receipted_s=settings.store.keep_receipted_h * 3600,
        budget=DiskBudget(settings.store.photos_stop_below_mb * MB, settings.store.reserve_mb * MB),
        free_bytes=free_bytes,
        floor_s=floor_s,
    )


def endpoint(settings: Settings, kiosk: str) -> Endpoint:
    """Return where the broker is, and who we are there."""
    uplink = settings.uplink
    return Endpoint(
        host=uplink.host,
        port=uplink.port,
        ca=settings.resolve(uplink.ca),
        certificate=settings.resolve(uplink.certificate),
        key=settings.resolve(uplink.key),
        client_id=kiosk,
        context_of=client_context,
        keepalive_s=uplink.keepalive_s,
        connect_timeout_s=uplink.connect_timeout_s,
    )


def _uplink(
    settings: Settings, identity: Identity, signer: Signer, centre: Verifier, clock: SystemClock, put: Put
) -> Uplink:
    uplink, store = settings.uplink, settings.resolve(settings.store.path)
    return Uplink(
        identity,
        endpoint(settings, identity.kiosk),
        open_reader=lambda: CacheReader.open(store),
        signer=signer,
        centre=centre,
        put=put,
        now=clock.now,
        pace=Pace(uplink.retry_least_s, uplink.retry_most_s, uplink.receipt_timeout_s),
        jitter=random.Random(secrets.randbits(64)),
    )


def _reading(settings: Settings, now: Moment, log: Log) -> Reads:
    """Return the reading of documents with the post's trust list and switches put in, and say how old the list is.

    Raises SettingError for a list that cannot be read.
    """
    documents = settings.documents
    if not documents.trust_list:
        return partial(read, health=documents.health)
    trust = load_trust_list(settings.resolve(documents.trust_list))
    age = age_of(trust, now.today)
    log(
        Priority.WARNING if age.result is Result.DOUBTFUL or trust.unreadable else Priority.NOTICE,
        "trust list loaded",
        issued_at=trust.issued_at.isoformat(),
        fresh_until=trust.fresh_until.isoformat(),
        age=age.detail or "fresh",
        signers=trust.signer_count,
        unreadable=len(trust.unreadable),
    )
    return partial(read, trust=trust, health=documents.health)


def device_settings(settings: Settings, lane: LaneSettings) -> DeviceSettings:
    """Return the devices of a lane; a scenario is a file beside kiosk.toml, or one that ships with the package."""
    scenario = settings.resolve(lane.scenario)
    return DeviceSettings(
        readers=lane.readers,
        camera=lane.camera,
        panel=lane.panel,
        scenario=str(scenario) if lane.scenario and scenario.exists() else lane.scenario,
        state_folder=str(settings.resolve(settings.store.path).parent),
    )


def _lane(settings: Settings, lane: LaneSettings, reading: Reads) -> Lane:
    kiosk = Kiosk(lane, new_id=lambda: str(uuid6.uuid7()), read=reading, memory_key=secrets.token_bytes(32))
    devices = open_devices(device_settings(settings, lane))
    return Lane(lane, kiosk, devices, Door(lane.panel.door_pass_s, lane.panel.door_open_s))
