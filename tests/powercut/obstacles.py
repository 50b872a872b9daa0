"""What this machine lacks to cut the power of a kiosk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_SYSTEM_FOLDERS = "/usr/sbin:/sbin"


def to_random_moments() -> str:
    """Say why no ext4 file system can be made and cut here; empty when it can."""
    if os.geteuid() != 0:
        return "needs root, to mount a file system and to shut it down"
    if not Path("/dev/loop-control").exists():
        return "needs loop devices (/dev/loop-control)"
    missing = [name for name in ("mkfs.ext4", "mount", "umount") if not _which(name)]
    return _broker() or (f"needs {', '.join(missing)}" if missing else "")


def to_every_write() -> str:
    """Say why no card can be mounted through FUSE here; empty when it can."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "needs /dev/fuse"
    if os.geteuid() != 0 and not _which("fusermount3"):
        return "needs root, or fusermount3 (package fuse3)"
    try:
        import mfusepy  # noqa: F401
    except ImportError:
        return "needs mfusepy (in the extra `test`)"
    except OSError:
        return "needs libfuse (package fuse3)"
    return _broker()


def _broker() -> str:
    return "" if _which("mosquitto") else "needs mosquitto"


def _which(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_FOLDERS}")
