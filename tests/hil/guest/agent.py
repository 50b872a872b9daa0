"""The test's hands inside the virtual machine: it plugs, pulls, presses, types and runs commands.

Owns the far end of what the kiosk sees as hardware: a USB gadget behind a bus without a cable, the pulls of a GPIO chip
that nothing is soldered to, and a keyboard of uinput. Speaks one JSON object a line on a console of the machine. Always
true: it imports nothing of Landfall and knows nothing of it.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path
from typing import Any

GADGETS = Path("/sys/kernel/config/usb_gadget")
CHIPS = Path("/sys/kernel/config/gpio-sim")
LINES = 28  # of a Raspberry Pi's header
BUS = "dummy_udc.0"
FAR_END = Path("/dev/ttyGS0")
CONTROL = "/run/landfall/control.sock"
WITHIN_S = 20.0

# linux/uinput.h and linux/input-event-codes.h
_UI_SET_EVBIT, _UI_SET_KEYBIT, _UI_DEV_SETUP = 0x40045564, 0x40045565, 0x405C5503
_UI_DEV_CREATE, _UI_DEV_DESTROY = 0x5501, 0x5502
_EV_SYN, _EV_KEY, _BUS_USB, _SHIFT = 0, 1, 3, 42
_ROWS = {2: "1234567890", 16: "qwertyuiop", 30: "asdfghjkl", 44: "zxcvbnm", 53: "/", 57: " ", 28: "\n"}
_CODES = {character: first + place for first, row in _ROWS.items() for place, character in enumerate(row)}


class Reader:
    """A document reader on USB (CDC-ACM) that can be unplugged."""

    def __init__(self, serial_number: str) -> None:
        self._gadget = GADGETS / "reader"
        self._write("idVendor", "0x0db5")  # Access-IS; the kernel knows the class, the udev rules the maker
        self._write("idProduct", "0x0164")
        for name, value in {
            "manufacturer": "Specimen",
            "product": "Document reader",
            "serialnumber": serial_number,
        }.items():
            self._write(f"strings/0x409/{name}", value)
        self._write("configs/c.1/MaxPower", "100")
        function = self._gadget / "functions" / "acm.0"
        function.mkdir(parents=True, exist_ok=True)
        link = self._gadget / "configs" / "c.1" / "acm.0"
        if not link.exists():
            link.symlink_to(function)

    def plug(self) -> None:
        """Put the reader on the bus."""
        (self._gadget / "UDC").write_text(BUS)

    def unplug(self) -> None:
        """Pull it out."""
        (self._gadget / "UDC").write_text("\n")

    def send(self, payload: bytes) -> None:
        """Send what a reader sends, as far as somebody listens."""
        line = os.open(FAR_END, os.O_RDWR | os.O_NOCTTY)
        try:
            tty.setraw(line, termios.TCSANOW)
            while payload:
                payload = payload[os.write(line, payload) :]
            termios.tcdrain(line)
        finally:
            os.close(line)

    def _write(self, name: str, text: str) -> None:
        file = self._gadget / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


class Header:
    """The pins of the board: a simulated chip behind the kernel's own GPIO interface."""

    def __init__(self) -> None:
        chip = CHIPS / "header"
        (chip / "bank0").mkdir(parents=True, exist_ok=True)
        if (chip / "live").read_text().strip() == "0":
            (chip / "bank0" / "num_lines").write_text(str(LINES))
            (chip / "live").write_text("1")
        device = Path("/sys/devices/platform") / (chip / "dev_name").read_text().strip()
        self._bank = device / (chip / "bank0" / "chip_name").read_text().strip()

    def pull(self, line: int, *, up: bool) -> None:
        """Let a contact open (up) or close (down)."""
        (self._bank / f"sim_gpio{line}" / "pull").write_text("pull-up" if up else "pull-down")

    def level(self, line: int) -> int:
        """Return the level of a line as a lamp on it would see it."""
        return int((self._bank / f"sim_gpio{line}" / "value").read_text())


