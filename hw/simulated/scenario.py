"""What happens at a simulated lane: who comes, how fast, and what goes wrong.

Owns the form of a scenario file (TOML; programs may write JSON), the meaning of each of its keys, from which the tables
in docs/simulation.md are made, and how a file is found: a path, or the name of one that ships with the package.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from hw.devices import DeviceError
from hw.settings import Seconds

Kind = Literal["TD3", "TD1", "TD2", "MRV-A", "MRV-B"]
Count = Annotated[int, Meta(ge=0)]
FaultKind = Literal["flip", "half", "noise", "unplug", "early", "repeat", "bounce", "together"]
_LASTS_S = {"unplug": 0.5, "early": 0.3, "bounce": 0.02}


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that goes wrong when each n-th traveller shows a document for the first time."""

    kind: Annotated[
        FaultKind,
        Meta(
            description="a character is misread (flip); the message is cut off (half); noise comes before it (noise); "
            "the reader is unplugged in the middle (unplug); the passport is pulled away and shown again (early); the "
            "reader repeats itself (repeat); the contacts of the officer's button bounce (bounce); the next traveller "
            "shows a passport right behind this one's (together)"
        ),
    ]
    every: Annotated[int, Meta(ge=1, description="whom it meets: each n-th traveller")]
    at_byte: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="flip, half, unplug, early: at which byte on the wire; left out: any, as the seed has it"),
    ] = None
    times: Annotated[
        Annotated[int, Meta(ge=2, le=5)] | None,
        Meta(description="repeat: how often the message comes in all; left out: 2 to 5, as the seed has it"),
    ] = None
    for_s: Annotated[
        Seconds | None,
        Meta(
            description="how long the reader is out (unplug, left out 0.5 s), the passport away (early, 0.3 s), or the "
            "contacts bounce (bounce, 0.02 s)"
        ),
    ] = None

    @property
    def lasts_s(self) -> float:
        """Return how long it lasts, in seconds."""
        return self.for_s if self.for_s is not None else _LASTS_S.get(self.kind, 0.0)


class CameraScenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the camera behaves; the counts are of photos since its process was started."""

    is_fitted: Annotated[bool, Meta(description="whether the kiosk that `landfall simulate` makes has a camera")] = True
    size_bytes: Annotated[int, Meta(ge=0, le=4_000_000, description="of the JPEG, padded up to this")] = 40_000
    delay_s: Annotated[float, Meta(ge=0, le=60, description="how long a photo takes, in seconds")] = 0.1
    hang_every: Annotated[Count, Meta(description="each n-th time the camera hangs; 0: never")] = 0
    fail_every: Annotated[Count, Meta(description="each n-th time it says that it has failed; 0: never")] = 0
    crash_every: Annotated[Count, Meta(description="each n-th time its process ends; 0: never")] = 0
    garbage_every: Annotated[Count, Meta(description="each n-th time it sends nonsense; 0: never")] = 0
    flood_every: Annotated[
        Count, Meta(description="each n-th time it sends a photo far larger than any camera's; 0: never")
    ] = 0


class GroupScenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The group that the officer opens before the first traveller, and closes after the last (`landfall simulate`)."""

    expected: Annotated[
        Annotated[int, Meta(ge=1, le=100_000)] | None, Meta(description="how many are said to come")
    ] = None
    conveyance: Annotated[
        Literal["flight", "vessel", "vehicle", "private"] | None, Meta(description="what they come with")
    ] = None
    number: Annotated[str, Meta(max_length=120, description="flight number, or IMO number of a ship")] = ""
    name: Annotated[str, Meta(max_length=120, description="name of the ship")] = ""


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The travellers of one lane, and what goes wrong."""

    seed: Annotated[Count, Meta(description="the same seed gives the same travellers, faults and crossings")] = 1
    first: Annotated[int, Meta(ge=1, description="ordinal of the first traveller")] = 1
    count: Annotated[Count, Meta(description="how many come; 0: without end")] = 0
    interval_s: Annotated[
        float, Meta(ge=0, le=3600, description="from one party leaving to the next stepping up, in seconds")
    ] = 2.0
    parties: Annotated[
        list[Annotated[int, Meta(ge=1, le=1000)]],
        Meta(
            min_length=1, description="how many come together, taken in turn: nobody waits between members of a party"
        ),
    ] = msgspec.field(default_factory=lambda: [1])
    documents: Annotated[list[Kind], Meta(min_length=1, description="kinds of document (Doc 9303), taken in turn")] = (
        msgspec.field(default_factory=lambda: ["TD3"])
    )
    boarding_pass_every: Annotated[
        Count, Meta(description="each n-th traveller shows a boarding pass, where there is a reader for it; 0: nobody")
    ] = 1
    no_boarding_pass_every: Annotated[
        Count, Meta(description="each n-th traveller has lost the boarding pass all the same; 0: nobody")
    ] = 0
    expired_every: Annotated[Count, Meta(description="each n-th document has expired; 0: none")] = 0
    keyed_every: Annotated[
        Count, Meta(description="each n-th document can be read by no reader: the officer keys it in; 0: none")
    ] = 0
    no_document_every: Annotated[
        Count, Meta(description="each n-th traveller has no document: the officer keys in a name; 0: nobody")
    ] = 0
    officer: Annotated[
        Literal["accept", "refer", "nobody"], Meta(description="what the officer presses when called")
    ] = "accept"
    officer_s: Annotated[float, Meta(ge=0, le=3600, description="how long the officer takes, in seconds")] = 1.0
    refer_every: Annotated[
        Count, Meta(description="each n-th traveller, if the officer is called, is referred; 0: nobody")
    ] = 0
    no_officer_every: Annotated[
        Count, Meta(description="each n-th traveller, if an officer is called, waits in vain; 0: nobody")
    ] = 0
    patience_s: Annotated[
        Seconds, Meta(description="how long a traveller waits for a lamp before showing the document again")
    ] = 20.0
    faults: list[Fault] = []
    camera: CameraScenario = CameraScenario()
    group: GroupScenario | None = None
    witness: Annotated[
        str, Meta(description="a file, beside the scenario's, that keeps count of who saw which lamp")
    ] = ""
    waits_for: Annotated[str, Meta(description="a file, beside the scenario's: nobody comes before it is there")] = ""


def shipped() -> list[str]:
    """Return the names of the scenarios that ship with the package."""
    folder = resources.files("hw.simulated") / "scenarios"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def about(name: str) -> str:
    """Return what a scenario that ships says of itself in its first lines."""
    text = (resources.files("hw.simulated") / "scenarios" / f"{name}.toml").read_text("utf-8")
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return " ".join(lines)


def load(name_or_path: str) -> Scenario:
    """Return a scenario by file path, or by the name of one that ships with the package; `""` is the demonstration.

    Raises DeviceError when there is none, or when it says something that a scenario cannot say.
    """
    of_package = resources.files("hw.simulated") / "scenarios" / f"{name_or_path or 'demo'}.toml"
    source = of_package if "/" not in name_or_path and of_package.is_file() else Path(name_or_path)
    decode = msgspec.json.decode if source.name.endswith(".json") else msgspec.toml.decode
    try:
        scenario = decode(source.read_bytes(), type=Scenario)
    except OSError as error:
        raise DeviceError(
            "scenario", f"{name_or_path} cannot be read", remedy=f"give a file, or one of: {', '.join(shipped())}"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DeviceError("scenario", f"{name_or_path}: {error}") from error
    if isinstance(source, Path):
        beside = {
            key: str(source.parent / path) for key in ("witness", "waits_for") if (path := getattr(scenario, key))
        }
        scenario = msgspec.structs.replace(scenario, **beside)
    return scenario
