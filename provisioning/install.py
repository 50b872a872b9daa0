"""What `landfall-provision install` does on a kiosk: a bundle becomes settings, keys, network and a running daemon.

Owns the steps and their order. Always true: a step makes something so, whether or not it is so already, and says
which; every file is there whole or not at all; so a machine that lost its power anywhere is brought to the same end by
the same command again. The journal tells a human how far it got, and spares the question for a
bundle to which somebody said yes; no step depends on it.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from edge import config as kiosk_config
from edge.errors import ProvisioningError, SettingError
from edge.identity.enrolment import MAX_ANSWER_BYTES, answer_name, encode, request_name
from edge.identity.key_files import make_folder, remove_drafts, replace
from provisioning import bundle as parts
from provisioning.bundle import Bundle, Enrolment
from provisioning.centre_call import CentreCall, CentreSilent
from provisioning.daemon_call import DaemonCall
from provisioning.kiosk_keys import KioskKeys, is_due

JOURNAL = "install.json"
KIOSK_UNIT, RENEW_TIMER = "landfall-kiosk.service", "landfall-renew.timer"
_WIFI_OFF = """\
but Wi-Fi is switched off until the machine knows
      its country. With DM for Dominica:
          sudo raspi-config nonint do_wifi_country DM"""
UNITS = ("landfall-clock-floor.service", KIOSK_UNIT, RENEW_TIMER)

Say = Callable[[str], None]


class Journal(msgspec.Struct, frozen=True):
    """How far an installation got, for a human who finds the machine."""

    bundle: str
    kiosk: str
    done: tuple[str, ...] = ()
    is_finished: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """Where things are on the machine that is set up: this one, or an image that is mounted at `root`."""

    root: Path
    now: Callable[[], datetime]

    @property
    def is_running(self) -> bool:
        """Tell whether this is the machine that runs, and not an image of one."""
        return self.root == Path("/")

    @property
    def settings(self) -> Path:
        """Return the folder of the settings."""
        return self.root / "etc/landfall"

    @property
    def keys(self) -> KioskKeys:
        """Return the kiosk's keys."""
        return KioskKeys(self.settings / "keys")

    @property
    def network(self) -> Path:
        """Return where NetworkManager keeps connections."""
        return self.root / "etc/NetworkManager/system-connections"

    def enrolment(self) -> Enrolment | None:
        """Return where this machine enrols, and the code as long as it is needed; None before the first bundle."""
        try:
            return msgspec.json.decode((self.settings / "keys/enrolment.json").read_bytes(), type=Enrolment)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:
            raise ProvisioningError("keys/enrolment.json is damaged", remedy="install the bundle again") from None

    def daemon(self) -> DaemonCall:
        """Return the way to the daemon; raise `CentreSilent` where there can be none."""
        try:
            settings = kiosk_config.load(self.settings / parts.SETTINGS)
        except SettingError as error:
            raise CentreSilent(error.message) from None
        return DaemonCall(settings.resolve(settings.control.socket))

    def begun(self) -> Journal | None:
        """Return how far the last installation got; None when there was none, or that cannot be told."""
        try:
            return msgspec.json.decode((self.settings / JOURNAL).read_bytes(), type=Journal)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def centre(self, enrolment: Enrolment) -> CentreCall:
        """Return the way to the centre."""
        return CentreCall(enrolment.address, self.keys.folder / "ca.crt")


