"""What is done from blank machines to a fleet that works, step by step, as the documents say, and how long it takes.

Owns the steps, who does each, and the table. A step is timed from its first key to its end, waiting included. What is
typed at a kiosk is the technician's; what is typed at the centre is the operator's.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge.errors import LandfallError
from provisioning.local_deployment import wait_until
from tests.field.machines import CENTRE, DOORS, LONG_AGO, STICK, WITHIN_S, Origin, Post, lay_cable, scenario
from tests.harness.terminal import Reactions

SITE = "dm-roseau"
ADDRESSES = {"ferry-01": "192.0.2.11", "ferry-02": "192.0.2.12"}
PASSPHRASE = "a dry dock for the winter"
BUNDLES = f"{STICK}/*{{name}}*.landfall"
TRAVELLERS = 6
OPERATOR, TECHNICIAN, NOBODY = "operator", "technician", "-"
GOAL_INPUTS, GOAL_S = 10, 600.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    step: str
    who: str
    kiosk: str
    typed: int
    seconds: float


@dataclass(slots=True)
class Table:
    """Who typed how much at which step, and how long it took."""

    rows: list[Row] = field(default_factory=list)

    @contextmanager
    def step(self, words: str, who: str, *at: Post, kiosk: str = "") -> Iterator[None]:
        """Time one step and count what is typed at these machines."""
        before, began_s = sum(one.typed for one in at), time.monotonic()
        yield
        typed = sum(one.typed for one in at) - before
        assert typed or who == NOBODY, f"{words}: nothing was typed"
        self.rows.append(Row(words, who, kiosk, typed, time.monotonic() - began_s))

    def of(self, who: str, kiosk: str) -> tuple[int, float]:
        """Return what somebody typed for a kiosk, and how long it took."""
        rows = [row for row in self.rows if row.who == who and row.kiosk == kiosk]
        return sum(row.typed for row in rows), sum(row.seconds for row in rows)

    def set_up(self, kiosk: str) -> tuple[int, float]:
        """Return what a technician typed until a kiosk was accepted, and how long it took with the operator's part."""
        typed, _ = self.of(TECHNICIAN, kiosk)
        return typed, sum(row.seconds for row in self.rows if row.kiosk == kiosk)

    def text(self) -> str:
        """Return the table, 80 columns wide at the most."""
        lines = [f"{'step':<50}{'who':<12}{'typed':>6}{'seconds':>10}", "-" * 78]
        lines += [f"{row.step:<50}{row.who:<12}{row.typed or '-':>6}{row.seconds:>10.1f}" for row in self.rows]
        lines.append("-" * 78)
        for kiosk in ADDRESSES:
            typed, seconds = self.set_up(kiosk)
            lines.append(f"{f'{kiosk}, from blank to accepted':<50}{TECHNICIAN:<12}{typed:>6}{seconds:>10.1f}")
        for who in (TECHNICIAN, OPERATOR, NOBODY):
            rows = [row for row in self.rows if row.who == who]
            typed = sum(row.typed for row in rows) or "-"
            lines.append(f"{'all steps':<50}{who:<12}{typed:>6}{sum(row.seconds for row in rows):>10.1f}")
        return "\n".join(line.rstrip() for line in lines) + "\n"


