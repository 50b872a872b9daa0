"""What happens at a simulated lane: who comes, how fast, and what goes wrong.

Owns the form of a scenario file (TOML) and how it is found: a path, or the name of one that ships with the package.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from hw.devices import DeviceError
from hw.settings import Seconds

Every = Annotated[int, Meta(ge=0, description="each n-th time; 0 is never")]
Kind = Literal["TD3", "TD1", "TD2", "MRV-A", "MRV-B"]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that goes wrong when each n-th traveller shows a document for the first time."""

    kind: Literal["flip", "half", "noise", "unplug"]
    every: Annotated[int, Meta(ge=1)]
    at_byte: Annotated[int, Meta(ge=0)] = 20  # where on the wire: flipped, cut off, or unplugged after
    for_s: Seconds = 0.5  # how long the reader stays unplugged


class CameraScenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the camera behaves; the counts are of photos since its process was started."""

    size_bytes: Annotated[int, Meta(ge=0, le=4_000_000)] = 40_000  # of the JPEG, padded up to this
    delay_s: Annotated[float, Meta(ge=0, le=60)] = 0.1
    hang_every: Every = 0
    fail_every: Every = 0
    crash_every: Every = 0
    garbage_every: Every = 0
    flood_every: Every = 0  # a photo far larger than any camera's


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The travellers of one lane, and what goes wrong."""

    seed: Annotated[int, Meta(ge=0)] = 1
    first: Annotated[int, Meta(ge=1)] = 1  # ordinal of the first traveller
    count: Annotated[int, Meta(ge=0)] = 0  # how many come; 0 is without end
    interval_s: Annotated[float, Meta(ge=0, le=3600)] = 2.0  # from one leaving to the next stepping up
    documents: Annotated[list[Kind], Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: ["TD3"]
    )  # taken in turn
    boarding_pass_every: Every = 1
    officer: Literal["accept", "refer", "nobody"] = "accept"  # what the officer presses when called
    officer_s: Annotated[float, Meta(ge=0, le=3600)] = 1.0  # how long the officer takes
    patience_s: Seconds = 20.0  # how long a traveller waits for a lamp before showing the document again
    faults: list[Fault] = []
    camera: CameraScenario = CameraScenario()
    witness: str = ""  # a file, beside the scenario's, that keeps count of who saw which lamp


def load(name_or_path: str) -> Scenario:
    """Return a scenario by file path, or by the name of one that ships with the package; `""` is the demonstration.

    Raises DeviceError when there is none, or when it says something that a scenario cannot say.
    """
    shipped = resources.files("hw.simulated") / "scenarios" / f"{name_or_path or 'demo'}.toml"
    source = shipped if "/" not in name_or_path and shipped.is_file() else Path(name_or_path)
    try:
        scenario = msgspec.toml.decode(source.read_bytes(), type=Scenario)
    except OSError as error:
        names = ", ".join(sorted(entry.name.removesuffix(".toml") for entry in shipped.parent.iterdir()))
        raise DeviceError(
            "scenario", f"{name_or_path} cannot be read", remedy=f"give a file, or one of: {names}"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DeviceError("scenario", f"{name_or_path}: {error}") from error
    if scenario.witness and isinstance(source, Path):
        scenario = msgspec.structs.replace(scenario, witness=str(source.parent / scenario.witness))
    return scenario
