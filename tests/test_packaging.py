import ast
import configparser
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.harness.skip_policy import SECTION, allowed_skips

ROOT = Path(__file__).parents[1]
LOCKS = ROOT / "provisioning" / "locks"
PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = ("x86_64", "aarch64")
OURS = {"edge", "hw", "central", "provisioning", "bench", "tests"}
FROM_APT_ALONE = {"picamera2", "libcamera"}
# bench/peers/thingsboard.py runs in a virtual environment of its own, which the bench makes and throws away.
IN_A_VENV_OF_THEIR_OWN = {"tb_gateway_mqtt", "thingsboard_gateway"}
FOR_OTHER_SYSTEMS = {"colorama", "tzdata", "httpx2-jsfetch"}  # the two for Windows, the last for Python in a browser
FROM_APT = {"3.13": {"lgpio"}}  # PyPI has no wheel of it for this Python


@pytest.fixture(scope="module")
def setup_cfg():
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def lines(text):
    return [line.strip() for line in text.strip().splitlines() if line.strip() and not line.lstrip().startswith("#")]


def locked(name):
    """Return what a lock file pins: name -> (requirement, hashes)."""
    pinned = {}
    for block in re.split(r"\n(?=\S)", (LOCKS / name).read_text(encoding="utf-8")):
        requirement = Requirement(block.split("\\\n")[0].strip())
        assert canonicalize_name(requirement.name) not in pinned, f"{name} pins {requirement.name} twice"
        pinned[canonicalize_name(requirement.name)] = requirement, re.findall(r"--hash=(sha256:[0-9a-f]{64})", block)
    return pinned


def wanted(setup_cfg, *extras):
    texts = [setup_cfg["options"]["install_requires"]] + [setup_cfg["options.extras_require"][e] for e in extras]
    return [Requirement(line) for text in texts for line in lines(text)]


LOCKED_EXTRAS = {
    "kiosk.txt": ("pi",),
    "central.txt": ("central", "provisioning"),
    "development.txt": ("central", "provisioning", "bench", "test"),
}


@pytest.mark.parametrize("name", LOCKED_EXTRAS)
def test_every_dependency_of_setup_cfg_is_locked_within_its_bounds(setup_cfg, name):
    pinned = locked(name)
    for requirement in wanted(setup_cfg, *LOCKED_EXTRAS[name]):
        found, _ = pinned.get(canonicalize_name(requirement.name), (None, []))
        assert found, f"{name} does not pin {requirement}; run make lock"
        version = next(iter(found.specifier)).version
        assert requirement.specifier.contains(version), f"{name}: {found}, wanted {requirement}; run make lock"


def imports(folder):
    """Return the top-level names that the modules below a folder import."""
    nodes = [node for path in (ROOT / folder).rglob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.split(".")[0] for name in plain | named}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("edge", ()),
        ("hw", ("pi",)),
        ("central", ("central",)),
        ("provisioning", ("provisioning", "central")),
        ("bench", ("bench", "central", "provisioning", "test")),
        ("tests", ("bench", "central", "provisioning", "test")),
    ],
)
def test_what_a_room_imports_setup_cfg_names(setup_cfg, folder, extras):
    named = {canonicalize_name(requirement.name) for requirement in wanted(setup_cfg, *extras)}
    owners = importlib.metadata.packages_distributions()
    foreign = imports(folder) - set(sys.stdlib_module_names) - OURS - FROM_APT_ALONE - IN_A_VENV_OF_THEIR_OWN
    unnamed = {name for name in foreign if named.isdisjoint(map(canonicalize_name, owners.get(name, [])))}
    assert unnamed == set(), f"{folder} imports what setup.cfg does not name"


@pytest.mark.parametrize("name", ["kiosk.txt", "central.txt", "development.txt", "tools.txt"])
def test_every_pin_is_exact_and_has_hashes(name):
    for requirement, hashes in locked(name).values():
        assert [s.operator for s in requirement.specifier] == ["=="], requirement
        assert hashes, requirement


@pytest.mark.parametrize("name", ["kiosk.txt", "central.txt", "development.txt", "tools.txt"])
def test_a_lock_file_names_no_index_and_no_path_of_the_machine_that_made_it(name):
    text = (LOCKS / name).read_text(encoding="utf-8")
    assert not re.search(r"^-|://|file:|/", text.replace("(setup.cfg)", ""), re.MULTILINE)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("machine", MACHINES)
def test_no_pin_is_left_out_on_a_machine_that_we_support(python, machine):
    environment = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }
    for name in LOCKED_EXTRAS:
        left_out = {n for n, (r, _) in locked(name).items() if r.marker and not r.marker.evaluate(environment)}
        assert left_out <= FOR_OTHER_SYSTEMS | FROM_APT.get(python, set()), name


@pytest.mark.parametrize("name", ["kiosk.txt", "central.txt"])
def test_what_two_locks_pin_they_pin_alike(name):
    shipped, tested = locked(name), locked("development.txt")
    differing = [n for n in shipped.keys() & tested.keys() if shipped[n][0].specifier != tested[n][0].specifier]
    assert differing == []


def test_a_centre_installs_no_test_tools():
    assert locked("central.txt").keys().isdisjoint({"pytest", "hypothesis", "ruff", "uv"})


def test_a_kiosk_installs_neither_test_tools_nor_databases():
    assert locked("kiosk.txt").keys().isdisjoint({"pytest", "hypothesis", "sqlalchemy", "psycopg", "ruff", "uv"})


def test_lgpio_is_not_the_empty_release_that_pip_may_find():
    version = next(iter(locked("kiosk.txt")["lgpio"][0].specifier)).version
    assert Version(version) >= Version("0.2.2")


