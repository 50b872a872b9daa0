"""What the folder `debian` says, against the rest of the tree. Whether the packages work, `make deb-test` tells."""

from __future__ import annotations

import configparser
import email
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEBIAN = ROOT / "debian"
PACKAGES = ("landfall-kiosk", "landfall-central")
# The two packages never meet on one machine, so what both need each brings.
IN_BOTH = {"systemd/landfall.slice", "systemd/sysctl.d/60-landfall.conf", "systemd/tmpfiles.d/landfall.conf"}
SCRIPTS = sorted(
    path.name for path in DEBIAN.glob("*.p*") if path.suffix in {".preinst", ".postinst", ".prerm", ".postrm"}
)
RULES = (DEBIAN / "rules").read_text(encoding="utf-8")


def shipped(package: str) -> list[str]:
    return [line.split()[0] for line in (DEBIAN / f"{package}.install").read_text("utf-8").splitlines()]


def control() -> dict[str, email.message.Message]:
    """Return the stanza of each package, and that of the source as the empty name."""
    stanzas = (DEBIAN / "control").read_text(encoding="utf-8").split("\n\n")
    return {stanza["Package"] or "": stanza for stanza in map(email.message_from_string, stanzas)}


@pytest.fixture(scope="module")
def setup_cfg():
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def test_each_unit_and_setting_of_the_machine_is_shipped_by_exactly_one_package():
    kiosk, central = map(shipped, PACKAGES)
    there = {str(path.relative_to(ROOT)) for path in (ROOT / "systemd").rglob("*") if path.is_file()}
    assert len(set(kiosk)) == len(kiosk) and len(set(central)) == len(central)
    assert {path for path in {*kiosk, *central} if path.startswith("systemd/")} == there
    assert {path for path in kiosk if path in central and path.startswith("systemd/")} == IN_BOTH


@pytest.mark.parametrize("package", PACKAGES)
def test_the_users_of_a_unit_come_with_its_package(package):
    texts = {path: (ROOT / path).read_text("utf-8") for path in shipped(package) if path.startswith("systemd/")}
    made = {user for path, text in texts.items() if "sysusers" in path for user in re.findall(r"^u (\S+)", text, re.M)}
    used = {user for text in texts.values() for user in re.findall(r"^User=(\S+)", text, re.M)}
    assert used and used == made


def test_every_unit_that_can_be_switched_on_is_one_that_the_rules_know():
    can_be = {
        path.name for path in (ROOT / "systemd").glob("landfall-*.*") if "\n[Install]\n" in path.read_text("utf-8")
    }
    known = set(re.findall(r"landfall-[a-z-]+\.(?:service|timer)", RULES))
    assert known == can_be


@pytest.mark.parametrize("package", PACKAGES)
def test_every_command_has_a_manual_and_completions_for_three_shells(package, setup_cfg):
    of_package = re.search(rf"\$\({package.split('-')[1].upper()}\)/opt/landfall((?:[\s\\]+landfall[a-z-]*)+)", RULES)[
        1
    ]
    commands = re.findall(r"landfall[a-z-]*", of_package)
    assert len(commands) == 2
    manuals = (DEBIAN / f"{package}.manpages").read_text("utf-8").split()
    files = [Path(path).name for path in shipped(package)]
    for command in commands:
        assert f"\n{command} = " in setup_cfg["options.entry_points"]["console_scripts"]
        assert f"debian/manuals/man/{command}.1" in manuals
        assert {command, f"_{command}", f"{command}.fish"} <= set(files)


def test_the_packages_want_the_pythons_whose_libraries_they_bring(setup_cfg):
    pythons = re.search(r"^pythons=\((.*)\)", (DEBIAN / "assemble").read_text("utf-8"), re.M)[1].split()
    assert pythons == ["3.11", "3.13"]
    assert setup_cfg["options"]["python_requires"] == f">={pythons[0]}"
    wanted = {"python3 (>= 3.11~)", "python3 (<< 3.12) | python3 (>= 3.13~)", "python3 (<< 3.14)"}
    for package in PACKAGES:
        assert wanted <= set(re.split(r",\s+", control()[package]["Depends"]))


def test_what_a_wheel_cannot_bring_the_kiosk_asks_debian_for():
    assert set(control()["landfall-kiosk"]["Recommends"].split(", ")) == {"python3-lgpio", "python3-picamera2"}


def test_kiosk_and_centre_cannot_be_on_one_machine():
    assert control()["landfall-kiosk"]["Conflicts"] == "landfall-central"
    assert control()["landfall-central"]["Conflicts"] == "landfall-kiosk"


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_maintainer_script_stops_at_errors_and_the_shell_understands_it(script):
    text = (DEBIAN / script).read_text("utf-8")
    assert "\nset -e\n" in text and "\n#DEBHELPER#\n" in text
    assert subprocess.run(["sh", "-n"], input=text, text=True).returncode == 0


def test_the_older_package_names_the_version_of_its_store_in_one_place():
    assert (DEBIAN / "landfall-kiosk.preinst").read_text("utf-8").count('--to "#STORE_VERSION#" ') == 1
    assert "dh_installdeb -DSTORE_VERSION=" in RULES
