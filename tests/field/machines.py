"""A centre and kiosks as machines of their own, with a network between them, a stick, and somebody at each keyboard.

Owns how a machine is made, from this tree or from Debian packages, and what differs between the two: how Landfall gets
onto it, and how it is upgraded. Readers, camera and panel are simulated; everything else is what a post has.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Protocol

import pytest

from edge.control import ask
from edge.errors import LandfallError
from hw.simulated.witness import sightings_in
from tests.harness.systemd_machine import SystemdMachine
from tests.harness.terminal import NONE, Reactions, Terminal
from tests.packaging.debian_root import root_of

ROOT = Path(__file__).parents[2]
SYSTEMD = ROOT / "systemd"
WITHIN_S = 180.0  # a package is unpacked on a busy machine
CENTRE = "192.0.2.10"  # of the block for documentation, RFC 5737
STICK = "/media/stick"
WITNESS = "/var/lib/landfall/witness.jsonl"
# The enrolment server begins 600 days ago: of the 825 days of what it issues then, less than a third is left.
LONG_AGO = "/etc/systemd/system/landfall-enrolment.service.d/long-ago.conf"
LONG_AGO_TEXT = "[Service]\nEnvironment=LD_PRELOAD=/opt/faketime/libfaketime.so.1 FAKETIME=-600d\n"
DOORS = "/etc/landfall/doors-are-open"
LANES = """\
[[lanes]]
name = "lane-1"
scenario = "/etc/landfall/scenario.toml"
policy = { specimens = "accept", show_s = 0.05, photo = "wanted" }
panel = { driver = "simulated", accept = "", refer = "", tamper = "" }
camera = { driver = "simulated" }
readers = [{ name = "passport", driver = "simulated", baud = 115200 }]
"""
SCENARIO = """\
first = {first}
count = {count}
interval_s = 0.05
boarding_pass_every = 0
witness = "{witness}"
waits_for = "{doors}"
camera = {{ delay_s = 0.0 }}
"""
# Every machine is its owner's; and there is no time server, so what timesyncd touches is touched for it.
COMMON = {
    "/usr/local/bin/sudo": '#!/bin/sh\nexec "$@"\n',
    "/run/systemd/timesync/synchronized": "",
}


def scenario(first: int, count: int) -> str:
    """Return who comes to a kiosk, once its doors are open."""
    return SCENARIO.format(first=first, count=count, witness=WITNESS, doors=DOORS)


class Origin(Protocol):
    """Where Landfall on a machine comes from: this tree, or Debian packages.

    `install` and `upgrade` are the lines that somebody types at a machine with this role, or nothing.
    """

    def install(self, role: str) -> str: ...

    def upgrade(self) -> str: ...

    def machine(self, folder: Path, role: str, files: Mapping[str, str], stick: Path) -> SystemdMachine:
        """Return a machine that is not switched on yet."""
        ...


class Post:
    """One machine and who sits at it; a context manager. What is typed is typed at its terminal."""

    def __init__(self, name: str, machine: SystemdMachine) -> None:
        self.name, self._machine = name, machine
        self._stack = ExitStack()

    def __enter__(self) -> Post:
        self._stack.enter_context(self._machine)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def log_in(self) -> None:
        """Open a shell, once the machine has started."""
        self.wait_until("systemctl is-active --quiet basic.target")
        words = self._machine.command(
            "sh", "-c", "cd && exec bash --norc -i", PS1=self._prompt, HOME="/root", TERM="vt100"
        )
        self._terminal = self._stack.enter_context(Terminal(words))
        self._terminal.follow(self._prompt, within_s=WITHIN_S)
        self.run("true")

    @property
    def _prompt(self) -> str:
        return f"{self.name}> "

    @property
    def typed(self) -> int:
        """Return how many lines and keys were typed here."""
        return self._terminal.typed

    @property
    def screen(self) -> str:
        """Return everything that was on the screen."""
        return self._terminal.plain

    def type(self, line: str, reactions: Reactions = NONE, within_s: float = WITHIN_S) -> str:
        """Type a line, answer what is asked, and return what was shown until the prompt came again."""
        self._terminal.type(f"{line}\n")
        try:
            return self._terminal.follow(self._prompt, reactions, within_s=within_s)
        except AssertionError as error:
            raise AssertionError(f"{self.name}: {error}\n{self.journal()}") from None

    def press(self, key: str) -> None:
        """Type an answer while a line is followed."""
        self._terminal.type(key)

    def run(self, command: str, ok: bool | None = True) -> str:
        """Run a line of shell that nobody types, and return what it printed; fail when it ended otherwise."""
        done = self._machine.run("sh", "-c", command)
        assert ok is None or (done.returncode == 0) is ok, f"{self.name}: {command}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def wait_until(self, command: str, within_s: float = WITHIN_S) -> str:
        """Run a line of shell until it succeeds, and return what it printed."""
        until_s = time.monotonic() + within_s
        while (done := self._machine.run("sh", "-c", command)).returncode:
            if time.monotonic() > until_s:
                raise TimeoutError(f"{self.name}: {command}: {done.stdout}\n{self.journal()}")
            time.sleep(0.1)
        return done.stdout

    def journal(self) -> str:
        """Return what the machine's units said last."""
        return self.run("journalctl -n 60 --no-pager -o cat", ok=None)

    def put(self, path: str, text: str) -> None:
        """Write a file there."""
        assert self._machine.run("sh", "-c", f"cat > {path}", input=text.encode()).returncode == 0

    def left(self) -> int:
        """Return how many travellers left this kiosk's lane after a lamp."""
        return len(sightings_in(Path(f"/proc/{self.process_1}/root{WITNESS}")))

    def status(self) -> dict[str, Any]:
        """Return what the kiosk says of itself; what it has not said yet is empty."""
        told: dict[str, Any] = {"uplink": {"state": "?"}, "queue": {"?": {"next_sequence": 1, "held_up_to": -1}}}
        with contextlib.suppress(LandfallError):
            told |= ask(Path(f"/proc/{self.process_1}/root/run/landfall/control.sock"), "status")
        return told

    @property
    def process_1(self) -> int:
        """Return the machine's process 1."""
        return self._machine.process_1()


