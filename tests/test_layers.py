"""Who may import whom: the walls of the house, walked import by import.

A module may import its own room, the rooms that `MAY` opens to it, and its own vendor library. What a room needs of
another beyond that comes in as an argument.
"""

from __future__ import annotations

import ast
import configparser
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("edge", "hw", "central", "provisioning")

# Rooms, the longest name first that fits a module.
LAYER_0 = {
    "edge.wire", "edge.errors", "edge.documents", "edge.printable", "edge.version", "hw.devices", "hw.framing",
    "hw.keyboard", "hw.settings",
}  # fmt: skip
LAYER_1 = {
    "edge.afterwards", "edge.config", "edge.door", "edge.effective", "edge.events", "edge.groups", "edge.kiosk",
    "edge.late",
    "edge.overlay", "edge.rules", "edge.setting_words", "edge.settings", "edge.supply", "edge.traveller",
}  # fmt: skip
LAYER_2 = {
    "edge.cache", "edge.identity", "edge.seal", "edge.uplink", "edge.health", "edge.control", "edge.clock", "edge.log",
    "edge.notify", "hw",
}  # fmt: skip
LAYER_3 = {"edge", "central", "provisioning", "provisioning.demo"}
# What both ends of the wire need.
SHARED = {
    "edge.wire", "edge.documents", "edge.seal", "edge.identity", "edge.errors", "edge.printable", "edge.version",
}  # fmt: skip
ROOMS = LAYER_0 | LAYER_1 | LAYER_2 | LAYER_3

MAY: dict[str, set[str]] = {
    "edge.errors": set(),
    "edge.printable": set(),
    "edge.version": set(),
    "edge.documents": {"edge.errors"},
    "edge.wire": {"edge.errors", "edge.documents.verdict"},
    "hw.devices": set(),
    "hw.framing": {"hw.devices", "edge.documents"},
    "hw.keyboard": set(),
    "hw.settings": {"hw.framing", "hw.keyboard"},
    **dict.fromkeys(LAYER_1 | LAYER_2, LAYER_0 | LAYER_1),
    "hw": {"hw.devices", "hw.framing", "hw.keyboard", "hw.settings", "edge.documents"},
    "edge": ROOMS - LAYER_3,
    "central": SHARED,
    "provisioning": {
        *SHARED,
        "edge.accept.cli",  # the guided check, which lives beside `edge.check`
        "edge.config",  # a bundle holds no settings that the kiosk would refuse
        "edge.control",  # a renewal may have to go through the daemon's connection
        "central.broker",
        "central.command_line",
        "central.config",
        "central.enrolment",
        "central.uptake",  # which kiosk still needs a key that is to be retired
        "provisioning.demo",
    },
    "provisioning.demo": set(ROOMS),  # shows the whole house at work
}

# Each library that speaks to the outside world is imported in one place.
OWNERS: dict[str, tuple[str, ...]] = {
    "serial": ("hw.serial_reader",),
    "gpiozero": (
        "hw.panel",
        "hw.power_line",
        "hw.safe_outputs",
        "hw.simulated.pins",
        "hw.choose",
        "edge.wiring_table",
    ),
    "picamera2": ("hw.camera_child",),
    "libcamera": ("hw.camera_child",),
    "cv2": ("hw.page", "hw.photo", "hw.sight_child"),
    "numpy": ("hw.page", "hw.photo", "hw.sight_child"),
    "zxingcpp": ("hw.picture",),
    "PIL": ("hw.picture", "hw.page", "hw.camera_child"),
    "paho": ("edge.uplink.link", "central.broker_link"),
    "joserfc": ("edge.seal", "edge.identity.signed", "provisioning", "central.registry", "central.enrolment"),
    "sqlite3": ("edge.cache", "central.database"),
    "tinydb": ("edge.cache", "edge.queue"),
    "rich": (
        "edge.accept",
        "edge.screen",
        "edge.status_screen",
        "edge.check.screen",
        "edge.queue.screen",
        "edge.simulate.screen",
        "central.progress",
        "provisioning.demo",
    ),
    "sqlalchemy": ("central", "provisioning.demo"),
    "alembic": ("central",),
    "psycopg": ("central",),
    "segno": ("central.console", "provisioning"),
    "tomlkit": ("provisioning.first_settings",),
    "starlette": ("central",),
    "uvicorn": ("central",),
    **dict.fromkeys(("argon2", "jinja2", "markupsafe", "pyotp", "zxcvbn"), ("central.console",)),
}

# Where a broad `except` is right: what runs there must not end for any reason, and says so beside it.
BROAD_EXCEPTS_ALLOWED: dict[str, int] = {
    "central.alerts.post": 2, "central.broker_link": 1, "central.collector": 5, "central.enrolment.by_broker": 1,
    "central.fleet.watcher": 1,
    "edge.commands.collecting": 1, "edge.threads": 1, "edge.survey": 1, "edge.traveller": 1, "edge.uplink.link": 1,
    "hw.black_box": 1, "hw.camera": 1, "hw.page_camera": 1, "hw.camera_child": 2, "hw.panel": 1, "hw.reader": 1,
    "hw.safe_outputs": 1,
}  # fmt: skip


