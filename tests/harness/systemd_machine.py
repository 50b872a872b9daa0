"""A machine with a real systemd as process 1, in namespaces of its own: a unit runs there as on a kiosk.

Its file system is this machine's, or another's, with a layer above it that vanishes with the machine; its network is
empty; none of this machine's own services run in it. It can be started again over the same layer. Needs root. Devices
and memory limits cannot be shown: the control groups may be of the old kind.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from uuid import uuid4

WITHIN_S = 120.0
# What lies above the root, from one start to the next; it is there as long as its standard input.
_KEEP = """
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$FOLDER"
mkdir "$FOLDER/groups" "$FOLDER/root" "$FOLDER/above" "$FOLDER/work"
echo kept
exec cat
"""
# A control group of its own, which the machine takes for the root of all: nothing of it mixes with this machine's.
_ENTER = """
set -eu
mount --make-rprivate /
mount -t cgroup2 cgroup2 "$FOLDER/groups"
mkdir "$FOLDER/groups/$GROUP"
echo 0 > "$FOLDER/groups/$GROUP/cgroup.procs"
umount "$FOLDER/groups"
exec unshare --cgroup bash -c "$BOOT"
"""
_BOOT = """
set -eu
mount -t overlay overlay -o lowerdir="$ROOT",upperdir="$FOLDER/above",workdir="$FOLDER/work" "$FOLDER/root"
cd "$FOLDER/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys  # the kernel's settings are this machine's, not the test's
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount --rbind /dev dev
while [ -n "$BINDS" ] && read -r from to; do
    mkdir -p ".$to"
    mount --rbind "$from" ".$to"
done <<< "$BINDS"
if [ ! -e old ]; then  # it was never started before
    [ -n "$COMMAND_LINE" ] || find etc/systemd/system -path '*.target.wants/*' -delete
    cp -r --preserve=timestamps "$FILES/." .
    [ -z "$SYSUSERS" ] || systemd-sysusers --root="$PWD" $SYSUSERS
    mkdir old
fi
words="--unit=$UNIT --log-target=console --show-status=no"
[ -z "$COMMAND_LINE" ] || words=$(cat ".$COMMAND_LINE")
if [ -n "$DATA" ]; then
    mkdir -p ".$DATA"
    mount -t tmpfs -o nosuid,nodev,noexec data ".$DATA"
    mount -o remount,ro .
