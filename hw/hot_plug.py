"""Which device is meant: from the path in the settings to the one device node that it names now.

Owns the search in `/dev` and `/sys`; nothing is opened and nothing remembered, so a reader that came back under another
number is found again by its id. Always true: where two devices fit, neither is taken, and the error says so: to guess
would let one lane read the other's travellers.
"""

from __future__ import annotations

import errno
import glob
import os
import re
from pathlib import Path

USB_ID = re.compile(r"([0-9a-f]{4}):([0-9a-f]{4})")
_SYS = Path("/sys")
_KEYBOARD_KEYS = 1 << 28 | 1 << 30  # Enter and A: not the volume keys that some readers show as a device of their own


class NotUnique(Exception):
    """More than one device fits; the message says what to do."""


def find(path: str, *, sys: Path = _SYS) -> str:
    """Return the device node of a path, of a pattern with wildcards, or of a keyboard's USB id (`05e0:1200`).

    Raises FileNotFoundError while there is none, and NotUnique where there are two.
    """
    usb_id = USB_ID.fullmatch(path)
    if usb_id:
        found = _keyboards(*usb_id.groups(), sys)
    else:
        found = glob.glob(path) if glob.has_magic(path) else [path] * os.path.exists(path)
    nodes = sorted({os.path.realpath(each) for each in found})
    if not nodes:
        raise FileNotFoundError(errno.ENOENT, "nothing has this name")
    if len(nodes) > 1:
        raise NotUnique(f"{len(nodes)} devices fit its path; give the whole name of one")
    if Path(path).parent.name == "by-id" and _has_twin(nodes[0], sys):
        raise NotUnique("two readers of this kind have no serial numbers; name it by its socket, in by-path")
    return nodes[0]


def _keyboards(vendor: str, product: str, sys: Path) -> list[str]:
    """Return the event devices of a USB id that are keyboards."""
    found = []
    for device in sys.glob("class/input/event*/device"):
        usb_id = (_read(device / "id/vendor"), _read(device / "id/product"))
        lowest = (_read(device / "capabilities/key") or "0").split()[-1]
        if usb_id == (vendor, product) and int(lowest, 16) & _KEYBOARD_KEYS == _KEYBOARD_KEYS:
            found.append(f"/dev/input/{device.parent.name}")
    return found


def _has_twin(node: str, sys: Path) -> bool:
    """Tell whether another USB device cannot be told from this one: udev gives both the same name in by-id."""
    try:
        number = os.stat(node).st_rdev
        start = (sys / "dev/char" / f"{os.major(number)}:{os.minor(number)}").resolve(strict=True)
    except OSError:
        return False
    own = next((folder for folder in (start, *start.parents) if (folder / "idVendor").exists()), None)
    others = [folder.resolve() for folder in sys.glob("bus/usb/devices/*") if (folder / "idVendor").exists()]
    return own is not None and any(_identity(other) == _identity(own) for other in others if other != own)


def _identity(usb_device: Path) -> tuple[str, ...]:
    return tuple(_read(usb_device / name) for name in ("idVendor", "idProduct", "serial"))


def _read(attribute: Path) -> str:
    try:
        return attribute.read_text(encoding="utf-8", errors="replace").strip().lower()
    except OSError:
        return ""
