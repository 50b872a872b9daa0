"""Makes `hw/page/ocr_b.png` from Debian's fonts-ocr-b: `python -m tests.hw.page.sheet`."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import hw.page
from hw.page.glyphs import CAP_HEIGHT, CHARACTERS, HEIGHT, PITCH, SHEET

FONT = Path("/usr/share/fonts/opentype/ocr-b/OCRB.otf")
_FINER = 8


def sheet() -> Image.Image:
    """Return every character in a cell of its own, ink white on black, at the pitch of Doc 9303."""
    advance = ImageFont.truetype(FONT, 1000).getlength("0") / 1000
    font = ImageFont.truetype(FONT, PITCH * _FINER / advance)
    baseline = (HEIGHT + CAP_HEIGHT) // 2 * _FINER
    image = Image.new("L", (PITCH * len(CHARACTERS) * _FINER, HEIGHT * _FINER))
    draw = ImageDraw.Draw(image)
    for place, character in enumerate(CHARACTERS):
        draw.text((place * PITCH * _FINER, baseline), character, fill=255, font=font, anchor="ls")
    return image.resize((PITCH * len(CHARACTERS), HEIGHT), Image.Resampling.BOX)


def main() -> int:
    """Write the sheet."""
    sheet().save(Path(hw.page.__file__).with_name(SHEET), optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
