"""What is printed for a kiosk: a label with a QR code, and the sheet on which a technician notes that it works.

Owns how both look. Always true: neither holds the one-time code or a password; the label can hang on the kiosk for
years. It is printed at the office and travels apart from the bundle: whoever compares its pin with what `install` shows
knows that the bundle is the office's.
"""

from __future__ import annotations

import io
from datetime import datetime
from html import escape

import segno

_TEXT_WIDTH_MM = 31.5
_CHARACTER_WIDTH = 0.61  # of a monospaced letter, as a part of its size


def label_text(kiosk: str, pin: str, address: str) -> str:
    """Return what the QR code says, as a phone shows it."""
    return f"Landfall {kiosk}\npin {pin}\n{address}"


def label_svg(kiosk: str, pin: str, address: str) -> bytes:
    """Return a label of 62 x 29 mm (the common endless tape is 62 mm wide)."""
    code = segno.make(label_text(kiosk, pin, address), error="m", micro=False)
    out = io.BytesIO()
    code.save(out, kind="svg", xmldecl=False, svgns=False, border=2, omitsize=True)
    groups = pin.split("-")
    site, _, name = kiosk.partition("/")
    lines = [
        (site, 3.4, 400),
        (name, 4.2, 700),
        ("-".join(groups[:3]) + "-", 3.4, 400),
        ("-".join(groups[3:]), 3.4, 400),
    ]
    lines.append((address.removeprefix("https://"), 2.2, 400))
    text, y = "", 2.0
    for line, most, weight in lines:
        size = min(most, _TEXT_WIDTH_MM / (_CHARACTER_WIDTH * max(1, len(line))))  # a long name gets small letters
        y += most + 1.4
        text += f'<text x="29" y="{y:.1f}" font-size="{size:.2f}" font-weight="{weight}">{escape(line)}</text>'
    inner = out.getvalue().decode().replace("<svg", '<svg x="1" y="1" width="27" height="27"', 1)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="62mm" height="29mm" viewBox="0 0 62 29" '
        f'font-family="DejaVu Sans Mono, monospace"><rect width="62" height="29" fill="#fff"/>{inner}{text}</svg>\n'
    ).encode()


def label_terminal(kiosk: str, pin: str, address: str) -> str:
    """Return the QR code for a terminal, two modules in a character."""
    out = io.StringIO()
    segno.make(label_text(kiosk, pin, address), error="l", micro=False).terminal(out, compact=True, border=2)
    return out.getvalue()


def sheet(kiosk: str, pin: str, address: str, time_zone: str, made_at: datetime, code_until: datetime) -> str:
    """Return the acceptance sheet, 80 columns wide."""
    line = "_" * 24
    return f"""\
LANDFALL  ACCEPTANCE SHEET                                            {made_at:%Y-%m-%d}

  Kiosk       {kiosk}
  Pin         {pin}
  Enrols at   {address}
              the code in the bundle is good until {code_until:%Y-%m-%d %H:%M} UTC
  Time zone   {time_zone}, by whose date documents expire

BEFORE YOU GO
  [ ] the bundle is on a stick; this sheet and the label are not with it
  [ ] label printed

AT THE POST
  [ ] kiosk mounted, readers, camera, lamps and network plugged in
  [ ] power on; log in
  [ ] sudo landfall-provision install /media/stick/*.landfall
  [ ] the pin on the screen is the one above and on the label; only then: y
  [ ] every step says done; the kiosk shows "open"
  [ ] sudo landfall-provision accept --by NUMBER   (passport, boarding pass)
  [ ] it says ACCEPTED, and that the centre holds the report
      (if it does not: telephone {line})
  [ ] label stuck on; stick wiped

  If a step says no: it says what to do, and the same command again goes on.
  If the code was "used already, by other keys": stop, telephone the centre.

  Technician {line}   Date {line}

  Remarks    {line}{line}
"""