def test_the_metadata_tells_what_and_for_whom(setup_cfg):
    metadata = importlib.metadata.metadata("landfall")
    assert metadata["Name"] == "landfall"
    assert metadata["Version"] == setup_cfg["metadata"]["version"]
    assert metadata["Requires-Python"] == ">=3.11"
    assert (metadata.get("License-Expression") or metadata.get("License")) == "Apache-2.0"


def test_the_packages_have_the_version_of_setup_cfg(setup_cfg):
    changelog = (ROOT / "debian" / "changelog").read_text(encoding="utf-8")
    assert re.match(r"landfall \((\S+)\)", changelog)[1] == setup_cfg["metadata"]["version"]


def test_the_commands_are_the_three_that_the_documents_name(setup_cfg):
    entries = lines(setup_cfg["options.entry_points"]["console_scripts"])
    assert [entry.split(" = ")[0] for entry in entries] == ["landfall", "landfall-central", "landfall-provision"]


def test_the_allowed_skips_can_be_read_and_have_reasons():
    assert SECTION in (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert allowed_skips(ROOT / "setup.cfg")


def test_pyproject_holds_only_what_setup_cfg_cannot():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert pyproject.keys() <= {"build-system", "dependency-groups", "tool"}


@pytest.mark.parametrize("script", [".ci/run", "debian/assemble", "debian/build", "provisioning/prepare"])
def test_scripts_can_be_executed_and_bash_understands_them(script):
    assert os.access(ROOT / script, os.X_OK)
    assert subprocess.run(["bash", "-n", ROOT / script]).returncode == 0


@pytest.fixture
def prepare(tmp_path):
    """Run provisioning/prepare on a machine that is made of a few stand-in programs, as an ordinary user with sudo."""
    bash = shutil.which("bash")
    programs = tmp_path / "bin"
    programs.mkdir()

    def stand_in(name, script):
        # Always a file of its own, never a link: writing through a link would change the machine's own program.
        (programs / name).unlink(missing_ok=True)
        (programs / name).write_text(f"#!{bash}\n{script}\n")
        (programs / name).chmod(0o755)

    def run(*arguments, **environment):
        command = [bash, str(ROOT / "provisioning" / "prepare"), *arguments]
        return subprocess.run(command, env={"PATH": str(programs)} | environment, capture_output=True, text=True)

    stand_in("env", f'exec {shutil.which("env")} "$@"')
    stand_in("id", "echo 1000")
    run.stand_in = stand_in
    return run


def test_nothing_is_asked_of_anybody_when_nothing_is_missing(prepare):
    prepare.stand_in("dpkg-query", "echo -n installed")
    prepare.stand_in("apt-get", "echo apt-get was called; exit 1")
    done = prepare("packages", "mosquitto", "postgresql")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_only_what_is_missing_is_installed_and_no_question_is_asked(prepare):
    prepare.stand_in("dpkg-query", '[ "${!#}" = postgresql ] && echo -n installed')
    prepare.stand_in("apt-get", 'echo "$DEBIAN_FRONTEND $*"')
    prepare.stand_in("sudo", 'exec "$@"')
    done = prepare("packages", "mosquitto", "postgresql")
    assert done.returncode == 0
    assert done.stdout.count("noninteractive") == 2
    assert done.stdout.splitlines()[-1].endswith("install -y --no-install-recommends mosquitto")


def test_an_ordinary_user_without_sudo_is_told_what_to_run_as_root(prepare):
    prepare.stand_in("dpkg-query", "exit 1")
    done = prepare("packages", "mosquitto")
    assert done.returncode == 1
    assert "no sudo; run as root: apt-get install mosquitto" in done.stderr


def test_a_machine_that_is_not_debian_is_told_what_it_lacks(prepare):
    done = prepare("packages", "mosquitto")
    assert done.returncode == 1
    assert "neither Debian nor Raspberry Pi OS; install by hand: mosquitto" in done.stderr


def test_a_package_that_cannot_be_had_is_named(prepare):
    prepare.stand_in("dpkg-query", "exit 1")
    prepare.stand_in("apt-get", "exit 100")
    prepare.stand_in("sudo", '"$@"')
    done = prepare("packages", "mosquitto")
    assert done.returncode == 1
    assert "could not install mosquitto" in done.stderr


def test_an_interpreter_that_is_too_old_is_named(prepare, tmp_path):
    prepare.stand_in("python2", "exit 1")
    done = prepare("venv", str(tmp_path / "venv"), PYTHON="python2")
    assert done.returncode == 1
    assert "PYTHON=python2 does not run, or is older than Python 3.11" in done.stderr


def test_every_file_that_a_room_reads_is_installed_with_it(setup_cfg):
    """Folders that are no packages are left out unless `package_data` names them."""
    rooms = [ROOT / name for name in ("edge", "hw", "central", "provisioning")]
    packages = [path.parent for room in rooms for path in room.rglob("__init__.py")]
    installed = set()
    for package, patterns in setup_cfg["options.package_data"].items():
        folders = packages if package == "*" else [ROOT / package.replace(".", "/")]
        for pattern in lines(patterns.replace(",", "\n")):
            installed |= {path for folder in folders for path in folder.glob(pattern)}
    there = {path for room in rooms for path in room.rglob("*.*") if path.is_file()}
    # Examples for tests and documents, and what this folder itself is installed from.
    unread = {path for folder in ("edge/wire/golden", "provisioning/locks") for path in (ROOT / folder).iterdir()}
    left_out = {path for path in there - installed - unread if path.suffix not in {".py", ".pyc"}}
    assert left_out == set()
