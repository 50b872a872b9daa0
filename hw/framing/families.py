"""Reader families: their names, the bytes that open each of their messages, and the commands some of them want.

Owns facts about devices only. What was seen on real readers and what is assumed is said at each fact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from hw.framing.contents import AAMVA_START, AIM, VDS_START

# The reader then speaks when a document is put in, until it has read one well. To inquire instead (49 00 00) would mean
# asking for ever, and a document left in the reader would answer again and again, like one traveller after another.
ELYCTIS_CONTINUOUS = b"\x43\x00\x01\x01"
HONEYWELL_TRIGGER = b"\x16\x54\x0d"
HONEYWELL_RELEASE = b"\x16\x55\x0d"


@dataclass(frozen=True, slots=True)
class Commands:
    """What the driver writes to a reader: when it was opened, after each message from it, and before it is closed."""

    on_open: bytes = b""
    after_frame: bytes = b""
    on_stop: bytes = b""


class Family(StrEnum):
    """A framing that a reader may be set to; `auto` understands all of them, even mixed in one stream."""

    AUTO = "auto"
    RAW = "raw"  # text lines ended by CR, LF or CR LF, or by silence; MRZ lines are put together
    BARCODE = "barcode"  # the same, and every line is a message of its own
    HONEYWELL = "honeywell"  # raw, with a trigger command
    ACCESS_IS = "access-is"
    STX_ETX = "stx-etx"
    RTE = "3m-rte"
    ELYCTIS = "elyctis"

    @property
    def commands(self) -> Commands:
        """Return the commands of the family; most readers take none, and `auto` sends none."""
        return _COMMANDS.get(self, Commands())

    @property
    def has_raw_lines(self) -> bool:
        """Tell whether text outside any envelope is a message; elsewhere it is noise."""
        return self in (Family.AUTO, Family.RAW, Family.BARCODE, Family.HONEYWELL, Family.ELYCTIS)

    @property
    def starts(self) -> re.Pattern[bytes]:
        """Return the pattern of everything that opens a message; the name of the group says which kind of message."""
        return _STARTS[self]


_COMMANDS = {
    Family.ELYCTIS: Commands(on_open=ELYCTIS_CONTINUOUS, after_frame=ELYCTIS_CONTINUOUS),
    Family.HONEYWELL: Commands(HONEYWELL_TRIGGER, HONEYWELL_TRIGGER, HONEYWELL_RELEASE),
}

_ACCESS_IS = rb"(?P<ocr>\x1c\x02)|(?P<magstripe>\x0e\x02)|(?P<barcode>\x1e\x02)"
_RTE = rb"(?P<rte>\x01..OU\x02)"
_STX = rb"(?P<stx>\x02+)"
_BARE = rb"(?P<aamva>(?:%b)?%b)|(?P<vds>(?:%b)?%b)" % (AIM, AAMVA_START, AIM, VDS_START)
_INQUIRED = rb"(?P<inquired>I\x00)"  # the high byte of the length: an MRZ is never longer than 255
_REPLY = rb"(?P<reply>[CVWRT]\x00)"  # answers to commands: consumed, never a frame

_STARTS = {
    family: re.compile(rb"|".join(parts), re.DOTALL)
    for family, parts in {
        Family.AUTO: (_BARE, _ACCESS_IS, _RTE, _STX, _INQUIRED),
        Family.RAW: (_BARE,),
        Family.BARCODE: (_BARE,),
        Family.HONEYWELL: (_BARE,),
        Family.ACCESS_IS: (_ACCESS_IS,),
        Family.STX_ETX: (_STX,),
        Family.RTE: (_RTE,),
        Family.ELYCTIS: (_INQUIRED, _REPLY),
    }.items()
}

# What no text may contain: another message begins here, so the one before it is a half.
ENVELOPE = re.compile(rb"[\x1c\x0e\x1e]?\x02|\x01..OU\x02", re.DOTALL)

# The first bytes of a message that open none yet and could be taken for the end of a line, or for a lead byte.
BEGUN = re.compile(rb"@\r?\n?\Z|\x01(?:.(?:.(?:OU?)?)?)?\Z", re.DOTALL)
LONGEST_START = 8  # more than any message needs to say that it begins
