import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNITS = sorted(path.name for path in SYSTEMD.glob("*.service"))
DAEMONS = [
    "landfall-broker.service",
    "landfall-collector.service",
    "landfall-console.service",
    "landfall-kiosk.service",
    "landfall-watch.service",
]
OURS = DAEMONS[1:]  # the broker is mosquitto, which systemd need not watch: kiosks keep what it does not take
CLOCK_FLOOR = "landfall-clock-floor.service"
ENROLMENT = "landfall-enrolment.service"
IDENTITY = ["landfall-crl.service", ENROLMENT, "landfall-renew.service"]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users: run as root")


def settings(unit):
    """Return every `Key=value` of a unit, in order."""
    lines = (SYSTEMD / unit).read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("=", 1)) for line in lines if line and line[0] not in "#["]


def values(unit, key):
    return [value for name, value in settings(unit) if name == key]


def run(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module", autouse=True)
def _systemd_is_installed():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: apt-get install systemd")


def test_every_unit_is_there():
    assert sorted([*DAEMONS, CLOCK_FLOOR, *IDENTITY]) == UNITS


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_has_nothing_to_say_against_the_unit(unit, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("landfall", "landfall-central", "landfall-provision", "python"):
        (programs / name).symlink_to("/bin/true")
    text = (SYSTEMD / unit).read_text(encoding="utf-8")
    (tmp_path / unit).write_text(text.replace("/opt/landfall/bin/", f"{programs}/"), encoding="utf-8")
    verified = run("systemd-analyze", "verify", "--man=no", str(tmp_path / unit))
    assert (verified.stdout, verified.stderr, verified.returncode) == ("", "", 0)


@pytest.mark.parametrize("unit", UNITS)
def test_the_unit_is_exposed_to_1_5_of_10_at_the_most(unit):
    judged = run("systemd-analyze", "security", "--offline=true", "--threshold=15", str(SYSTEMD / unit))
    assert judged.returncode == 0, judged.stdout


@pytest.mark.parametrize("unit", [*DAEMONS, ENROLMENT])
def test_keys_and_travellers_stay_out_of_swap_and_dumps(unit):
    assert values(unit, "LimitCORE") == ["0"]
    assert values(unit, "MemorySwapMax") == ["0"]


@pytest.mark.parametrize("unit", [unit for unit in DAEMONS if unit != "landfall-console.service"])
def test_every_key_is_handed_over_as_a_credential_under_its_own_name(unit):
    credentials = [value.split(":") for value in values(unit, "LoadCredential")]
    assert [Path(path).name for _, path in credentials] == [name for name, _ in credentials]
    folder = "/etc/landfall/broker" if unit == "landfall-broker.service" else "/etc/landfall/keys"
    assert {str(Path(path).parent) for _, path in credentials} == {folder}


def test_the_kiosk_never_holds_what_opens_a_letter_or_signs_a_receipt():
    names = {value.split(":")[0] for value in values("landfall-kiosk.service", "LoadCredential")}
    assert names == {
        "record.key.json",
        "client.key",
        "client.crt",
        "ca.crt",
        "opening.pub.json",
        "receipt.pub.json",
    }


def test_the_console_is_given_no_key_and_runs_as_nobody_who_has_one():
    assert values("landfall-console.service", "LoadCredential") == []
    assert values("landfall-console.service", "User") != values("landfall-collector.service", "User")


@pytest.mark.parametrize("unit", [*DAEMONS, ENROLMENT])
def test_the_daemon_is_never_given_up(unit):
    assert values(unit, "Type") == ["notify"]
    assert values(unit, "Restart") == ["always"]
    assert values(unit, "StartLimitIntervalSec") == ["0"]


def test_who_watches_and_who_shows_holds_no_key_of_records():
    for unit in ("landfall-watch.service", "landfall-console.service"):
        names = {value.split(":")[0] for value in values(unit, "LoadCredential")}
        assert not any(name.endswith(".json") for name in names), unit


@pytest.mark.parametrize("unit", [*OURS, ENROLMENT])
def test_the_daemon_is_watched(unit):
    assert int(values(unit, "WatchdogSec")[0]) > 0


@pytest.mark.parametrize("unit", UNITS)
def test_everything_of_landfall_is_in_its_slice(unit):
    assert values(unit, "Slice") == ["landfall.slice"]


@pytest.mark.parametrize("unit", UNITS)
def test_nothing_waits_for_a_network_that_is_online_or_for_the_right_time(unit):
    said = [value for key, value in settings(unit) if key in ("After", "Wants", "Requires", "BindsTo", "Requisite")]
    assert not [value for value in said if "network-online" in value or "time-sync" in value]


def test_however_the_kiosk_ended_its_outputs_are_put_safe():
    _, *words = values("landfall-kiosk.service", "ExecStopPost")[0].split()
    shown = run(sys.executable, *words[:2], "--help")
    assert (words[:2], words[2] in shown.stdout, shown.stderr) == (["-m", "edge.safe_outputs"], True, "")


def test_the_kiosk_starts_without_network_and_without_the_right_time():
    waits = " ".join(
        value for key, value in settings("landfall-kiosk.service") if key in ("After", "Wants", "Requires", "BindsTo")
    )
    assert waits == "landfall-renew.path", "which waits for nothing, and nobody waits for it"
    assert values("landfall-renew.path", "After") == ["landfall-kiosk.service"]


def test_the_clock_is_raised_before_the_kiosk_starts_and_without_waiting_for_the_right_time():
    assert values(CLOCK_FLOOR, "Before") == values(CLOCK_FLOOR, "WantedBy") == ["landfall-kiosk.service"]
    assert values(CLOCK_FLOOR, "After") == []
    assert values(CLOCK_FLOOR, "Type") == ["oneshot"]


def test_what_raises_the_clock_may_do_nothing_else_and_is_not_root():
    assert values(CLOCK_FLOOR, "User") == values("landfall-kiosk.service", "User")
    assert values(CLOCK_FLOOR, "CapabilityBoundingSet") == ["CAP_SYS_TIME"]
    assert values(CLOCK_FLOOR, "PrivateNetwork") == ["yes"]


def test_what_raises_the_clock_is_a_module_with_the_option_that_the_unit_gives():
    _, *words = values(CLOCK_FLOOR, "ExecStart")[0].split()
    shown = run(sys.executable, *words[:2], "--help")
    assert (words[2] in shown.stdout, shown.stderr) == (True, "")


def test_the_kiosk_may_use_readers_panel_and_camera_and_no_other_device():
    assert values("landfall-kiosk.service", "DevicePolicy") == ["closed"]
    assert [
        value.removesuffix(" r").removesuffix(" rw") for value in values("landfall-kiosk.service", "DeviceAllow")
    ] == [
        "char-ttyUSB",
        "char-ttyACM",
        "char-ttyAMA",
        "char-ttyS",
        "char-input",
        "char-gpiochip",
        "char-video4linux",
        "char-media",
        "char-dma_heap",
    ]


@pytest.mark.parametrize("unit", DAEMONS)
def test_the_units_user_is_one_that_sysusers_makes(unit):
    name = unit.removesuffix(".service")
    text = (SYSTEMD / "sysusers.d" / f"{name}.conf").read_text(encoding="utf-8")
    assert re.findall(r"^u (\S+) ", text, re.MULTILINE) == values(unit, "User")


@as_root
def test_users_and_folders_come_out_as_described(tmp_path):
    (tmp_path / "etc").mkdir()
    confs = sorted(str(path) for path in (SYSTEMD / "sysusers.d").glob("*.conf"))
    assert run("systemd-sysusers", f"--root={tmp_path}", *confs).returncode == 0
    groups = dict(line.split(":")[::3] for line in (tmp_path / "etc" / "group").read_text().splitlines())
    assert {name: groups[name] for name in ("dialout", "gpio", "video")} == dict.fromkeys(
        ("dialout", "gpio", "video"), "landfall"
    )
    assert (tmp_path / "etc" / "passwd").read_text().count("/usr/sbin/nologin") == 5

    confs = sorted(str(path) for path in (SYSTEMD / "tmpfiles.d").glob("*.conf"))
    made = run("systemd-tmpfiles", f"--root={tmp_path}", "--create", *confs)
    assert (made.returncode, made.stderr) == (0, "")
    assert (tmp_path / "etc" / "landfall" / "keys").stat().st_mode & 0o7777 == 0o700
    assert (tmp_path / "etc" / "landfall" / "broker").stat().st_mode & 0o7777 == 0o2750


@pytest.mark.parametrize(
    ("unit", "room"),
    [
        ("landfall-kiosk.service", "edge"),
        ("landfall-collector.service", "central"),
        ("landfall-console.service", "central"),
        ("landfall-watch.service", "central"),
    ],
)
def test_the_command_of_the_unit_is_one_that_the_room_knows(unit, room):
    _, verb, option, _ = values(unit, "ExecStart")[0].split()
    shown = run(sys.executable, "-m", f"{room}.cli", verb, "--help")
    assert shown.returncode == 0, shown.stderr
    assert option in shown.stdout


@pytest.mark.parametrize(
    ("folder", "section", "programs"),
    [
        ("journald.conf.d", "Journal", ["/lib/systemd/systemd-journald"]),
        ("system.conf.d", "Manager", ["/lib/systemd/systemd", "/usr/lib/*/systemd/libsystemd-core-*.so"]),
    ],
)
def test_systemd_knows_every_setting_of_a_drop_in(folder, section, programs):
    """An unknown one would be ignored with a line in a log; the programs hold the names that they know."""
    text = b"".join(path.read_bytes() for program in programs for path in Path("/").glob(program.lstrip("/")))
    for path in (SYSTEMD / folder).glob("*.conf"):
        parser = configparser.ConfigParser(interpolation=None)
        parser.optionxform = str
        parser.read(path, encoding="utf-8")
        assert parser.sections() == [section]
        assert [key for key in parser[section] if not re.search(rf"(\0|{section}\.){key}\0".encode(), text)] == []


def test_no_memory_is_dumped_and_a_kernel_that_is_lost_starts_again():
    lines = (SYSTEMD / "sysctl.d" / "60-landfall.conf").read_text(encoding="utf-8").splitlines()
    found = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert found["kernel.core_pattern"] == "|/bin/false"
    assert found["fs.suid_dumpable"] == "0"
    assert int(found["kernel.panic"]) > 0
    assert [key for key in found if not Path("/proc/sys", *key.split(".")).exists()] == []


def test_the_boards_watchdog_counts_no_further_than_a_raspberry_pi_can():
    text = (SYSTEMD / "system.conf.d" / "60-landfall-watchdog.conf").read_text(encoding="utf-8")
    assert 1 < int(re.search(r"^RuntimeWatchdogSec=(\d+)s$", text, re.MULTILINE)[1]) < 15
