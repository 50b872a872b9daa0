"""Which settings a kiosk starts with: its own file, and on top of it what the centre has set.

Owns that choice. Always true: settings from afar never keep a kiosk from starting; if they do not fit its file, or the
disk cannot even count the start, the kiosk starts with what worked before, or with its file alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.commands import trial
from edge.commands.trial import Overlays
from edge.config import load
from edge.errors import SettingError, StoreError
from edge.settings import Settings


@dataclass(frozen=True, slots=True)
class InForce:
    """The settings, what is kept of those from afar, and `trouble` if something of that had to be left out.

    `file` and `environment` are what they were read from.
    """

    settings: Settings
    file: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    overlays: Overlays = field(default_factory=Overlays)
    trouble: str = ""

    def check(self, overlay: dict[str, Any]) -> Settings:
        """Return the settings with others on top of the file; raise `SettingError` when they do not fit."""
        return load(self.file, dict(self.environment), overlay)


def settings_to_start_with(path: Path, environment: dict[str, str]) -> InForce:
    """Return what the daemon starts with, and count the start of a trial; raise `SettingError` for the file itself."""
    own = load(path, environment)
    folder = own.resolve(own.store.path).parent
    overlays = trial.started(kept := trial.read(folder))
    settings, trouble = own, ""
    try:
        settings = load(path, environment, overlays.in_force)
    except SettingError as error:
        trouble = str(error)
        if overlays.trial is not None:
            overlays = trial.rolled_back(overlays, trouble)
            settings = _settled(path, environment, overlays, own)
    if overlays != kept:
        try:
            trial.write(folder, overlays)
        except StoreError as error:  # not counted, so not tried
            overlays = trial.rolled_back(overlays, error.message)
            settings, trouble = _settled(path, environment, overlays, own), error.message
    return InForce(settings, path, environment, overlays, trouble)


def settings_in_force(path: Path, environment: dict[str, str]) -> Settings:
    """Return the settings of the daemon as they are now, for whoever looks from outside; nothing is counted."""
    own = load(path, environment)
    try:
        return load(path, environment, trial.read(own.resolve(own.store.path).parent).in_force)
    except SettingError:
        return own


def _settled(path: Path, environment: dict[str, str], overlays: Overlays, own: Settings) -> Settings:
    try:
        return load(path, environment, overlays.settled)
    except SettingError:
        return own
