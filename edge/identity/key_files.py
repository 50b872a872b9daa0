"""Files that hold keys and certificates, written so that nobody else can read a key, not even for a moment.

Owns how such a file comes into being and is read again; what is in it is the caller's. Always true: a file is there
whole or not at all, survives a power cut once the call has returned, and only `replace` puts one in another's place.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from edge.errors import ProvisioningError

_DRAFT = re.compile(r"\..+\.[0-9a-f]{16}")


def make_folder(folder: Path) -> None:
    """Make a folder, and the ones above it, for its owner alone; one that exists keeps its permissions."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise ProvisioningError(f"{folder}: is not a folder") from None


def refuse_existing(folder: Path, *names: str) -> None:
    """Raise `ProvisioningError` when one of the files is there already, before anything is written."""
    for name in names:
        if os.path.lexists(folder / name):
            raise ProvisioningError(
                f"{folder / name}: exists already", remedy="choose another folder; keys are never overwritten"
            )


def write_private(path: Path, content: bytes) -> None:
    """Create `path` with mode 0600; raise `ProvisioningError` when it exists."""
    _create(path, content, 0o600)


def write_public(path: Path, content: bytes) -> None:
    """Create `path` with mode 0644; raise `ProvisioningError` when it exists."""
    _create(path, content, 0o644)


def replace(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write `path` so that it holds either what was there before or `content`, whenever the power goes."""
    draft = _draft(path, content, mode)
    try:
        os.replace(draft, path)
    except OSError:
        os.unlink(draft)
        raise
    _sync_folder(path.parent)


def remove_drafts(folder: Path) -> None:
    """Remove what a power cut left behind of files that were being written; nobody else may be writing."""
    for path in folder.glob(".*"):
        if _DRAFT.fullmatch(path.name):
            path.unlink()


def read_private(path: Path) -> bytes:
    """Return a private file; raise `ProvisioningError` when others may read it, OSError when it cannot be read.

    A credential of systemd may show group bits: they are the mask of the ACL that lets the service's user read it.
    """
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    is_credential = directory is not None and path.is_relative_to(directory)
    if stat.S_IMODE(path.stat().st_mode) & (0o037 if is_credential else 0o077):
        raise ProvisioningError(f"{path}: others may read this private key", remedy=f"chmod 0600 {path}")
    return path.read_bytes()


def _create(path: Path, content: bytes, mode: int) -> None:
    # Whole under another name first, then linked: a link fails where a file is, and a rename would replace it.
    draft = _draft(path, content, mode)
    try:
        os.link(draft, path)
    except FileExistsError:
        refuse_existing(path.parent, path.name)
        raise
    finally:
        os.unlink(draft)
    _sync_folder(path.parent)


def _draft(path: Path, content: bytes, mode: int) -> Path:
    """Write a file whole beside `path`, synced; one that a power cut leaves behind is hidden and does no harm."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(draft)
        raise
    return draft


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
