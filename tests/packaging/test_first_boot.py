"""The first boot with no keyboard, by a real systemd and a real cloud-init; the only network is a cable to the centre.

The boot partition is a folder of this machine that is mounted there, no FAT. The harness hands over the words of
`cmdline.txt`, as the boot loader does.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from edge.identity.certificates import utc_now
from provisioning.bundle import read_bundle
from tests.field.journey import SITE, Journey
from tests.field.machines import LANES, STICK, FromTree, Post, lay_cable, scenario, switch_on_network
from tests.harness.systemd_machine import SystemdMachine, is_possible
from tests.packaging.conftest import DIST
from tests.packaging.debian_root import built, root_of

pytestmark = [pytest.mark.debian, pytest.mark.timeout(1800)]

BOOT = "/boot/firmware"
WITHIN_S = 600.0
WIFI_PASSWORD = "correct horse ferry staple"
UNIT = "landfall-first-boot.service"
NETWORK = "/etc/NetworkManager/system-connections/landfall-wifi.nmconnection"
ROOTS_ALONE = "-rw------- root"
WHAT_WAS_MADE = "sha256sum /etc/landfall/kiosk.toml /etc/landfall/keys/* /etc/machine-id"
# As Raspberry Pi OS has it, without `resize`, and what Raspberry Pi Imager or a technician adds.
COMMAND_LINE = "console=tty1 root=PARTUUID=7351b90c-02 rootfstype=ext4 fsck.repair=yes rootwait"
BY_IMAGER = " cfg80211.ieee80211_regdom=DM ds=nocloud;i=rpi-imager-1763820000000"
RUN_ONCE = f" systemd.run={BOOT}/firstrun.sh systemd.run_success_action=reboot"
# As Raspberry Pi OS 13 configures cloud-init, and what Raspberry Pi Imager writes there for the settings that it asks.
SEED = """\
datasource_list: [ NoCloud, None ]
datasource:
  NoCloud:
    seedfrom: file:///boot/firmware
ssh_deletekeys: false
ssh_genkeytypes: []
"""
IMAGER = {
    "meta-data": "instance-id: rpi-imager-1763820000000\n",
    "user-data": "#cloud-config\nhostname: raspberrypi\nusers:\n- name: technician\n  shell: /bin/bash\n",
}

# As Raspberry Pi OS Lite asks for an account where there is none: `multi-user.target` waits for somebody to answer.
DIALOGUE = {
    "/etc/systemd/system/multi-user.target.d/userconfig.conf": "[Unit]\nWants=userconfig.service\n",
    "/etc/systemd/system/userconfig.service": "[Unit]\nConditionPathExists=!/etc/answered\n"
    "[Service]\nType=oneshot\nExecStart=sleep infinity\n",
}


@dataclass(frozen=True, slots=True)
class Office:
    """The centre, and the stick with what it wrote for each kiosk."""

    centre: Post
    stick: Path

    def first_boot_files(self, name: str, *names: str) -> list[str]:
        """Make a new kiosk known, and return these files of its folder."""
        self.centre.run(
            f"cd /root && landfall-provision kiosk new --site {SITE} --kiosk {name} --lanes lanes.toml --out {STICK}"
            " --wifi Ferry --wifi-password-file wifi-password"
        )
        return [(self.stick / f"{SITE}_{name}" / file).read_text() for file in names]

    def bundle(self, name: str) -> bytes:
        """Return a kiosk's bundle."""
        return (self.stick / f"{SITE}_{name}.landfall").read_bytes()