@dataclass(frozen=True, slots=True)
class Installation:
    """One bundle on one machine. `is_online` lets the kiosk enrol by itself.

    `stick` is the folder that the bundle came from, where an answer of the centre to this kiosk's request may lie.
    """

    bundle: Bundle
    machine: Machine
    is_online: bool = True
    stick: Path | None = None

    def check(self) -> None:
        """Raise `ProvisioningError` when this machine cannot take this bundle, before anything is changed."""
        before = self.machine.enrolment()
        if before is not None and before.kiosk != self.bundle.kiosk:
            raise ProvisioningError(
                f"this machine is {before.kiosk} already, and the bundle is for {self.bundle.kiosk}",
                remedy="take the bundle with this kiosk's name, or a new card",
            )

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        """Return what is done, in order: words for the screen, and what does it and says how it went."""
        return [
            ("Set a clock that is behind", self._clock),
            ("Trust the authority", self._authority),
            ("Write settings", self._settings),
            ("Set up the network", self._network),
            ("Make this kiosk's own keys", self._keys),
            ("Enrol at the centre", self._enrol),
            ("Start the kiosk", self._start),
        ]

    def run(self, say: Say) -> bool:
        """Do every step and say so; return whether the kiosk is enrolled.

        Raises `ProvisioningError` at a step that cannot be done. A centre that does not answer stops nothing: the
        machine goes on asking by itself.
        """
        self.check()
        self.machine.settings.mkdir(parents=True, exist_ok=True)
        for folder in (self.machine.settings, self.machine.keys.folder, self.machine.network):
            remove_drafts(folder)
        journal = Journal(self.bundle.sha256, self.bundle.kiosk)
        steps = self.steps()
        self._note(journal)
        for number, (words, do) in enumerate(steps, 1):
            say(f"[{number}/{len(steps)}] {words} ...")
            say(f"      {do()}")
            journal = msgspec.structs.replace(journal, done=(*journal.done, words))
            self._note(journal)
        is_enrolled = self._certificate() is not None
        self._note(msgspec.structs.replace(journal, is_finished=is_enrolled))
        return is_enrolled

    def _note(self, journal: Journal) -> None:
        replace(self.machine.settings / JOURNAL, msgspec.json.encode(journal) + b"\n")

    def _clock(self) -> str:
        made_at = self.bundle.made_at
        if self.machine.now() >= made_at:
            return "is not behind"
        if not self.machine.is_running:
            return "left to the machine itself"
        time.clock_settime(time.CLOCK_REALTIME, made_at.timestamp())
        return f"set to {made_at:%Y-%m-%d %H:%M} UTC, when the bundle was made"

    def _authority(self) -> str:
        return told_change(self.machine.keys.pin(parts.trust_of(self.bundle)))

    def _settings(self) -> str:
        settings, members = self.machine.settings, self.bundle.members
        is_new = _put(settings / parts.SETTINGS, members[parts.SETTINGS])
        if parts.TRUST_LIST in members:
            is_new = _put(settings / parts.TRUST_LIST, members[parts.TRUST_LIST]) or is_new
        enrolment = self.bundle.enrolment
        if self._certificate() is not None:
            enrolment = msgspec.structs.replace(enrolment, code="")
        return told_change(
            _put(self.machine.keys.folder / "enrolment.json", msgspec.json.encode(enrolment), 0o600) or is_new
        )

    def _network(self) -> str:
        wanted, folder = self.bundle.network, self.machine.network
        old = [path for path in folder.glob("landfall-*.nmconnection") if path.name not in wanted]
        for path in old:
            path.unlink()
        if wanted:
            make_folder(folder)
        put = [_put(folder / name, text, 0o600) for name, text in wanted.items()]
        if not put and not old:
            return "nothing to set up: a cable and DHCP"
        if self.machine.is_running and shutil.which("nmcli"):
            run_command("nmcli", "connection", "reload")
        told = told_change(any(put) or bool(old))
        if any(name.startswith("landfall-wifi") for name in wanted) and is_wifi_off(self.machine.root):
            return f"{told}; {_WIFI_OFF}"
        return told

    def _keys(self) -> str:
        return "made; they never leave this machine" if self.machine.keys.make_missing() else "were there"

    def _certificate(self) -> object:
        keys = self.machine.keys
        return keys.certificate(self.bundle.kiosk) if (keys.folder / "client.key").exists() else None

    def _enrol(self) -> str:
        if self._certificate() is not None:
            forget_code(self.machine)
            return f"{self.bundle.kiosk} is enrolled"
        if self.stick is not None and (answer := self.stick / answer_name(self.bundle.kiosk)).exists():
            return self._take(answer)
        if not self.is_online:
            return "not yet: by stick"
        try:
            return see_to_certificate(self.machine).told
        except CentreSilent as error:
            return f"not yet: {error.message}"

    def _take(self, answer: Path) -> str:
        try:
            take_answer(self.machine, self.bundle.kiosk, answer)
        except ProvisioningError as error:
            remedy = f"{error.remedy or 'ask the centre for another'}; remove the file, and run this again"
            raise ProvisioningError(f"{answer}: {error.message}", remedy=remedy) from None
        return f"{self.bundle.kiosk} is enrolled, by the answer on the stick"

    def _start(self) -> str:
        if not shutil.which("systemctl") or not all(_has_unit(self.machine.root, unit) for unit in UNITS):
            return "left to you: Landfall's systemd units are not here"
        if not self.machine.is_running:
            run_command("systemctl", f"--root={self.machine.root}", "enable", *UNITS)
            return "it starts when this image does"
        run_command("systemctl", "enable", *UNITS)
        run_command("systemctl", "start", RENEW_TIMER)
        if self._certificate() is None:
            return "once it is enrolled"
        run_command("systemctl", "restart", KIOSK_UNIT)
        return "done"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found and done about a certificate. `is_new` says that the daemon has to read its files again."""

    told: str
    is_new: bool


def see_to_certificate(machine: Machine) -> Seen:
    """Enrol with the code that waits, renew what ends soon, take the centre's new keys: what is due, nothing else.

    Raises `CentreSilent` when the centre cannot be reached, `ProvisioningError` when it refuses.
    """
    enrolment, keys = machine.enrolment(), machine.keys
    if enrolment is None:
        raise _no_kiosk()
    certificate, centre = keys.certificate(enrolment.kiosk), machine.centre(enrolment)
    if certificate is None:
        if not enrolment.code:
            raise ProvisioningError(
                "there is no certificate, and no code to get one", remedy="ask the centre for a new bundle or code"
            )
        keys.accept(centre.enrol(keys.request(enrolment.kiosk), enrolment.code), enrolment.kiosk, machine.now())
        forget_code(machine)
        return Seen(f"{enrolment.kiosk} is enrolled", is_new=True)
    try:
        is_renewal, is_new = is_due(certificate, machine.now()), False
        if not is_renewal:
            token = centre.centre_keys()
            is_new = keys.accept_centre_keys(token, machine.now())
            is_renewal = keys.is_of_another_issuer(token, machine.now())
        if is_renewal:
            answer = centre.renew(keys.request(enrolment.kiosk))
            is_new = keys.accept(answer, enrolment.kiosk, machine.now()) or is_new
    except CentreSilent as error:
        is_new = _through_the_daemon(machine, enrolment.kiosk, error)
    found = keys.certificate(enrolment.kiosk)
    told = f"good until {found.not_valid_after_utc:%Y-%m-%d}"
    if found != certificate:
        return Seen(f"renewed, {told}", is_new)
    return Seen(f"{told}, and the centre has new keys" if is_new else told, is_new)


def _through_the_daemon(machine: Machine, kiosk: str, silent: CentreSilent) -> bool:
    """Ask through the broker, where the enrolment server is out of reach; the answer has certificate and keys alike."""
    try:
        answer = machine.daemon().renew(machine.keys.request(kiosk))
    except CentreSilent as error:
        raise CentreSilent(f"{silent.message}; by the broker: {error.message}", remedy=silent.remedy) from None
    return machine.keys.accept(answer, kiosk, machine.now())


def write_request(machine: Machine, kiosk: str, stick: Path) -> tuple[Path, str]:
    """Write this kiosk's request to a stick; return where, and its fingerprint. Raises OSError."""
    machine.keys.make_missing()
    request = machine.keys.request(kiosk)
    path = stick / request_name(kiosk)
    replace(path, encode(request))
    return path, request.fingerprint


