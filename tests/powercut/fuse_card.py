"""A `Card` that a real process can write to, through FUSE, and a journal of everything that it did.

Owns the mount and the only import of mfusepy. Always true: operations come one by one, and each is noted, before it
takes effect, together with how much the witnesses had written by then: whoever had seen a lamp at that moment has to be
on the card without it. A sync takes its time, as on a real card, so that a lamp that does not wait for it is caught.
"""

from __future__ import annotations

import os
import stat
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from errno import EEXIST, ENOENT, EROFS
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from mfusepy import FUSE, FuseOSError, Operations

from tests.powercut.card import (
    Card,
    Contents,
    Create,
    Operation,
    Remove,
    Rename,
    Resize,
    Sync,
    SyncNames,
    Write,
)
from tests.powercut.post import Marks

MOUNTED_WITHIN_S = 10.0
SYNC_S = 0.01


class Noted(NamedTuple):
    """An operation, and how many bytes each witness had written when it took effect."""

    operation: Operation
    marks: Marks


@dataclass(slots=True)
class Life:
    """What happened to a card from one start of the kiosk to the next: the card before, and every operation since."""

    before: Contents
    noted: list[Noted] = field(default_factory=list)
    marks_at_end: Marks = ()


class FuseCard(Operations):
    """A card in a mounted folder; a context manager. `life` grows while it is mounted.

    `marks` tells how much each witness has written, `sync_s` is how long a sync takes.
    """

    use_ns = True

    def __init__(self, folder: Path, contents: Contents, marks: Callable[[], Marks], *, sync_s: float = SYNC_S) -> None:
        self.life = Life(contents)
        self._card = Card(contents)
        self._folder = folder
        self._marks = marks
        self._sync_s = sync_s
        self._next_file = len(contents)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._serve, name="fuse card", daemon=True)

    def __enter__(self) -> FuseCard:
        self._folder.mkdir(exist_ok=True)
        self._thread.start()
        until_s = time.monotonic() + MOUNTED_WITHIN_S
        while not os.path.ismount(self._folder):
            if self._failure is not None or time.monotonic() > until_s:
                raise OSError(f"the card could not be mounted: {self._failure}")
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Nobody writes any more. What the kernel still writes back is as unsynced as the rest.
        self.life.marks_at_end = self._marks()
        subprocess.run([*(["umount"] if os.geteuid() == 0 else ["fusermount3", "-u"]), self._folder], check=True)
        self._thread.join()

    def _serve(self) -> None:
        try:
            FUSE(self, str(self._folder), foreground=True, nothreads=True, hard_remove=True)
        except Exception as error:  # the thread wrapper
            self._failure = error

    def _do(self, operation: Operation) -> None:
        self.life.noted.append(Noted(operation, self._marks()))
        self._card.apply(operation)

    def _file(self, path: str) -> int:
        try:
            return self._card.names[path.removeprefix("/")]
        except KeyError:
            raise FuseOSError(ENOENT) from None

    # --- what changes the card ---------------------------------------------------------------------------------------

    def create(self, path: str, mode: int, fi: object = None) -> int:
        """Make an empty file."""
        name = path.removeprefix("/")
        if name in self._card.names:
            raise FuseOSError(EEXIST)
        self._next_file += 1
        self._do(Create(name, self._next_file))
        return self._next_file

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        """Write to an open file."""
        self._do(Write(fh, offset, bytes(data)))
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        """Cut a file off, or make it longer."""
        self._do(Resize(self._file(path) if fh is None else fh, length))
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        """Make a file durable, after a while."""
        time.sleep(self._sync_s)
        self._do(Sync(fh))
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        """Make the names durable, after a while."""
        time.sleep(self._sync_s)
        self._do(SyncNames())
        return 0

    def rename(self, old: str, new: str) -> int:
        """Give a file another name."""
        self._file(old)
        self._do(Rename(old.removeprefix("/"), new.removeprefix("/")))
        return 0

    def unlink(self, path: str) -> int:
        """Take a name away; who has the file open keeps it."""
        self._file(path)
        self._do(Remove(path.removeprefix("/")))
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        """Refuse: the card has one folder."""
        raise FuseOSError(EROFS)

    def link(self, target: str, source: str) -> int:
        """Refuse: every file has one name."""
        raise FuseOSError(EROFS)

    def symlink(self, target: str, source: str) -> int:
        """Refuse: every file has one name."""
        raise FuseOSError(EROFS)

    # --- what does not -----------------------------------------------------------------------------------------------

    def open(self, path: str, flags: int) -> int:
        """Return the number of a file."""
        return self._file(path)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        """Return what a program sees."""
        return bytes(self._card.files[fh][offset : offset + size])

    def opendir(self, path: str) -> int:
        """Open the folder."""
        return 0

    def readdir(self, path: str, fh: int) -> list[str]:
        """Return the names."""
        return [".", "..", *self._card.names]

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        """Return size, kind and owner."""
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o700, "st_nlink": 2, "st_uid": os.getuid(), "st_gid": os.getgid()}
        file = self._file(path) if fh is None else fh
        return {
            "st_mode": stat.S_IFREG | 0o600,
            "st_nlink": 1,
            "st_size": len(self._card.files[file]),
            "st_uid": os.getuid(),
            "st_gid": os.getgid(),
        }

    def statfs(self, path: str) -> dict[str, int]:
        """Return that there is room."""
        return {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": 1 << 20, "f_bfree": 1 << 19, "f_bavail": 1 << 19}

    def chmod(self, path: str, mode: int) -> int:
        """Let it be: a cut does not depend on it."""
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        """Let it be: a cut does not depend on it."""
        return 0

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        """Let it be: a cut does not depend on it."""
        return 0
