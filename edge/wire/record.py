"""A record on the wire: a CloudEvents 1.0 event that carries a sealed letter and its signed envelope.

Owns the form of one record and of a batch (`application/cloudevents-batch+json`), and what the chain hashes: the hash
of a record is the SHA-256 of its envelope, and `prev` in an envelope is the hash of the record before it. Always true:
the bytes stored on the kiosk are the bytes published; `Record.encode` makes them, and nothing encodes them again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from edge.errors import ContractError
from edge.wire.topics import kiosk_id

CROSSING = "org.landfall.crossing.v1"
AMENDMENT = "org.landfall.amendment.v1"
EVIDENCE = "org.landfall.evidence.v1"
AUDIT = "org.landfall.audit.v1"
EPOCH = "org.landfall.epoch.v1"
TOMBSTONE = "org.landfall.tombstone.v1"

BATCH_CONTENT_TYPE = "application/cloudevents-batch+json"
LETTER_CONTENT_TYPE = "application/jose"
MAX_BATCH_BYTES = 64 * 1024


class Position(msgspec.Struct, frozen=True):
    """Where a record stands; `kiosk` is `<site>/<kiosk>`, `sequence` counts from 1, once on each store."""

    kiosk: str
    epoch: str
    stream: str
    sequence: int


class Claims(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an envelope signs.

    `prev` is the hash of the record before this one in the store, or empty where there is none; `sha256` that of the
    letter's ASCII (of nothing in a tombstone). A tombstone says `reason`, and in `replaces` the hash of the record that
    can no longer be read, where the kiosk still knows it; that hash is then the position's place in the chain.
    """

    kiosk: str
    epoch: str
    stream: str
    sequence: int
    prev: str
    type: str
    sha256: str
    replaces: str = ""
    reason: str = ""

    @property
    def position(self) -> Position:
        """Return where the record stands."""
        return Position(self.kiosk, self.epoch, self.stream, self.sequence)


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One CloudEvent; `data` is the letter (JWE compact), `signature` the envelope (JWS compact over `Claims`).

    `id` is a UUIDv7, `time` RFC 3339 in UTC, `sequence` the position's number as text (CloudEvents extension
    `sequence`). Only the envelope is signed: whoever needs `id` or `time` in trust takes them from the letter.
    """

    specversion: str
    id: str
    source: str
    type: str
    time: str
    sequence: str
    datacontenttype: str
    signature: str
    data: str = ""

    def encode(self) -> bytes:
        """Return the JSON bytes that are stored and published."""
        return _encoder.encode(self)

    @property
    def hash(self) -> str:
        """Return the record's hash, 64 lower case hexadecimal digits."""
        return envelope_hash(self.signature)

    @property
    def kiosk(self) -> str:
        """Return `<site>/<kiosk>` as `source` claims it."""
        return self.source.removeprefix("/")

    def __repr__(self) -> str:
        return f"Record(source={self.source!r}, type={self.type!r}, sequence={self.sequence!r})"


_encoder = msgspec.json.Encoder()
_record_decoder = msgspec.json.Decoder(Record)
_batch_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_claims_decoder = msgspec.json.Decoder(Claims)


def sha256_hex(text: str) -> str:
    """Return the SHA-256 of ASCII text as 64 lower case hexadecimal digits; raise `ContractError` otherwise."""
    try:
        return hashlib.sha256(text.encode("ascii")).hexdigest()
    except UnicodeEncodeError:
        raise ContractError("letters and envelopes are ASCII") from None


envelope_hash = sha256_hex


def compose(id: str, time: str, claims: Claims, envelope: str, letter: str) -> Record:
    """Put a signed envelope and its letter into a CloudEvent."""
    return Record(
        specversion="1.0",
        id=id,
        source=f"/{claims.kiosk}",
        type=claims.type,
        time=time,
        sequence=str(claims.sequence),
        datacontenttype=LETTER_CONTENT_TYPE,
        signature=envelope,
        data=letter,
    )


def decode_record(raw: bytes) -> Record:
    """Parse one record; raise `ContractError` when it is not a CloudEvent of this contract."""
    try:
        record = _record_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not a record: {_where(error)}") from None
    if record.specversion != "1.0":
        raise ContractError("not a record: specversion is not 1.0")
    kiosk_id(*_two(record.kiosk))
    return record


def decode_claims(payload: bytes) -> Claims:
    """Parse the payload of a verified envelope; raise `ContractError` when fields are missing or wrong."""
    try:
        return _claims_decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not an envelope: {_where(error)}") from None


def encode_claims(claims: Claims) -> bytes:
    """Return the bytes that the envelope signs."""
    return _encoder.encode(claims)


def encode_batch(records: Iterable[bytes]) -> bytes:
    """Join stored records, untouched, into one CloudEvents JSON batch."""
    return b"[" + b",".join(records) + b"]"


def decode_batch(payload: bytes) -> list[bytes]:
    """Split a batch into the bytes of its records; raise `ContractError` when it is no JSON array."""
    try:
        return [bytes(raw) for raw in _batch_decoder.decode(payload)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not a batch: {_where(error)}") from None


def _two(kiosk: str) -> tuple[str, str]:
    site, _, name = kiosk.partition("/")
    return site, name


def _where(error: Exception) -> str:
    """Return the place of a decoding error without quoting what was there."""
    text = str(error)
    if isinstance(error, msgspec.ValidationError) and " - at `" in text:
        return "wrong or missing field at " + text.rsplit(" - at `", 1)[1].rstrip("`")
    return "malformed JSON or missing field"
