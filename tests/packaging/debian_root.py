"""Roots of real Debian systems, made once by mmdebstrap and kept outside of the tree, and packages to install there.

Owns the folder of the roots (`LANDFALL_ROOTS`, or `~/.cache/landfall/roots`) and how a package is made into a newer
one. A root is never written to: machines put a layer of their own above it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

PACKAGES = "systemd,systemd-sysv,udev,python3,python3-venv,mosquitto,procps,passwd"
# The second version of the store's tables, as a later Landfall might have them, with the way back.
_LATER_TABLE = '    """,\n    "CREATE TABLE later (key TEXT PRIMARY KEY) STRICT;",\n)\n'
_WAY_BACK = '_MIGRATIONS_BACK: tuple[str, ...] = ("DROP TABLE later;",)\n'


def root_of(suite: str, architecture: str = "", *more: str) -> Path:
    """Return the root of a Debian release; make it, with systemd, Python and `more` packages, where there is none yet.

    Without an architecture it is one for this machine.
    """
    name = "-".join(filter(None, (suite, architecture, *more)))
    root = Path(os.environ.get("LANDFALL_ROOTS") or Path.home() / ".cache" / "landfall" / "roots") / name
    if not root.exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        making = root.with_name(f"{name}.making")
        shutil.rmtree(making, ignore_errors=True)
        command = [
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            f"--include={','.join((PACKAGES, *more))}",
            "--format=directory",
        ]
        command += [f"--architectures={architecture}"] if architecture else []
        subprocess.run([*command, suite, str(making)], check=True)
        making.rename(root)
    return root


def built(name: str, dist: Path, architecture: str = "") -> Path:
    """Return the package of that name that `make deb` built for an architecture, or for this machine."""
    own = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
    return max(dist.glob(f"{name}_*_{architecture or own}.deb"), key=lambda path: path.stat().st_mtime)


def made_newer(package: Path, version: str, folder: Path) -> Path:
    """Return the same package of a kiosk with a higher version, whose store has one more table than the original's."""

    def change(tree: Path) -> None:
        _replace(tree / "DEBIAN" / "preinst", r'--to "\d+"', '--to "2"')
        make_later(tree / "opt/landfall/lib/site-packages/edge")

    return given_version(package, version, folder, change)


def given_version(package: Path, version: str, folder: Path, change: Callable[[Path], None] = lambda _: None) -> Path:
    """Return the same package with another version, and with what `change` does to its unpacked tree."""
    tree = folder / "tree"
    folder.mkdir()
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    _replace(tree / "DEBIAN" / "control", r"^Version: .*$", f"Version: {version}")
    change(tree)
    newer = folder / f"{package.name.split('_')[0]}_{version}.deb"
    subprocess.run(["dpkg-deb", "-Znone", "--build", tree, newer], check=True, stdout=subprocess.DEVNULL)
    return newer


def make_later(edge: Path) -> None:
    """Give the store of this copy of `edge` one more table."""
    schema = edge / "cache" / "schema.py"
    _replace(schema, r'^    """,\n\)\n', _LATER_TABLE)
    _replace(schema, r"^_MIGRATIONS_BACK.*\n", _WAY_BACK)


def _replace(path: Path, pattern: str, text: str) -> None:
    was = path.read_text(encoding="utf-8")
    became, count = re.subn(pattern, lambda _: text, was, flags=re.MULTILINE)
    if count != 1:
        raise ValueError(f"{path.name}: {pattern!r} was found {count} times")
    path.write_text(became, encoding="utf-8")
