"""Barcodes in a picture: the only file that imports zxing-cpp and Pillow.

Owns the search, not where the picture comes from. Always true: a picture that is none, or that is too large to look at,
is one `PictureError`; what is found is a `Frame` as a barcode reader would have delivered it, so everything behind it
is the same.

Rows of a PDF417 are lost from a skew of about 6 degrees on, so when nothing was found the picture is turned in steps of
5 degrees: that costs a second or two, and only then. A module of the barcode wants 6 pixels or more from a camera.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import zxingcpp
from PIL import Image, UnidentifiedImageError
from zxingcpp import BarcodeFormat

from hw.devices import Frame

FAMILY = "picture"
MOST_PIXELS = 48_000_000  # four times what a Pi's camera module takes
STEP_DEGREES = 5
_STRIP_ROWS = 256
_MOST_DEGREES = 45  # zxing-cpp itself looks in all four directions
_READ = (
    BarcodeFormat.PDF417,
    BarcodeFormat.Aztec,
    BarcodeFormat.QRCode,
    BarcodeFormat.DataMatrix,
    BarcodeFormat.Code128,
    BarcodeFormat.Code39,
)
# The share of a PDF417's error correction that reading it left over. With none left the rows were mixed up, and the
# text is another one that happens to fit: seen from 6 to 10 degrees.
_LEAST_UNUSED = 0.1
_FORMATS = ("PNG", "JPEG")


class PictureError(Exception):
    """The bytes are no picture that can be looked at; the text says why."""


def barcodes(picture: bytes) -> list[Frame]:
    """Return the barcodes of a PNG or JPEG, from top to bottom; none is an empty list. Raises PictureError."""
    image = grey(picture)
    for turned in _turned(image):
        found = zxingcpp.read_barcodes(turned, formats=_READ)
        frames = [(one.position.top_left.y, _frame(one)) for one in found if _is_trusted(one)]
        if frames:
            return [frame for _, frame in sorted(frames, key=lambda one: one[0])]
    return []


def grey(picture: bytes) -> Image.Image:
    """Return a PNG or JPEG in grey, on paper where it is transparent. Raises PictureError.

    It holds the decoded picture and the grey one, and no third: a kiosk has one gigabyte for everything.
    """
    try:
        with Image.open(io.BytesIO(picture), formats=_FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise PictureError(f"has more than {MOST_PIXELS} pixels")
            image.draft("L", image.size)  # a JPEG is decoded in grey, without its colours
            return _on_paper(image) if image.has_transparency_data else image.convert("L")
    except UnidentifiedImageError:
        raise PictureError("is neither PNG nor JPEG") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PictureError(f"is a damaged picture ({type(error).__name__})") from None


def _on_paper(image: Image.Image) -> Image.Image:
    """Return a picture in grey with white where it is transparent, strip by strip."""
    found = Image.new("L", image.size)
    for top in range(0, image.height, _STRIP_ROWS):
        strip = image.crop((0, top, image.width, min(top + _STRIP_ROWS, image.height))).convert("RGBA")
        paper = Image.new("RGBA", strip.size, "white")
        found.paste(Image.alpha_composite(paper, strip).convert("L"), (0, top))
    return found


def _turned(image: Image.Image) -> Iterator[Image.Image]:
    """Yield the picture, then turned a little more each time to both sides."""
    yield image
    for degrees in range(STEP_DEGREES, _MOST_DEGREES + 1, STEP_DEGREES):
        for angle in (degrees, -degrees):
            yield image.rotate(angle, resample=Image.Resampling.BILINEAR, expand=True, fillcolor=255)


def _is_trusted(found: zxingcpp.Barcode) -> bool:
    is_pdf417 = found.symbology == BarcodeFormat.PDF417
    return found.valid and bool(found.bytes) and not (is_pdf417 and found.extra.get("UEC", 1.0) < _LEAST_UNUSED)


def _frame(found: zxingcpp.Barcode) -> Frame:
    return Frame(found.bytes, FAMILY, found.symbology_identifier[:2] or None)