fi
pivot_root . old
umount -l old
mount --make-rshared /  # or no service would see its credentials
exec env -i container=namespaces PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system $words
"""
_LEAVE = """
mount -t cgroup2 cgroup2 "$FOLDER"
[ ! -d "$FOLDER/$GROUP" ] || find "$FOLDER/$GROUP" -depth -type d -exec rmdir {} +
"""


class SystemdMachine:
    """Boot into one unit; a context manager. `log` holds what systemd and its units said on the console.

    `folder` is scratch space. `files` maps absolute paths on the machine to their text, readable by root alone where
    `secret` begins a path, executable where the text starts with `#!`; `trees` maps such paths to folders that are
    copied there, `binds` to folders of this machine that are shown there; `sysusers` are configuration files whose
    users are made before the boot. `data` is a folder with a file system of its own; everything else is then read-only.
    `root` is the file system of another machine. `command_line` is a file there, whose words process 1 gets at each
    start, as a kernel's; such a machine starts into its own default target, with every unit that is enabled.
    """

    def __init__(
        self,
        folder: Path,
        unit: str,
        files: Mapping[str, str],
        *,
        sysusers: Sequence[Path] = (),
        secret: str | tuple[str, ...] = (),
        trees: Mapping[str, Path] = MappingProxyType({}),
        binds: Mapping[str, Path] = MappingProxyType({}),
        data: str = "",
        root: Path = Path("/"),
        command_line: str = "",
    ) -> None:
        self.log = folder / "console.log"
        self._unit = unit
        self._folder = folder / "machine"
        self._files = folder / "files"
        self._sysusers = sysusers
        self._data = data
        self._binds = binds
        self._root = root
        self._command_line = command_line
        self._environment: dict[str, str] = {}
        self._folder.mkdir()
        for path, source in trees.items():
            shutil.copytree(source, self._files / path.lstrip("/"))
        for path, text in files.items():
            file = self._files / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            file.chmod(0o600 if path.startswith(secret) else 0o755 if text.startswith("#!") else 0o644)

    def __enter__(self) -> SystemdMachine:
        self._environment = {
            "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
            "FOLDER": str(self._folder),
            "GROUP": f"landfall-test-{uuid4().hex}",
            "FILES": str(self._files),
            "SYSUSERS": " ".join(map(str, self._sysusers)),
            "DATA": self._data,
            "ROOT": str(self._root),
            "BINDS": "\n".join(f"{source} {path}" for path, source in self._binds.items()),
            "UNIT": self._unit,
            "COMMAND_LINE": self._command_line,
            "BOOT": _BOOT,
        }
        self._keeper = subprocess.Popen(
            ["unshare", "--mount", "bash", "-c", _KEEP],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._keeper.stdout is not None
        assert self._keeper.stdout.readline() == b"kept\n"
        self.log.touch()
        self._start()
        return self

    def _start(self) -> None:
        # --kill-child: should this process die, the machine ends with it.
        command = ["nsenter", "--mount", "--target", str(self._keeper.pid)]
        command += ["unshare", "--mount", "--pid", "--uts", "--ipc", "--net", "--fork", "--kill-child", "bash", "-c"]
        with self.log.open("ab") as log:
            self._unshare = subprocess.Popen(
                [*command, _ENTER], env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        self._keeper.communicate()

    def _end(self) -> int:
        # The end of process 1 takes every process of the machine along, before unshare returns.
        if self._unshare.poll() is None:
            try:
                os.kill(self._process_1(), signal.SIGKILL)
            except (OSError, IndexError):
                self._unshare.kill()
        status = self._unshare.wait()
        subprocess.run(["unshare", "--mount", "bash", "-c", _LEAVE], env=self._environment, check=True)
        return status

    def cut_power(self) -> None:
        """End every process at once, and start again; what was written and not synced is there all the same."""
        self._end()
        self._start()

    def wait_for_restart(self, within_s: float = WITHIN_S) -> None:
        """Wait until the machine ends itself in order to start again, and start it."""
        try:
            self._unshare.wait(within_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"it did not start again:\n{self.log.read_text(errors='replace')}") from None
        # What reboot(2) makes of the command in a namespace of processes: SIGHUP to start again, SIGINT to be off.
        if (status := self._end()) != -signal.SIGHUP:
            raise AssertionError(f"it ended with {status}:\n{self.log.read_text(errors='replace')}")
        self._start()

    def read_json(self, path: str, *, unlike: object = None) -> object:
        """Return the JSON in a file of the machine as soon as it is there, whole, and differs from `unlike`."""
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline and self._unshare.poll() is None:
            try:
                found = json.loads(Path(f"/proc/{self._process_1()}/root{path}").read_text(encoding="utf-8"))
                if found != unlike:
                    return found
            except (OSError, ValueError, IndexError):
                pass
            time.sleep(0.02)
        raise TimeoutError(f"{path} did not come:\n{self.log.read_text(errors='replace')}")

    def run(self, *command: str, input: bytes = b"") -> subprocess.CompletedProcess[str]:
        """Run a command on the machine as root, to its end, and return its exit status with all that it printed."""
        done = subprocess.run(
            self.command(*command),
            input=input,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=900,
        )
        return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(errors="replace"))

    def command(self, *words: str, **surroundings: str) -> list[str]:
        """Return what runs a command on the machine as root, for whoever starts it; `surroundings` are variables."""
        enter = ["nsenter", "--target", str(self.process_1()), "--all", "--root", "--wd", "env", "-i"]
        variables = {
            "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
            **surroundings,
        }
        return [*enter, *(f"{name}={value}" for name, value in variables.items()), *words]

    def process_1(self) -> int:
        """Return the machine's process 1 as soon as it is systemd: before, it has the file system of this machine."""
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline and self._unshare.poll() is None:
            try:
                found = self._process_1()
                if Path(f"/proc/{found}/comm").read_text(encoding="ascii") == "systemd\n":
                    return found
            except (OSError, IndexError):
                pass
            time.sleep(0.02)
        raise TimeoutError(f"the machine did not boot:\n{self.log.read_text(errors='replace')}")

    def _process_1(self) -> int:
        pid = self._unshare.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])


def is_possible() -> bool:
    """Tell whether this process may make such a machine."""
    return os.geteuid() == 0 and Path("/lib/systemd/systemd").exists() and shutil.which("unshare") is not None