class Keyboard:
    """A barcode reader that plays a US keyboard (Zebra's USB id), made by uinput."""

    def __init__(self) -> None:
        self._device = os.open("/dev/uinput", os.O_WRONLY)
        fcntl.ioctl(self._device, _UI_SET_EVBIT, _EV_KEY)
        for code in range(1, 128):
            fcntl.ioctl(self._device, _UI_SET_KEYBIT, code)
        setup = struct.pack("4H80sI", _BUS_USB, 0x05E0, 0x1200, 1, b"Specimen barcode reader", 0)
        fcntl.ioctl(self._device, _UI_DEV_SETUP, setup)
        fcntl.ioctl(self._device, _UI_DEV_CREATE)

    def type(self, text: str) -> None:
        """Press and release the keys of a text, faster than any hand."""
        for character in text:
            code = _CODES[character.lower()]
            is_upper = character.isupper()
            for key, value in ((_SHIFT, 1), (code, 1), (code, 0), (_SHIFT, 0)):
                if key != _SHIFT or is_upper:
                    self._emit(_EV_KEY, key, value)
                    self._emit(_EV_SYN, 0, 0)

    def unplug(self) -> None:
        """Take the keyboard away."""
        fcntl.ioctl(self._device, _UI_DEV_DESTROY)
        os.close(self._device)

    def _emit(self, kind: int, code: int, value: int) -> None:
        os.write(self._device, struct.pack("llHHi", 0, 0, kind, code, value))


class Agent:
    """Carries out what the test asks for."""

    def __init__(self) -> None:
        self._header = Header()
        self._reader = Reader("0001")
        self._keyboard: Keyboard | None = None

    def run(self, command: list[str], timeout_s: float = 60.0) -> dict[str, Any]:
        """Run a command to its end."""
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )
        return {"status": done.returncode, "output": done.stdout.decode("utf-8", "replace")}

    def status(self) -> dict[str, Any]:
        """Ask the kiosk how it is, by its socket; nothing while it does not answer."""
        try:
            with socket.socket(socket.AF_UNIX) as kiosk:
                kiosk.settimeout(WITHIN_S)
                kiosk.connect(CONTROL)
                kiosk.sendall(b'{"verb":"status"}\n')
                return json.loads(kiosk.makefile("rb").readline() or b"{}")
        except OSError:
            return {}

    def plug(self) -> None:
        """Plug the reader in."""
        self._reader.plug()

    def unplug(self) -> None:
        """Pull the reader out."""
        self._reader.unplug()

    def scan(self, payload: str) -> None:
        """Let the reader send bytes (base64)."""
        self._reader.send(base64.b64decode(payload))

    def scan_and_see(self, payload: str, line: int) -> float:
        """Let the reader send bytes (base64), see a lamp go on and off; return the seconds until it was lit."""
        self.scan(payload)
        lit_s = self.wait_for_level(line, 1)
        self.wait_for_level(line, 0)
        return lit_s

    def wait_for_device(self, name: str, state: str, within_s: float = WITHIN_S) -> float:
        """Wait until the kiosk says this of a device; return how long it took, in seconds."""
        begin = time.monotonic()
        while self.status().get("devices", {}).get(name, {}).get("state") != state:
            if time.monotonic() - begin > within_s:
                raise TimeoutError(f"{name} is not {state}")
            time.sleep(0.02)
        return time.monotonic() - begin

    def plug_keyboard(self) -> None:
        """Plug a barcode reader in that plays a keyboard."""
        self._keyboard = Keyboard()

    def type(self, text: str) -> None:
        """Let it type."""
        self._keyboard.type(text)

    def unplug_keyboard(self) -> None:
        """Pull it out."""
        self._keyboard.unplug()

    def press(self, line: int, bounces: int = 3) -> None:
        """Press a button and let go, with contacts that bounce."""
        for _ in range(bounces):
            self._header.pull(line, up=False)
            self._header.pull(line, up=True)
        self._header.pull(line, up=False)
        time.sleep(0.2)
        self._header.pull(line, up=True)

    def pull(self, line: int, up: bool) -> None:
        """Open or close a contact."""
        self._header.pull(line, up=up)

    def wait_for_level(self, line: int, level: int, within_s: float = WITHIN_S) -> float:
        """Wait until a lamp is lit (1) or dark (0); return how long it took, in seconds."""
        begin = time.monotonic()
        while self._header.level(line) != level:
            if time.monotonic() - begin > within_s:
                raise TimeoutError(f"line {line} is not {level}")
            time.sleep(0.002)
        return time.monotonic() - begin


def serve() -> None:
    """Answer requests until the console closes."""
    tty.setraw(sys.stdin.fileno())
    agent = Agent()
    _say({"ready": True})
    for line in sys.stdin:
        try:
            request = json.loads(line)
            _say({"answer": getattr(agent, request["call"])(**request["arguments"])})
        except Exception as error:  # the test is told, whatever it was
            _say({"error": f"{type(error).__name__}: {error}"})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
