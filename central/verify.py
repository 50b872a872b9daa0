"""Bytes from the broker -> records that were checked and opened, and a reason for each that was not.

Owns what counts as a good record: a well-formed CloudEvent of the kiosk whose topic it came on, whose envelope that
kiosk signed, and whose letter is the one that was signed. Knows no database. Always true: one bad record never takes
the others of its batch with it; a reason names fields, never what was in them; the plaintext is kept byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from central.chain import Standing
from edge.errors import ContractError, SealError
from edge.seal import Opener, Verifier
from edge.wire.commands import MAX_REPLY_BYTES, REPLY_TYP, REPORTED_TYP, Reply, Reported
from edge.wire.crossing import EpochStart
from edge.wire.messages import RECORD_TYP, STATUS_TYP, Status, decode
from edge.wire.record import (
    AMENDMENT,
    AUDIT,
    CROSSING,
    EPOCH,
    TOMBSTONE,
    Claims,
    Position,
    Record,
    decode_batch,
    decode_claims,
    decode_record,
    sha256_hex,
)
from edge.wire.topics import NAME, Topic

MAX_SEQUENCE = 2**53 - 1  # every JSON reader knows it exactly (RFC 8259, 6), and every database its neighbours
MAX_RECORDS = 512  # in one batch; a kiosk sends 64 KiB, which are some tens
MAX_STREAMS = 32  # of one kiosk; it has three
MAX_KEYS = 64  # in one status; a kiosk knows two of each kind while they are rotated
MAX_REJECTED_BYTES = 64 * 1024
MAX_REASON_CHARACTERS = 120

_PRINTABLE = re.compile(r"[ -~]{1,128}")
_HASH = re.compile(r"[0-9a-f]{64}")
_NOTHING = sha256_hex("")

Word = Annotated[str, Meta(pattern=r"^[ -~]{1,128}\Z")]


class LetterHead(msgspec.Struct, frozen=True):
    """What every letter says of itself; the rest is kept unread."""

    id: Word
    kiosk: Word
    position: Position


class OutcomeHead(msgspec.Struct, frozen=True):
    """The result of a crossing, without its reasons."""

    result: Literal["passed", "referred"]


class CrossingHead(LetterHead, frozen=True):
    """What counting needs of a crossing; nothing of the traveller."""

    at: Word
    direction: Literal["entry", "exit", "transit"]
    outcome: OutcomeHead
    training: bool


class AmendmentHead(LetterHead, frozen=True):
    """What an amendment corrects, as far as the centre follows it; of any form, since nothing is refused for it."""

    kind: Any = None
    detail: Any = None


class AuditHead(LetterHead, frozen=True):
    """What happened to the machine."""

    event: Any = None


_decoders: dict[str, msgspec.json.Decoder[LetterHead | EpochStart]] = {
    CROSSING: msgspec.json.Decoder(CrossingHead),
    EPOCH: msgspec.json.Decoder(EpochStart),
    AMENDMENT: msgspec.json.Decoder(AmendmentHead),
    AUDIT: msgspec.json.Decoder(AuditHead),
}
_any_letter = msgspec.json.Decoder(LetterHead)


@dataclass(frozen=True, slots=True)
class Checked:
    """A record that its kiosk signed. `hash` is its place in the chain; `reason` says why it is in quarantine."""

    claims: Claims
    record: Record
    hash: str
    standing: Standing
    plaintext: bytes | None = field(default=None, repr=False)
    letter: LetterHead | EpochStart | None = field(default=None, repr=False)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something that is no record of this kiosk: it has no position and gets no receipt."""

    topic: str
    reason: str
    payload: bytes = field(repr=False)