def switch_on_network(centre: Post) -> None:
    """Give the centre its address, on a switch that kiosks can be connected to."""
    _each(centre, "link add lan type bridge", f"address add {CENTRE}/24 dev lan", "link set lan up")


def lay_cable(centre: Post, kiosk: Post, address: str) -> None:
    """Connect a kiosk to the centre's switch."""
    port = f"to-{kiosk.name}"[:15]
    _each(
        centre,
        f"link add {port} type veth peer name eth0 netns {kiosk.process_1}",
        f"link set {port} master lan up",
    )
    _each(kiosk, f"address add {address}/24 dev eth0", "link set eth0 up")


def _each(at: Post, *commands: str) -> None:
    for words in commands:
        enter = ["nsenter", "--net", "--target", str(at.process_1)]
        subprocess.run([*enter, "ip", *words.split()], check=True)


def faketime() -> Path:
    """Return the folder with the library that shows a process another time, or skip."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        pytest.skip("libfaketime is missing: apt-get install faketime")
    return found[0].parent


@dataclass(frozen=True, slots=True)
class FromTree:
    """Landfall as this tree has it, started by its units; an upgrade does what the package's scripts do."""

    newer: Path  # a folder that holds a later `edge`

    UNITS = MappingProxyType(
        {
            "centre": ("broker.service", "collector.service", "enrolment.service", "crl.service", "crl.timer"),
            "kiosk": ("kiosk.service", "clock-floor.service", "renew.service", "renew.timer"),
        }
    )
    USERS = MappingProxyType({"centre": ("broker", "collector"), "kiosk": ("kiosk",)})
    COMMANDS = MappingProxyType(
        {"landfall": "edge", "landfall-central": "central", "landfall-provision": "provisioning"}
    )
    LIB = "/opt/landfall/lib"

    def install(self, role: str) -> str:
        """Return nothing: it is there."""
        return ""

    def upgrade(self) -> str:
        """Return what stops the kiosk, replaces its files, and starts it."""
        return "sudo sh /opt/landfall/upgrade"

    def machine(self, folder: Path, role: str, files: Mapping[str, str], stick: Path) -> SystemdMachine:
        """Return a machine with this one's own file system, and the units and folders of the role's package."""
        folder.mkdir()
        units = [f"landfall-{unit}" for unit in self.UNITS[role]]
        python = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
        path = f"{self.LIB}/newer:{self.LIB}/tree:{self.LIB}/libraries"
        run = f"#!/bin/sh\nPYTHONPATH={path} exec {python}"
        commands = {
            f"{place}/{name}": f'{run} -m {room}.cli "$@"\n'
            for name, room in self.COMMANDS.items()
            for place in ("/opt/landfall/bin", "/usr/local/bin")
        }
        own = {
            **{f"/etc/systemd/system/{unit}": (SYSTEMD / unit).read_text() for unit in [*units, "landfall.slice"]},
            **{f"/etc/tmpfiles.d/{file.name}": file.read_text() for file in self._tmpfiles(role)},
            "/etc/systemd/system/field.target": "[Unit]\nRequires=basic.target\n",
            "/opt/landfall/bin/python": f'{run} "$@"\n',
            "/opt/landfall/upgrade": "systemctl stop landfall-kiosk\n"
            f"cp -r {self.LIB}/upgrade/. {self.LIB}/newer/\nsystemctl start landfall-kiosk\n",
            f"{self.LIB}/newer/.keep": "",
        }
        rooms = ("edge", "hw", "central", "provisioning")
        return SystemdMachine(
            folder,
            "field.target",
            {**COMMON, **commands, **own, **files},
            sysusers=[SYSTEMD / "sysusers.d" / f"landfall-{user}.conf" for user in self.USERS[role]],
            binds={
                f"{self.LIB}/libraries": Path(sysconfig.get_path("platlib")),
                **{f"{self.LIB}/tree/{room}": ROOT / room for room in rooms},
                f"{self.LIB}/upgrade": self.newer,
                "/opt/faketime": faketime(),
                STICK: stick,
            },
        )

    @staticmethod
    def _tmpfiles(role: str) -> list[Path]:
        names = ("landfall", "landfall-broker", "landfall-enrolment") if role == "centre" else ("landfall",)
        return [SYSTEMD / "tmpfiles.d" / f"{name}.conf" for name in names]


@dataclass(frozen=True, slots=True)
class FromPackages:
    """Landfall from the Debian packages on the stick, on machines of a Debian release."""

    suite: str

    NAMES = MappingProxyType({"centre": "landfall-central", "kiosk": "landfall-kiosk"})

    def install(self, role: str) -> str:
        """Return the line that installs the role's package."""
        return f"sudo apt install {STICK}/{self.NAMES[role]}_*.deb"

    def upgrade(self) -> str:
        """Return the line that installs a newer package of the kiosk."""
        return f"sudo apt install {STICK}/newer/*.deb"

    def machine(self, folder: Path, role: str, files: Mapping[str, str], stick: Path) -> SystemdMachine:
        """Return a machine of that release on which there is nothing of Landfall."""
        folder.mkdir()
        binds = {STICK: stick, "/opt/faketime": faketime()}
        return SystemdMachine(folder, "multi-user.target", {**COMMON, **files}, binds=binds, root=root_of(self.suite))
