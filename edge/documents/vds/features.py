"""Document features of seals: which document has which, how they are coded, and the message zone that holds them.

Owns the profiles of Doc 9303-13 (emergency travel document), Doc 9303-7 section 9 (visa) and BSI TR-03137 part 1
(residence permit, its sheet, arrival attestation, address stickers, social insurance card). Always true: features with
tags that no profile names are kept as hex and harm nothing; one feature that cannot be read costs no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from edge.documents.vds import c40

SIGNATURE_TAG = 0xFF


class Coding(Enum):
    """How the value of a feature is written."""

    MRV_A = "first line and 28 characters of the second of an MRV-A"
    MRV_B = "first line and 28 characters of the second of an MRV-B"
    TD2 = "both lines of a TD2"
    C40 = "C40"
    UTF_8 = "UTF-8"
    INTEGER = "unsigned integer"
    DURATION = "days, months, years"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a profile; `least` and `most` are bytes."""

    tag: int
    name: str
    coding: Coding
    least: int
    most: int
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """What a kind of document has in its seal; of features with one name the document has one."""

    name: str
    features: tuple[Feature, ...]

    def by_tag(self, tag: int) -> Feature | None:
        """Return the feature with this tag."""
        return next((feature for feature in self.features if feature.tag == tag), None)

    def required(self) -> tuple[str, ...]:
        """Return the names that must be there, in their order."""
        return tuple(dict.fromkeys(feature.name for feature in self.features if feature.is_required))


MRZ = "machine_readable_zone"
_LINE = {Coding.MRV_A: 44, Coding.MRV_B: 36, Coding.TD2: 36}  # characters
_OF_SECOND_LINE = {Coding.MRV_A: 28, Coding.MRV_B: 28, Coding.TD2: 36}
_TD2_MRZ = Feature(2, MRZ, Coding.TD2, 48, 48)
_STICKER = (
    Feature(1, "document_number", Coding.C40, 6, 6),
    Feature(2, "municipality_code", Coding.C40, 6, 6),
)
_ADDRESS = Feature(3, "residential_address", Coding.C40, 6, 18)

PROFILES = {
    0x5D01: Profile(
        "visa",
        (
            Feature(1, MRZ, Coding.MRV_A, 48, 48),
            Feature(2, MRZ, Coding.MRV_B, 44, 44),
            Feature(3, "number_of_entries", Coding.INTEGER, 1, 1, is_required=False),
            Feature(4, "duration_of_stay", Coding.DURATION, 3, 3),
            Feature(5, "passport_number", Coding.C40, 6, 6),
            Feature(6, "visa_type", Coding.BYTES, 1, 4, is_required=False),
            Feature(7, "additional_feature", Coding.BYTES, 0, 254, is_required=False),
        ),
    ),
    0x5E03: Profile("emergency_travel_document", (_TD2_MRZ,)),
    0xFB06: Profile("residence_permit", (_TD2_MRZ, Feature(3, "passport_number", Coding.C40, 6, 6))),
    0xFA06: Profile(
        "residence_permit_supplementary_sheet",
        (Feature(4, MRZ, Coding.TD2, 48, 48), Feature(5, "sheet_number", Coding.C40, 6, 6)),
    ),
    0xFD02: Profile("arrival_attestation", (_TD2_MRZ, Feature(3, "azr_number", Coding.C40, 8, 8))),
    0xFC04: Profile(
        "social_insurance_card",
        (
            Feature(1, "social_insurance_number", Coding.C40, 8, 8),
            Feature(2, "surname", Coding.UTF_8, 1, 90),
            Feature(3, "first_name", Coding.UTF_8, 1, 90),
            Feature(4, "name_at_birth", Coding.UTF_8, 1, 90, is_required=False),
        ),
    ),
    0xF908: Profile("address_sticker_identity_card", (*_STICKER, _ADDRESS)),
    0xF90C: Profile("address_sticker_residence_permit", (*_STICKER, _ADDRESS)),
    0xF80A: Profile("residence_sticker_passport", (*_STICKER, Feature(3, "postal_code", Coding.C40, 4, 4))),
}


