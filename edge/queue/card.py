"""The card of another kiosk, as it is mounted on this machine: a dead one's, whose records go to the centre by stick.

Owns where settings, record key and store lie on it. Always true: nothing is taken from this machine's own settings and
keys, and no path of the card's settings leads off the card.
"""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from edge.config import load
from edge.errors import LandfallError, SettingError
from edge.settings import Settings

_FOLDER = Path("etc/landfall")


def settings_on(root: Path) -> Settings:
    """Return a card's settings with store and record key where they are here; `root` is where the card is mounted.

    Raises `LandfallError` when settings or store of a kiosk are not there, `SettingError` when they are wrong.
    """
    folder = root.absolute() / _FOLDER
    try:
        is_there = (folder / "kiosk.toml").exists()
    except OSError as error:  # a file system whose journal was not replayed
        raise SettingError(str(folder), "", f"cannot be read ({error.strerror}); mount it without noload") from None
    if not is_there:
        raise LandfallError(
            f"{root}: there is no {_FOLDER}/kiosk.toml",
            remedy="mount the card's larger partition there, the second one",
        )
    settings = load(folder / "kiosk.toml", {"CREDENTIALS_DIRECTORY": str(folder / "keys")})
    store = _on(root, settings.resolve(settings.store.path))
    if not store.exists():
        raise LandfallError(
            f"{store}: there is no store on this card", remedy=f"mount the partition with {store.parent} there too"
        )
    return replace(
        settings,
        store=replace(settings.store, path=str(store)),
        keys=replace(settings.keys, record=str(_on(root, settings.resolve(settings.keys.record)))),
    )


def _on(root: Path, path: Path) -> Path:
    """Return a path of the card as it is called here."""
    return path if path.is_relative_to(root.absolute()) else root.absolute() / path.relative_to("/")
