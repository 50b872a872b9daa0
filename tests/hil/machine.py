"""The virtual machine: a User-Mode-Linux process with a disk that vanishes and a card that stays.

Owns its start, its two disks, the console over which the agent inside is asked, and its end by a power cut. Always
true: one `Machine` is one boot; leaving the context ends it whatever it was doing, and only the card keeps what was
written.
"""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]
BOOT_WITHIN_S = 120.0
ANSWER_WITHIN_S = 60.0
MEMORY_MB = 768


class MachineError(Exception):
    """The machine did not come up, went away, or could not do what it was asked."""


class Machine:
    """One boot; a context manager. `parts` holds the kernel and the root, `card` is the disk that stays."""

    def __init__(self, parts: Path, folder: Path, card: Path) -> None:
        self.log = folder / "console.log"
        self._parts, self._folder, self._card = parts, folder, card
        self._heard = b""

    def __enter__(self) -> Machine:
        to_guest, self._to = os.pipe()
        self._from, from_guest = os.pipe()
        # What is written to the root goes into a file of differences that the next boot does not see.
        (self._folder / "root.cow").unlink(missing_ok=True)
        command = [
            str(self._parts / "linux"),
            f"mem={MEMORY_MB}M",
            f"ubd0={self._folder / 'root.cow'},{self._parts / 'root.ext4'}",
            f"ubd1={self._card}",
            "root=/dev/ubda",
            "rw",
            "con=null",
            "con0=null,fd:1",
            f"con1=fd:{to_guest},fd:{from_guest}",
            "systemd.getty_auto=no",
            "systemd.journald.forward_to_console=yes",
            f"hil.source={ROOT}",
            f"uml_dir={self._folder}",
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(to_guest, from_guest),
                start_new_session=True,
                env={"PATH": os.environ["PATH"], "TMPDIR": str(self._folder), "HOME": str(self._folder)},
            )
        os.close(to_guest)
        os.close(from_guest)
        try:
            while not self._answer(BOOT_WITHIN_S).get("ready"):
                pass
        except BaseException:
            self.cut_power()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut_power()

    def cut_power(self) -> None:
        """End the machine as a power cut would: no goodbye, nothing flushed."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for end in (self._to, self._from):
            if end >= 0:
                os.close(end)
        self._to = self._from = -1

    def wait_for_restart(self, within_s: float) -> None:
        """Wait until the machine has started again by itself; raise `MachineError` when it does not."""
        while not self._answer(within_s).get("ready"):
            pass

    def ask(self, call: str, **arguments: Any) -> Any:
        """Let the agent do something and return its answer; raise `MachineError` when it cannot."""
        os.write(self._to, json.dumps({"call": call, "arguments": arguments}).encode() + b"\n")
        answer = self._answer(ANSWER_WITHIN_S + arguments.get("timeout_s", 0.0))
        if "error" in answer:
            raise MachineError(f"{call}: {answer['error']}")
        return answer["answer"]

    def run(self, *command: str, ok: tuple[int, ...] = (0,), timeout_s: float = 60.0) -> str:
        """Run a command in the machine and return what it printed."""
        done = self.ask("run", command=list(command), timeout_s=timeout_s)
        if done["status"] not in ok:
            raise MachineError(f"{' '.join(command)}: exit status {done['status']}\n{done['output']}")
        return str(done["output"])

    def write(self, path: str, text: str, mode: str = "0644") -> None:
        """Write a file in the machine."""
        content = base64.b64encode(text.encode()).decode()
        self.run(
            "/bin/sh", "-c", f"mkdir -p $(dirname {path}) && echo {content} | base64 -d > {path} && chmod {mode} {path}"
        )

    def scan(self, payload: bytes) -> None:
        """Let the reader send something."""
        self.ask("scan", payload=base64.b64encode(payload).decode())

    def scan_and_see(self, payload: bytes, line: int) -> float:
        """Let the reader send something, see a lamp go on and off, and return how long until it was lit, in seconds."""
        return float(self.ask("scan_and_see", payload=base64.b64encode(payload).decode(), line=line))

    def _answer(self, within_s: float) -> dict[str, Any]:
        until_s = time.monotonic() + within_s
        while b"\n" not in self._heard:
            left_s = until_s - time.monotonic()
            if left_s <= 0 or self._process.poll() is not None:
                tail = self.log.read_text(errors="replace")[-2000:]
                raise MachineError(f"the machine does not answer:\n{tail}")
            if select.select([self._from], [], [], min(left_s, 1.0))[0]:
                self._heard += os.read(self._from, 65536)
        line, _, self._heard = self._heard.partition(b"\n")
        try:
            return dict(json.loads(line))
        except ValueError:
            return {}  # what the console said before the agent had it


def make_card(path: Path, megabytes: int = 128) -> None:
    """Make an empty card with ext4 on it."""
    with path.open("wb") as card:
        card.truncate(megabytes * 1024 * 1024)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "card", str(path)], check=True)