class Card:
    """A kiosk with a fresh card, its boot partition, and what must not be found on it."""

    def __init__(self, name: str, machine: SystemdMachine, partition: Path, office: Office) -> None:
        self.name, self.machine, self.partition = name, machine, partition
        self.kiosk = Post(name, machine)
        self._office = office

    def connect(self) -> None:
        """Lay the cable to the centre."""
        lay_cable(self._office.centre, self.kiosk, f"192.0.2.{10 + int(self.name[-2:])}")

    def restart(self) -> None:
        """Shut the machine down and start it again."""
        self.kiosk.run("systemctl reboot", ok=None)
        self.machine.wait_for_restart(WITHIN_S)
        self.kiosk.wait_until("systemctl is-active multi-user.target", WITHIN_S)

    def answer(self) -> None:
        """Answer the dialogue."""
        self.kiosk.run("touch /etc/answered && systemctl stop userconfig")

    def wait_until_set_up(self) -> None:
        """Wait until the first boot has done what it can, and has removed itself."""
        gone = f"! test -e /var/lib/landfall-provision && ! systemctl cat {UNIT}"
        self.kiosk.wait_until(f"test -e /etc/landfall/install.json && {gone}", WITHIN_S)

    def is_named(self) -> bool:
        """Tell whether the machine has its name everywhere."""
        host = f"{SITE}-{self.name}"
        shown = self.kiosk.run("hostname && cat /etc/hostname && getent hosts 127.0.1.1").split()
        return shown == [host, host, "127.0.1.1", host]

    def secrets(self) -> dict[str, str]:
        """Return mode and owner of each file in which the code, the password or a piece of the bundle stands."""
        bundle = self._office.bundle(self.name)
        code = read_bundle(bundle, utc_now()).enrolment.code
        piece = base64.b64encode(bundle)[76:152].decode()
        looked_for = "\n".join((code, WIFI_PASSWORD, base64.b64encode(WIFI_PASSWORD.encode()).decode(), piece))
        self.kiosk.put("/dev/shm/looked-for", looked_for + "\n")
        places = f"{BOOT} /etc /home /opt /root /run /srv /tmp /usr/local /var"
        shown = self.kiosk.run(
            f"grep -rlaF -D skip -f /dev/shm/looked-for {places} 2> /dev/null | xargs -r stat -c '%n %A %U'", ok=None
        )
        self.kiosk.run("rm /dev/shm/looked-for")
        return {path: f"{mode} {owner}" for path, mode, owner in map(str.split, shown.splitlines())}

    def readable_by_others(self) -> list[str]:
        """Return those of these files that somebody can read who is not root."""
        is_read = "runuser -u nobody -- cat {} > /dev/null 2>&1 && echo yes"
        return [path for path in self.secrets() if self.kiosk.run(is_read.format(path), ok=None)]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Return an office whose centre is at work."""
    if not is_possible():
        pytest.skip("needs root, systemd and unshare")
    folder = tmp_path_factory.mktemp("office")
    (stick := folder / "stick").mkdir()
    (newer := folder / "newer").mkdir()
    origin = FromTree(newer)
    files = {"/root/lanes.toml": LANES, "/root/wifi-password": f"{WIFI_PASSWORD}\n"}
    with Post("centre", origin.machine(folder / "centre", "centre", files, stick)) as centre:
        centre.log_in()
        switch_on_network(centre)
        Journey(origin, centre, {}, stick).found_the_centre()
        yield Office(centre, stick)


Insert = Callable[..., Card]
NOTHING: Mapping[str, str] = MappingProxyType({})


@pytest.fixture
def insert(tmp_path: Path, office: Office) -> Iterator[Insert]:
    """Return what switches on a kiosk with a card, whose boot partition holds these files."""
    with ExitStack() as stack:

        def switch_on(
            name: str, root: Path, boot: Mapping[str, str], files: Mapping[str, str] = NOTHING, *, package: bool = False
        ) -> Card:
            (partition := tmp_path / "boot").mkdir()
            for path, text in boot.items():
                (partition / path).write_text(text)
                (partition / path).chmod(0o755)  # a FAT partition has no modes, and shows all its files with this one
            if package:
                put_package(partition)
            own = {
                "/etc/landfall/scenario.toml": scenario(1, 1),
                "/etc/hosts": "127.0.0.1 localhost\n127.0.1.1 raspberrypi\n",
                "/etc/hostname": "raspberrypi\n",
            }
            command_line, binds = f"{BOOT}/cmdline.txt", {BOOT: partition}
            machine = SystemdMachine(tmp_path, "", {**own, **files}, root=root, binds=binds, command_line=command_line)
            card = Card(name, machine, partition, office)
            stack.enter_context(card.kiosk)
            return card

        yield switch_on


def cloud_config(suite: str) -> dict[str, str]:
    """Return where cloud-init looks; that of Debian 12 adds no slash itself."""
    text = SEED.replace(BOOT, f"{BOOT}/") if suite == "bookworm" else SEED
    return {"/etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg": text}


def put_package(partition: Path) -> None:
    shutil.copy(built("landfall-kiosk", DIST), partition)


@pytest.mark.parametrize(("suite", "name"), [("bookworm", "ferry-01"), ("trixie", "ferry-02")])
def test_cloud_init_makes_a_kiosk_of_a_fresh_card_once(insert: Insert, office: Office, suite: str, name: str) -> None:
    user_data, meta_data = office.first_boot_files(name, "user-data", "meta-data")
    boot = {"cmdline.txt": COMMAND_LINE, "user-data": user_data, "meta-data": meta_data}
    card = insert(name, root_of(suite, "", "cloud-init"), boot, cloud_config(suite) | DIALOGUE, package=True)
    card.connect()
    card.kiosk.wait_until("systemctl is-active landfall-kiosk", WITHIN_S)
    assert card.readable_by_others() == []
    card.answer()
    card.wait_until_set_up()
    assert card.is_named()
    assert "enabled" in card.kiosk.run("systemctl is-enabled landfall-kiosk landfall-renew.timer")
    assert card.secrets() == {NETWORK: ROOTS_ALONE}, "of what was secret only the Wi-Fi is needed"

    made = card.kiosk.run(WHAT_WAS_MADE)
    card.restart()
    card.kiosk.wait_until("systemctl is-active landfall-kiosk")
    assert card.kiosk.run(WHAT_WAS_MADE) == made
    assert card.is_named()
    assert card.secrets() == {NETWORK: ROOTS_ALONE}
    assert card.kiosk.run("systemctl is-active cloud-init-local cloud-final", ok=None).split() == ["inactive"] * 2


def test_a_package_that_is_missing_a_power_cut_and_no_network_only_delay_a_kiosk(
    insert: Insert, office: Office
) -> None:
    (vendor_data,) = office.first_boot_files("ferry-03", "user-data")
    boot = {"cmdline.txt": COMMAND_LINE + BY_IMAGER, "vendor-data": vendor_data, **IMAGER}
    card = insert("ferry-03", root_of("trixie", "", "cloud-init"), boot, cloud_config("trixie"))
    kiosk = card.kiosk
    kiosk.wait_until(f"systemctl is-failed {UNIT}", WITHIN_S)
    said = kiosk.run(f"journalctl -u {UNIT} -o cat --no-pager")
    assert "put landfall-kiosk_*_" in said
    assert "onto the boot partition, and start this machine again" in said
    assert not (card.partition / "vendor-data").exists()
    assert "technician" in kiosk.run("id technician"), "what the technician asked of Raspberry Pi Imager is done"

    put_package(card.partition)
    card.restart()
    kiosk.wait_until("test -e /opt/landfall/lib", WITHIN_S)
    assert kiosk.run("dpkg-query -W -f '${Status}' landfall-kiosk") != "install ok installed"
    card.machine.cut_power()
    card.wait_until_set_up()
    assert kiosk.run("dpkg --verify landfall-kiosk") == ""
    assert kiosk.run("systemctl is-active landfall-kiosk landfall-renew.timer", ok=None).split() == [
        "inactive",
        "active",
    ]
    assert card.is_named()
    assert card.readable_by_others() == []

    card.connect()
    kiosk.run("systemctl start landfall-renew")  # as its timer does after each start
    kiosk.wait_until("systemctl is-active landfall-kiosk")
    assert card.secrets() == {NETWORK: ROOTS_ALONE}


def test_raspberry_pi_os_12_runs_the_script_once_starts_again_and_is_a_kiosk(insert: Insert, office: Office) -> None:
    (script,) = office.first_boot_files("ferry-04", "firstrun.sh")
    boot = {"cmdline.txt": f"{COMMAND_LINE}{RUN_ONCE}\n", "firstrun.sh": script}
    card = insert("ferry-04", root_of("bookworm"), boot, DIALOGUE, package=True)
    card.machine.wait_for_restart(WITHIN_S)
    assert (card.partition / "cmdline.txt").read_text() == f"{COMMAND_LINE}\n"
    card.connect()
    card.wait_until_set_up()
    card.kiosk.wait_until("systemctl is-active landfall-kiosk")
    assert card.is_named()
    assert sorted(path.suffix for path in card.partition.iterdir()) == [".deb", ".txt"]
    assert card.secrets() == {NETWORK: ROOTS_ALONE}

    card.answer()
    made = card.kiosk.run(WHAT_WAS_MADE)
    card.restart()
    card.kiosk.wait_until("systemctl is-active landfall-kiosk")
    assert card.kiosk.run(WHAT_WAS_MADE) == made