def modules() -> dict[str, Path]:
    """Return every module of the packages by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def is_in(module: str, room: str) -> bool:
    """Tell whether a module is a room or lies in it."""
    return module == room or module.startswith(f"{room}.")


def room_of(module: str) -> str:
    """Return the innermost room of a module."""
    return max((room for room in ROOMS if is_in(module, room)), key=len)


def imports(tree: ast.AST, module: str, path: Path) -> Iterator[tuple[str, int]]:
    """Yield every imported module with its line; `from package import module` names the module where there is one."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield (inner if inner in MODULES else base), node.lineno


def breaches(module: str, path: Path) -> list[str]:
    """Return one sentence for each import that the walls forbid."""
    room, found = room_of(module), []
    for imported, line in imports(ast.parse(path.read_text(encoding="utf-8")), module, path):
        where = f"{path.relative_to(ROOT)}:{line}"
        top = imported.partition(".")[0]
        if top in PACKAGES:
            if room_of(imported) != room and not any(is_in(imported, allowed) for allowed in MAY[room]):
                found.append(f"{where}: {room} may not import {imported}")
        elif top in OWNERS and not any(is_in(module, owner) for owner in OWNERS[top]):
            found.append(f"{where}: {top} is imported by {' and '.join(OWNERS[top])} alone")
        elif top in ("tests", "bench"):
            found.append(f"{where}: what ships may not import {top}")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may(module) -> None:
    assert breaches(module, MODULES[module]) == []


def test_layer_0_is_pure_of_files_threads_and_network() -> None:
    """The standard library's doors to the outside stay shut in what is called pure."""
    doors = {"socket", "threading", "subprocess", "multiprocessing", "ssl", "asyncio", "time", "secrets"}
    pure = LAYER_0 | LAYER_1 - {"edge.config", "edge.setting_words"}
    found = [
        f"{module}: {imported}"
        for module, path in MODULES.items()
        if room_of(module) in pure
        for imported, _ in imports(ast.parse(path.read_text(encoding="utf-8")), module, path)
        if imported.partition(".")[0] in doors
    ]
    assert found == []


def test_every_room_of_the_table_exists() -> None:
    known = {room for room in ROOMS if any(is_in(module, room) for module in MODULES)}
    assert known == ROOMS == set(MAY)
    assert all(any(is_in(module, owner) for module in MODULES) for owners in OWNERS.values() for owner in owners)


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler catches everything."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in _EVERYTHING) for kind in kinds)


_EVERYTHING = ("Exception", "BaseException")


def broad_excepts(path: Path) -> list[int]:
    """Return the lines on which everything is caught and not raised again."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and is_broad(node)]
    return [handler.lineno for handler in handlers if not isinstance(handler.body[-1], ast.Raise)]


@pytest.mark.parametrize("module", MODULES)
def test_everything_is_caught_only_in_thread_wrappers_and_main(module) -> None:
    assert len(broad_excepts(MODULES[module])) <= BROAD_EXCEPTS_ALLOWED.get(module, 0)


IMPORTED_AS = {
    "argon2-cffi": "argon2",
    "opencv-python-headless": "cv2",
    "paho-mqtt": "paho",
    "pillow": "PIL",
    "prometheus-client": "prometheus_client",
    "pyserial": "serial",
    "zxing-cpp": "zxingcpp",
}


def declared_libraries() -> set[str]:
    """Return what setup.cfg installs for kiosk, centre and technician, under the names by which it is imported."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extras = setup["options.extras_require"]
    lines = [setup["options"]["install_requires"], extras["central"], extras["provisioning"], extras["pi"]]
    names = re.findall(r"^([\w-]+)", "\n".join(lines), flags=re.MULTILINE)
    return {IMPORTED_AS.get(name, name) for name in names}


def test_every_library_that_is_imported_is_named_in_setup_cfg() -> None:
    """What happens to be installed on a developer's machine is missed on a kiosk."""
    from_apt = {"picamera2", "libcamera"}
    found = {
        imported.partition(".")[0]
        for module, path in MODULES.items()
        for imported, _ in imports(ast.parse(path.read_text(encoding="utf-8")), module, path)
    }
    assert found - set(sys.stdlib_module_names) - set(PACKAGES) - from_apt - declared_libraries() == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import edge.cache", ["edge.cache"]),
        ("from edge import cache", ["edge.cache"]),
        ("from edge.cache import Cache", ["edge.cache"]),
        ("from . import kiosk", ["edge.kiosk"]),
        ("from .kiosk import Kiosk", ["edge.kiosk"]),
        ("def f():\n    import serial.tools", ["serial.tools"]),
    ],
)
def test_the_walk_sees_every_spelling_of_an_import(text, found) -> None:
    assert [name for name, _ in imports(ast.parse(text), "edge.daemon", Path("daemon.py"))] == found
