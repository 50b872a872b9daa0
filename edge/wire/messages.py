"""The signed messages of the contract that are not records: receipt, resend, status, export; how all are encoded.

Owns their fields; those of health and of commands have modules of their own. Each travels as a JWS compact (alg
Ed25519) whose protected header says in `typ` which of them it is, so that a signature made for one can never be shown
as another. Always true: no field can hold personal data.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from edge.errors import ContractError
from edge.wire.commands import Command, Desired, Reply, Reported
from edge.wire.health import Health

RECORD_TYP = "landfall-record"
RECEIPT_TYP = "landfall-receipt"
RESEND_TYP = "landfall-resend"
STATUS_TYP = "landfall-status"
HEALTH_TYP = "landfall-health"
EXPORT_TYP = "landfall-export"


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """The centre's word: "I hold your stream up to here, and here is this".

    `held_up_to` is the contiguous, verified prefix that is committed, `hash_at` the hash of the record there.
    `forked` says that the centre holds two different records at one position of this epoch: the kiosk may stop sending
    what is held, and releases nothing. `generation` changes when the centre's database was restored.
    """

    kiosk: str
    stream: str
    epoch: str
    held_up_to: int
    hash_at: str
    generation: str
    at: str
    forked: bool = False


class Resend(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """The centre's request to send a stream again from a position that it no longer, or never, held.

    `at` grows with each request of one centre: a kiosk ignores one that is not newer than the last it followed.
    """

    kiosk: str
    stream: str
    epoch: str
    from_: int
    generation: str
    at: str


class StreamHead(msgspec.Struct, frozen=True):
    """How far a stream goes on the kiosk, and how far the kiosk has receipts."""

    epoch: str
    next_sequence: int
    hash: str
    held_up_to: int


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """A kiosk's birth (`online`, with the head of every stream) or death (`offline`, its last will).

    `connection` is the same in the birth and the death of one connection, and in those of no other.
    `opening_key` and `receipt_keys` are the ids of the centre's keys that it works with: everything after the heads of
    its birth is sealed to that key, and no receipt by another key is believed.
    """

    kiosk: str
    state: str
    connection: str
    boot_id: str
    version: str
    at: str
    streams: dict[str, StreamHead] = {}
    opening_key: str = ""
    receipt_keys: tuple[str, ...] = ()


class Export(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """What follows in a carried file: a kiosk's records of one stream, both ends included.

    Positions that are not there could not be read on the kiosk, or the file was cut short.
    """

    kiosk: str
    stream: str
    from_: int
    to: int
    at: str


Message = TypeVar("Message", Receipt, Resend, Status, Health, Export, Command, Reply, Desired, Reported)
_encoder = msgspec.json.Encoder()


def encode(message: msgspec.Struct) -> bytes:
    """Return the bytes that are signed."""
    return _encoder.encode(message)


def decode(kind: type[Message], payload: bytes) -> Message:
    """Parse a verified payload; raise `ContractError` when fields are missing or of the wrong type."""
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ContractError(f"not a {kind.__name__.lower()}: a field is missing or of the wrong type") from None