class Examiner:
    """Checks and opens what arrives; `verifier_of` gives a kiosk's keys, or None for one that is not registered."""

    def __init__(self, verifier_of: Callable[[str], Verifier | None], opener: Opener) -> None:
        self._verifier_of = verifier_of
        self._opener = opener

    def examine(self, topic: Topic, name: str, payload: bytes) -> tuple[list[Checked], list[Rejected]]:
        """Take a batch apart that came on the topic `name`; return the good records, and what is none."""
        verifier = self._verifier_of(topic.kiosk)
        if verifier is None:
            return [], [_set_aside(name, "kiosk is not registered here", payload)]
        try:
            raws = decode_batch(payload)
        except (ContractError, RecursionError) as error:
            return [], [_set_aside(name, _reason(error), payload)]
        if len(raws) > MAX_RECORDS:
            return [], [_set_aside(name, f"batch of more than {MAX_RECORDS} records", payload)]
        good, bad = [], []
        for raw in raws:
            try:
                good.append(self._check(topic, raw, verifier))
            except (ContractError, SealError, RecursionError) as error:
                bad.append(_set_aside(name, _reason(error), raw))
        return good, bad

    def read_status(self, topic: Topic, payload: bytes) -> Status:
        """Return a kiosk's signed status; raise `SealError` or `ContractError` when it is none of its own."""
        verifier = self._verifier_of(topic.kiosk)
        if verifier is None:
            raise SealError("kiosk is not registered here")
        try:
            status = decode(Status, verifier.verify(payload.decode("ascii"), STATUS_TYP))
        except (UnicodeDecodeError, RecursionError):
            raise SealError("signature is not valid") from None
        if status.kiosk != topic.kiosk:
            raise ContractError("status of another kiosk")
        if len(status.streams) > MAX_STREAMS:
            raise ContractError(f"status of more than {MAX_STREAMS} streams")
        for stream, head in status.streams.items():
            if not (
                NAME.fullmatch(stream)
                and _PRINTABLE.fullmatch(head.epoch)
                and 0 <= head.held_up_to <= MAX_SEQUENCE
                and 1 <= head.next_sequence <= MAX_SEQUENCE + 1
            ):
                raise ContractError("status names a stream, epoch or sequence that cannot be")
        keys = (*status.receipt_keys, *([status.opening_key] if status.opening_key else []))
        if len(keys) > MAX_KEYS or not all(_PRINTABLE.fullmatch(key) for key in keys):
            raise ContractError("status names a key that cannot be, or too many")
        return status

    def read_answer(self, topic: Topic, payload: bytes) -> Reply | Reported:
        """Return what a kiosk answers, or reports, signed; raise `SealError` or `ContractError` for anything else."""
        kind, typ = (Reply, REPLY_TYP) if topic.kind == "reply" else (Reported, REPORTED_TYP)
        verifier = self._verifier_of(topic.kiosk)
        if verifier is None:
            raise SealError("kiosk is not registered here")
        if len(payload) > 2 * MAX_REPLY_BYTES:
            raise ContractError("larger than an answer can be")
        try:
            answer = decode(kind, verifier.verify(payload.decode("ascii"), typ))
        except (UnicodeDecodeError, RecursionError):
            raise SealError("signature is not valid") from None
        if answer.kiosk != topic.kiosk or (isinstance(answer, Reply) and answer.id != topic.leaf):
            raise ContractError("answer of another kiosk, or to another command")
        if answer.id and not _PRINTABLE.fullmatch(answer.id):
            raise ContractError("id is too long or not printable")
        return answer

    def _check(self, topic: Topic, raw: bytes, verifier: Verifier) -> Checked:
        record = decode_record(raw)
        if record.kiosk != topic.kiosk:
            raise ContractError("source is not the kiosk of the topic")
        claims = decode_claims(verifier.verify(record.signature, RECORD_TYP))
        _compare(topic, record, claims)
        if claims.type == TOMBSTONE:
            standing = Standing.TOMBSTONE if claims.replaces else Standing.BLANK
            return Checked(claims, record, claims.replaces or record.hash, standing)
        return self._open(claims, record)

    def _open(self, claims: Claims, record: Record) -> Checked:
        try:
            plaintext = self._opener.open(record.data)
            letter = _decoders.get(claims.type, _any_letter).decode(plaintext)
            if letter.position != claims.position or letter.kiosk not in (claims.kiosk, claims.kiosk.partition("/")[2]):
                raise ContractError("letter and envelope name different positions")
            if isinstance(letter, EpochStart):
                _check_start(letter)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Checked(claims, record, record.hash, Standing.QUARANTINE, reason="letter is not of its type's form")
        except (SealError, ContractError) as error:
            return Checked(claims, record, record.hash, Standing.QUARANTINE, reason=error.message)
        return Checked(claims, record, record.hash, Standing.OPENED, plaintext, letter)


def _compare(topic: Topic, record: Record, claims: Claims) -> None:
    """Raise `ContractError` for the first thing in which event, envelope and topic differ, or that cannot be stored."""
    wrong = ""
    if claims.kiosk != topic.kiosk:
        wrong = "envelope names another kiosk"
    elif claims.stream != topic.leaf:
        wrong = "envelope names another stream than the topic"
    elif record.type != claims.type:
        wrong = "type differs from the envelope"
    elif record.sequence != str(claims.sequence):
        wrong = "sequence differs from the envelope"
    elif not 1 <= claims.sequence <= MAX_SEQUENCE:
        wrong = "sequence is out of range"
    elif not all(_PRINTABLE.fullmatch(text) for text in (claims.epoch, claims.type, record.id, record.time)):
        wrong = "epoch, type, id or time is empty, too long or not printable"
    elif not all(_HASH.fullmatch(text) for text in (claims.prev, claims.replaces) if text):
        wrong = "prev or replaces is no SHA-256"
    elif sha256_hex(record.data) != claims.sha256:
        wrong = "letter is not the one that was signed"
    elif claims.type == TOMBSTONE and claims.sha256 != _NOTHING:
        wrong = "a tombstone has no letter"
    if wrong:
        raise ContractError(wrong)


def _check_start(start: EpochStart) -> None:
    if not (
        0 <= start.last_sequence <= MAX_SEQUENCE
        and (not start.previous_epoch or _PRINTABLE.fullmatch(start.previous_epoch))
        and (not start.last_hash or _HASH.fullmatch(start.last_hash))
    ):
        raise ContractError("letter names an epoch, sequence or hash that cannot be")


def _reason(error: Exception) -> str:
    """Return what a database and a log can hold of an error; its words may quote a hostile name."""
    message = error.message if isinstance(error, ContractError | SealError) else "nested too deeply"
    return ascii(message[:MAX_REASON_CHARACTERS])[1:-1]


def _set_aside(topic: str, reason: str, payload: bytes) -> Rejected:
    return Rejected(topic, reason, payload[:MAX_REJECTED_BYTES])