@dataclass(slots=True)
class Journey:
    """A centre, two kiosks, and how far they are. `stick` is carried between them."""

    origin: Origin
    centre: Post
    kiosks: dict[str, Post]
    stick: Path
    table: Table = field(default_factory=Table)
    pins: dict[str, str] = field(default_factory=dict)
    came: dict[str, int] = field(default_factory=dict)

    # --- the centre --------------------------------------------------------------------------------------------------

    def found_the_centre(self) -> None:
        """Make authority, broker and centre."""
        with self.table.step("centre: authority, broker, collector", OPERATOR, self.centre):
            self._install("centre", self.centre)
            self.centre.type(
                f"sudo landfall-provision ca init deployment --host {CENTRE}",
                {"Passphrase for the root key.*: ": f"{PASSPHRASE}\n", "Once more: ": f"{PASSPHRASE}\n"},
            )
            shown = self.centre.type("sudo landfall-provision centre install deployment")
            assert f"Kiosks enrol at https://{CENTRE}:8443" in shown, shown
            self.centre.wait_until("systemctl is-active landfall-broker landfall-collector landfall-enrolment")

    def write_bundle(self, name: str) -> None:
        """Write a kiosk's bundle to the stick, and keep its label."""
        with self.table.step(f"{name}: bundle and label", OPERATOR, self.centre, kiosk=name):
            shown = self.centre.type(
                f"sudo landfall-provision kiosk new --site {SITE} --kiosk {name} --settings lanes.toml --out {STICK}"
            )
            assert "   pin " in shown, shown
            self.pins[name] = shown.partition("   pin ")[2].split()[0]

    # --- a kiosk -----------------------------------------------------------------------------------------------------

    def set_up_by_code(self, name: str) -> None:
        """Install a bundle where the centre can be reached."""
        kiosk = self.kiosks[name]
        lay_cable(self.centre, kiosk, ADDRESSES[name])
        with self.table.step(f"{name}: set up, enrolled by code", TECHNICIAN, kiosk, kiosk=name):
            self._install("kiosk", kiosk)
            assert f"{SITE}/{name} is set up." in self._install_bundle(name)

    def set_up_by_stick(self, name: str) -> None:
        """Install a bundle where there is no network; the stick goes to the centre and back."""
        kiosk = self.kiosks[name]
        with self.table.step(f"{name}: set up, no network", TECHNICIAN, kiosk, kiosk=name):
            self._install("kiosk", kiosk)
            shown = self._install_bundle(name)
            assert "not yet: the centre does not answer" in shown, shown
            fingerprint = shown.partition("for this fingerprint:")[2].split()[0]
        with self.table.step(f"{name}: request from the stick signed", OPERATOR, self.centre, kiosk=name):
            shown = self.centre.type(
                f"sudo landfall-central enrol sign {STICK}/request*",
                {r"Fingerprint that the kiosk shows.*: ": f"{fingerprint}\n"},
            )
            assert "is enrolled" in shown, shown
        with self.table.step(f"{name}: answer taken from the stick", TECHNICIAN, kiosk, kiosk=name):
            assert f"{SITE}/{name} is set up." in self._install_bundle(name)
        lay_cable(self.centre, kiosk, ADDRESSES[name])

    def accept(self, name: str) -> None:
        """Walk through the guided check; the centre holds its report."""
        kiosk = self.kiosks[name]
        self._wait(name, lambda: kiosk.status()["uplink"]["state"] == "connected", "it is connected")
        reactions: Reactions = {
            r"\? +[^\n]*y = yes[^\n]*skip": "y",
            r"-> Scan any passport": lambda _: kiosk.put(DOORS, ""),
        }
        self.came[name] = 1
        with self.table.step(f"{name}: acceptance", TECHNICIAN, kiosk, kiosk=name):
            shown = kiosk.type("sudo landfall-provision accept --by A-1042", reactions)
            assert "\nACCEPTED" in shown, shown
        listed = self.centre.run("landfall-central acceptance list")
        assert f"{SITE}/{name}" in listed, listed

    def travellers_cross(self, name: str, more: int = TRAVELLERS) -> None:
        """Let more people come, and wait until all have left after a lamp."""
        kiosk, before = self.kiosks[name], self.came[name]
        kiosk.put("/etc/landfall/scenario.toml", scenario(before + 1, more))
        kiosk.run("systemctl restart landfall-kiosk")
        self._wait(name, lambda: kiosk.left() >= before + more, f"{before + more} have left")
        self.came[name] = before + more

    def crossings_received(self, name: str) -> None:
        """Let people cross and wait until the centre holds every record."""
        with self.table.step(f"{name}: {TRAVELLERS} travellers cross, all received", NOBODY, kiosk=f"{name} at work"):
            self.travellers_cross(name)
            self.drained(name)

    def backlog(self, name: str) -> int:
        """Return how many records of a kiosk await their receipt."""
        heads = self.kiosks[name].status()["queue"].values()
        return sum(head["next_sequence"] - 1 - head["held_up_to"] for head in heads)

    def drained(self, name: str) -> None:
        """Wait until no record awaits its receipt."""
        self._wait(name, lambda: self.backlog(name) == 0, "every record has its receipt")

    def _wait(self, name: str, is_so: Callable[[], bool], what: str) -> None:
        try:
            wait_until(is_so, WITHIN_S, f"{name}: {what}")
        except LandfallError as error:
            raise AssertionError(f"{error}\n{self.kiosks[name].journal()}") from None

    def _install(self, role: str, at: Post) -> None:
        if line := self.origin.install(role):
            at.type(line)

    def _install_bundle(self, name: str) -> str:
        """Type the line that installs a bundle; `y` is typed only if the pin is the label's."""
        kiosk = self.kiosks[name]

        def compare(screen: re.Match[str]) -> None:
            assert screen[1] == self.pins[name], "another pin than on the label"
            kiosk.press("y\n")

        pin = r"pin   (\S+)\s+Is this exactly the pin on the label\? \[y/N\] "
        return kiosk.type(f"sudo landfall-provision install {BUNDLES.format(name=name)}", {pin: compare})

    # --- later -------------------------------------------------------------------------------------------------------

    def certificate_renews_itself(self, name: str) -> None:
        """Let the centre's enrolment server tell today's time again, and the service of the kiosk's timer run.

        Nothing answers at the server's address any more: the connection of the kiosk's daemon is the only way.
        """
        kiosk, before = self.kiosks[name], self._certificates(name)
        self.centre.run("sed -i 's/^.enrolment.$/&\\nport = 9443/' /etc/landfall/central.toml")
        self.centre.run(f"rm {LONG_AGO} && systemctl daemon-reload && systemctl restart landfall-enrolment")
        since = "_SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID landfall-enrolment)"
        self.centre.wait_until(f"journalctl -o cat --no-pager {since} | grep 'kiosks renew through the broker'")
        with self.table.step(f"{name}: renewed by its timer, over the broker", NOBODY):
            kiosk.run("systemctl start landfall-renew")
            renewed = self._certificates(name) - before
            assert len(renewed) == 1, kiosk.run("journalctl -u landfall-renew -o cat --no-pager")
            self._wait(name, lambda: kiosk.status()["uplink"]["state"] == "connected", "it is connected")
        assert "renewal answered" in self.centre.run("journalctl -u landfall-enrolment -o cat --no-pager")

    def _certificates(self, name: str) -> set[str]:
        listed = json.loads(self.centre.run("landfall-central certificate list --json"))
        return {one["serial"] for one in listed if one["name"] == f"{SITE}/{name}" and one["revoked_at"] is None}

    def revoke(self, name: str) -> None:
        """Shut a kiosk out: nobody takes what it says from then on, and it keeps it."""
        with self.table.step(f"{name}: stolen, revoked, refused", OPERATOR, self.centre, kiosk=f"{name} revoked"):
            self.centre.type(f"sudo landfall-central certificate revoke --site {SITE} --kiosk {name}")
            self.centre.type("sudo systemctl restart landfall-broker")
            self._wait(name, lambda: "hung up" in json.dumps(self.kiosks[name].status()["uplink"]), "it is refused")
            self.travellers_cross(name, 3)
        assert not self._certificates(name)
        assert self.backlog(name) >= 3, "it is refused"

    def upgrade_with_a_backlog(self, name: str) -> None:
        """Upgrade while the centre is away and records wait; afterwards all of them arrive."""
        kiosk = self.kiosks[name]
        self.centre.run("systemctl stop landfall-broker")
        self.travellers_cross(name)
        before = self.backlog(name)
        assert before >= TRAVELLERS
        words = f"{name}: upgraded, {before} records waiting"
        with self.table.step(words, TECHNICIAN, kiosk, kiosk=f"{name} upgraded"):
            kiosk.type(self.origin.upgrade())
            kiosk.wait_until("systemctl is-active landfall-kiosk")
        assert self.backlog(name) >= before
        version = 'sqlite3.connect("/var/lib/landfall/cache.db").execute("PRAGMA user_version").fetchone()[0]'
        assert kiosk.run(f"python3 -c 'import sqlite3; print({version})'").strip() == "2"
        with self.table.step(f"{name}: the centre is back, all received", NOBODY):
            self.centre.run("systemctl start landfall-broker")
            self.travellers_cross(name)
            self.drained(name)

    def count(self, name: str) -> dict[str, int]:
        """Compare what a kiosk recorded with what the centre holds, and both with who left its lane."""
        counted = self.kiosks[name].run("landfall queue stats --json")
        self.centre.put("/run/count.json", counted)
        found = json.loads(self.centre.run("landfall-central reconcile --kiosk-count /run/count.json --json", ok=None))
        assert self.kiosks[name].left() == self.came[name]
        return found