def take_answer(machine: Machine, kiosk: str, file: Path) -> None:
    """Take the centre's answer from a file; raise `ProvisioningError` for one that is not for this kiosk's keys."""
    with file.open("rb") as opened:
        token = opened.read(MAX_ANSWER_BYTES + 1)
    machine.keys.accept(token.decode("ascii", "replace").strip(), kiosk, machine.now())
    forget_code(machine)


def take_code(machine: Machine, code: str) -> None:
    """Keep a one-time code until it was used; raise `ProvisioningError` where no bundle was installed."""
    enrolment = machine.enrolment()
    if enrolment is None:
        raise _no_kiosk()
    machine.keys.make_missing()
    _keep_code(machine, enrolment, code.strip())


def forget_code(machine: Machine) -> None:
    """Remove the one-time code, which is of no more use."""
    enrolment = machine.enrolment()
    if enrolment is not None and enrolment.code:
        _keep_code(machine, enrolment, "")


def _keep_code(machine: Machine, enrolment: Enrolment, code: str) -> None:
    kept = msgspec.structs.replace(enrolment, code=code)
    replace(machine.keys.folder / "enrolment.json", msgspec.json.encode(kept), 0o600)


def restart_kiosk(machine: Machine) -> None:
    """Let the daemon read its new files: systemd hands credentials over at the start alone."""
    if machine.is_running and _has_unit(machine.root, KIOSK_UNIT) and shutil.which("systemctl"):
        run_command("systemctl", "restart", KIOSK_UNIT)


def _no_kiosk() -> ProvisioningError:
    return ProvisioningError("this machine is no kiosk yet", remedy="landfall-provision install BUNDLE")


def machine_at(root: Path) -> Machine:
    """Return the machine whose files are below `root`."""
    return Machine(root, lambda: datetime.now(UTC).replace(microsecond=0))


def _put(path: Path, content: bytes, mode: int = 0o644) -> bool:
    """Make a file hold `content` with this mode, and say whether that changed anything."""
    if path.exists() and path.read_bytes() == content and path.stat().st_mode & 0o777 == mode:
        return False
    replace(path, content, mode)
    return True


def told_change(is_new: bool) -> str:
    """Return how a step went that was to make something so."""
    return "done" if is_new else "was so already"


def is_wifi_off(root: Path) -> bool:
    """Tell whether a switch of the kernel keeps Wi-Fi off, as a Raspberry Pi does until it is told its country."""
    switches = (root / "sys/class/rfkill").glob("rfkill*")
    return any(
        (switch / "type").read_text().strip() == "wlan" and (switch / "soft").read_text().strip() == "1"
        for switch in switches
    )


def _has_unit(root: Path, unit: str) -> bool:
    return any((root / folder / unit).exists() for folder in ("etc/systemd/system", "usr/lib/systemd/system"))


def run_command(*words: str) -> None:
    """Run a command of the system to its end; raise `ProvisioningError` with its last words when it fails."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise ProvisioningError(f"`{' '.join(words)}` failed: {said}", remedy="mend that, and run this again")