def zone(seal: bytes, start: int) -> Iterator[tuple[int, bytes, int]]:
    """Yield tag, value and end of every element from `start` to the signature; raises ValueError where it is cut off.

    Lengths are in DER definite form (section 2.3.2).
    """
    while start < len(seal):
        tag, length, start = seal[start], *_length(seal, start + 1)
        end = start + length
        if end > len(seal):
            raise ValueError(f"tag {tag:02X} is cut off")
        yield tag, seal[start:end], end
        if tag == SIGNATURE_TAG:
            return
        start = end


def element(tag: int, value: bytes) -> bytes:
    """Return a value with its tag and DER length."""
    if len(value) < 0x80:
        return bytes((tag, len(value))) + value
    size = (len(value).bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + len(value).to_bytes(size, "big") + value


def decode(feature: Feature, value: bytes) -> Any:
    """Return a feature as JSON has it; raises ValueError, which quotes nothing of it."""
    if not feature.least <= len(value) <= feature.most:
        raise ValueError(f"{len(value)} bytes instead of {_range(feature)}")
    match feature.coding:
        case Coding.C40:
            return c40.decode(value).rstrip()
        case Coding.UTF_8:
            return value.decode("utf-8")
        case Coding.INTEGER:
            return int.from_bytes(value, "big")
        case Coding.DURATION:
            return {"days": value[0], "months": value[1], "years": value[2]}
        case Coding.BYTES:
            return value.hex().upper()
    return _lines(feature.coding, c40.decode(value))


def encode(feature: Feature, value: Any) -> bytes:
    """Return the bytes of what `decode` gives; raises ValueError for what the feature cannot hold."""
    try:
        encoded = _encoded(feature, value)
    except (TypeError, AttributeError, KeyError, OverflowError, ValueError) as e:
        raise ValueError(f"{feature.name} cannot be written as {feature.coding.name}") from e
    if not feature.least <= len(encoded) <= feature.most:
        raise ValueError(f"{feature.name} takes {len(encoded)} bytes instead of {_range(feature)}")
    return encoded


def _encoded(feature: Feature, value: Any) -> bytes:
    match feature.coding:
        case Coding.C40:
            encoded = c40.encode(value)
            return encoded if len(encoded) >= feature.least else c40.encode(value.ljust(feature.least // 2 * 3))
        case Coding.UTF_8:
            return value.encode("utf-8")
        case Coding.INTEGER:
            return value.to_bytes(feature.most, "big")
        case Coding.DURATION:
            return bytes((value["days"], value["months"], value["years"]))
        case Coding.BYTES:
            return bytes.fromhex(value)
    first, second = value.split("\n")
    if not len(first) == len(second) == _LINE[feature.coding]:
        raise ValueError("not two lines of the form")
    return c40.encode(first + second[: _OF_SECOND_LINE[feature.coding]])


def _lines(coding: Coding, text: str) -> str:
    """Return the two lines of a machine readable zone; visas leave out the optional data of the second."""
    width = _LINE[coding]
    filled = text.replace(" ", "<").ljust(2 * width, "<")
    if len(filled) > 2 * width:
        raise ValueError("longer than two lines")
    return f"{filled[:width]}\n{filled[width:]}"


def _length(seal: bytes, start: int) -> tuple[int, int]:
    if start >= len(seal):
        raise ValueError("a tag without a length")
    first = seal[start]
    if first < 0x80:
        return first, start + 1
    size = first & 0x7F
    if not 1 <= size <= 2 or start + 1 + size > len(seal):
        raise ValueError("a length that is not DER")
    return int.from_bytes(seal[start + 1 : start + 1 + size], "big"), start + 1 + size


def _range(feature: Feature) -> str:
    return f"{feature.least}" if feature.least == feature.most else f"{feature.least} to {feature.most}"
