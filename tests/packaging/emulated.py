"""A Debian root of another architecture, whose programs QEMU runs: entered without booting, under no systemd.

Owns whether that is possible here, and the layer above the root, which vanishes. The kernel is told once that QEMU runs
such programs, as Debian's own package tells it at every boot; that stays. Always true: the network is empty.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType

_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_REGISTER = "/lib/systemd/systemd-binfmt"
WITHIN_S = 1200
# The processor of a Raspberry Pi 4, which QEMU runs many times faster than the one that it takes by itself.
_PROCESSOR = "QEMU_CPU=cortex-a72"
_VARIABLES = (_PROCESSOR, "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")
_ENTER = """
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$FOLDER"
mkdir "$FOLDER/root" "$FOLDER/above" "$FOLDER/work"
mount -t overlay overlay -o lowerdir="$ROOT",upperdir="$FOLDER/above",workdir="$FOLDER/work" "$FOLDER/root"
cd "$FOLDER/root"
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs tmpfs tmp
mkdir packages
mount --bind "$PACKAGES" packages
exec chroot . sh -c "echo entered; exec sleep infinity"  # said from inside: before, its root is this machine's
"""


def obstacle(architecture: str) -> str:
    """Say why no program for a machine of Debian's `architecture` can be run here; empty when it can."""
    own = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
    if own == architecture:
        return f"this machine is {own} itself: the other cases install its package"
    name = {"arm64": "qemu-aarch64"}[architecture]
    if os.geteuid() != 0 or not shutil.which(f"{name}-static"):
        return f"needs root and {name}-static (package qemu-user-static)"
    if not (_BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", _BINFMT], capture_output=True, check=False)
    if not (_BINFMT / name).exists():
        subprocess.run([_REGISTER, f"{name}.conf"], capture_output=True, check=False)
    return "" if (_BINFMT / name).exists() else f"the kernel cannot be told of {name} (binfmt_misc)"


class EmulatedSystem:
    """A context manager: `run` lines of shell in a root, whose folder /packages is `packages`."""

    def __init__(self, root: Path, packages: Path, folder: Path) -> None:
        folder.mkdir()
        self._environment = {
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
            "ROOT": str(root),
            "PACKAGES": str(packages),
            "FOLDER": str(folder),
        }

    def __enter__(self) -> EmulatedSystem:
        command = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "bash", "-c", _ENTER]
        self._unshare = subprocess.Popen(
            command, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        assert self._unshare.stdout is not None
        assert self._unshare.stdout.readline() == "entered\n"
        pid = self._unshare.pid
        self._first = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unshare.kill()
        self._unshare.communicate()

    def run(self, command: str, ok: bool = True) -> str:
        """Run a line of shell as root and return what it printed; fail when it ended otherwise than `ok` says."""
        enter = ["nsenter", "--target", self._first, "--mount", "--pid", "--net", "--root", "--wd", "env", "-i"]
        done = subprocess.run(
            [*enter, *_VARIABLES, "sh", "-c", command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=WITHIN_S,
        )  # fmt: skip
        said = done.stdout.decode(errors="replace")
        assert (done.returncode == 0) is ok, f"{command}: {done.returncode}\n{said}"
        return said
