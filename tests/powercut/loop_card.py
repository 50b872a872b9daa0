"""A real ext4 file system on a loop device whose power can be cut.

Owns the image and its mount. A cut is the ext4 shutdown ioctl without a flush of the log: from that moment nothing more
reaches the image, and what the kernel had only in memory is lost. Mounting again replays the journal, as after a real
cut. Needs root.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import time
from pathlib import Path
from types import TracebackType

IMAGE_BYTES = 96 * 1024 * 1024
_EXT4_IOC_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = 2
_UNMOUNTED_WITHIN_S = 10.0


class LoopCard:
    """A card in the mounted folder `folder`; its image lies beside it. A context manager."""

    def __init__(self, folder: Path, image_bytes: int = IMAGE_BYTES) -> None:
        self.folder, self._image_bytes = folder, image_bytes
        self.image = folder.with_name(folder.name + ".ext4")

    def __enter__(self) -> LoopCard:
        self.folder.mkdir()
        with self.image.open("xb") as image:
            image.truncate(self._image_bytes)
        _run("mkfs.ext4", "-q", "-F", "-b", "4096", "-J", "size=4", "-m", "0", str(self.image))
        self.mount()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if os.path.ismount(self.folder):
            self.unmount()

    def mount(self) -> None:
        """Mount the image; after a cut this replays the journal."""
        # A device of its own each time: `mount -o loop` takes the one from before the cut again as long as a mount
        # namespace that somebody else has just made still holds it, and that one answers nothing but errors.
        device = _run("losetup", "--find", "--show", str(self.image)).strip()
        try:
            _run("mount", "-t", "ext4", "-o", "noatime", device, str(self.folder))
        finally:
            _run("losetup", "--detach", device)  # takes effect once it is unmounted

    def unmount(self) -> None:
        """Unmount; whoever was killed a moment ago may still hold a file, so try for a while."""
        until_s = time.monotonic() + _UNMOUNTED_WITHIN_S
        while True:
            try:
                _run("umount", str(self.folder))
                return
            except OSError:
                if time.monotonic() > until_s:
                    raise
                time.sleep(0.01)

    def cut(self) -> None:
        """Cut the power: nothing that is not on the image yet will get there."""
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(folder, _EXT4_IOC_SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(folder)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
