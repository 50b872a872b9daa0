"""What a kiosk puts on record: drafts and events become letters, sealed to the centre and signed at their position.

Owns how each kind of record is written, and the position and `prev` that it gets. Does no I/O: the recorder appends
what comes out. Always true: a letter repeats its position; the only copy in the clear is the one in memory; what a
document says that JSON cannot hold is left out and said, so that it stops nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import uuid6

from edge.boots import Interval
from edge.cache import Head, StoredRecord
from edge.documents.verdict import Result, Verdict
from edge.events import CrossingDraft, DecisionDraft, Moment, RecordUnreadable, VoidDraft
from edge.seal import Sealer, Signer
from edge.wire import record as wire
from edge.wire.crossing import Amendment, AuditEvent, Crossing, EpochStart, Evidence, Letter, Photo, ReadDocument
from edge.wire.messages import RECORD_TYP
from edge.wire.topics import Stream


class Letters:
    """Writes the records of one kiosk; `heads` are those of its store, and its owner keeps them up to date."""

    def __init__(self, kiosk: str, sealer: Sealer, signer: Signer) -> None:
        self.heads: dict[str, Head] = {}
        self._kiosk = kiosk
        self._sealer, self._signer = sealer, signer

    def crossing(self, draft: CrossingDraft) -> list[StoredRecord]:
        """Return the crossing, and before it the evidence where there is a photo: one transaction for both."""
        records: list[StoredRecord] = []
        photo = Photo(absent=draft.photo_absent)
        if draft.photo is not None:
            evidence = self._evidence(draft, draft.photo)
            records.append(self._seal(wire.EVIDENCE, evidence, draft.moment, training=draft.training))
            photo = Photo(
                sha256=evidence.sha256,
                evidence_sequence=evidence.position.sequence,
                quality=draft.photo_quality,
            )
        crossing = Crossing(
            id=draft.id,
            kiosk=self._kiosk,
            site=self._kiosk.partition("/")[0],
            position=self._next_position(Stream.CROSSING),
            direction=draft.direction,
            lane=draft.lane,
            at=draft.moment.text,
            clock=draft.moment.clock,
            documents=tuple(_encodable(document) for document in draft.documents),
            conveyance=draft.conveyance,
            group=draft.group,
            photo=photo,
            outcome=draft.outcome,
            training=draft.training,
            written_at=draft.written_at,
        )
        clear = {"direction": draft.direction, "outcome": draft.outcome.result, "training": draft.training}
        return [*records, self._seal(wire.CROSSING, crossing, draft.moment, **clear)]

    def _evidence(self, draft: CrossingDraft, jpeg: bytes) -> Evidence:
        return Evidence(
            id=str(uuid6.uuid7()),
            kiosk=self._kiosk,
            position=self._next_position(Stream.EVIDENCE),
            crossing=draft.id,
            at=draft.moment.text,
            media_type="image/jpeg",
            sha256=hashlib.sha256(jpeg).hexdigest(),
            content=jpeg,
        )

    def decision(self, draft: DecisionDraft) -> StoredRecord:
        """Return the amendment of an officer's decision."""
        detail = {"result": draft.result, "by": "officer", **({"officer": draft.officer} if draft.officer else {})}
        return self._amendment("decision", draft.id, draft.amends, detail, draft.moment, outcome=draft.result)

    def void(self, draft: VoidDraft) -> StoredRecord:
        """Return the amendment of a record that counts for nothing."""
        detail = {"reason": draft.reason, **({"officer": draft.officer} if draft.officer else {})}
        return self._amendment("void", draft.id, draft.amends, detail, draft.moment)

    def clock(self, interval: Interval, moment: Moment) -> StoredRecord:
        """Return the amendment that dates the records of a boot."""
        return self._amendment("clock", str(uuid6.uuid7()), interval.boot_id, interval.detail, moment)

    def audit(self, event: str, detail: dict[str, Any], moment: Moment) -> StoredRecord:
        """Return an event of the machine for the audit stream."""
        letter = AuditEvent(
            id=str(uuid6.uuid7()),
            kiosk=self._kiosk,
            position=self._next_position(Stream.AUDIT),
            at=moment.text,
            clock=moment.clock,
            event=event,
            detail=detail,
        )
        return self._seal(wire.AUDIT, letter, moment)

    def epoch(self, epoch: str, reason: str, moment: Moment, *, previous: str | None = None) -> list[StoredRecord]:
        """Return the first record of a new epoch for every stream; `heads` then stand at the new epoch.

        `previous` names the epoch before, where the heads of a salvaged store no longer do.
        """
        first = []
        for stream in Stream:
            old = self.heads.get(stream)
            self.heads[stream] = Head(stream, epoch) if old is None else msgspec.structs.replace(old, epoch=epoch)
            letter = EpochStart(
                id=str(uuid6.uuid7()),
                kiosk=self._kiosk,
                position=self._next_position(stream),
                at=moment.text,
                previous_epoch=previous if previous is not None else old.epoch if old else "",
                last_sequence=old.next_sequence - 1 if old else 0,
                last_hash=old.last_hash if old else "",
                reason=reason,  # type: ignore[arg-type]
            )
            first.append(self._seal(wire.EPOCH, letter, moment))
        return first

    def tombstone(self, found: RecordUnreadable, moment: Moment) -> StoredRecord:
        """Return what takes the place of a record that cannot be read or sent; its hash is the place in the chain."""
        claims = wire.Claims(
            kiosk=self._kiosk,
            epoch=found.epoch,
            stream=found.stream,
            sequence=found.sequence,
            prev=found.prev,
            type=wire.TOMBSTONE,
            sha256=wire.sha256_hex(""),
            replaces=found.hash,
            reason=found.reason,
        )
        tombstone = self._sign(claims, str(uuid6.uuid7()), moment, letter="")
        return msgspec.structs.replace(tombstone, hash=found.hash) if found.hash else tombstone

    def _amendment(
        self,
        kind: Literal["void", "decision", "clock"],
        id: str,
        amends: str,
        detail: Mapping[str, Any],
        moment: Moment,
        *,
        outcome: str = "",
    ) -> StoredRecord:
        letter = Amendment(
            id=id,
            kiosk=self._kiosk,
            position=self._next_position(Stream.CROSSING),
            at=moment.text,
            clock=moment.clock,
            amends=amends,
            kind=kind,
            detail=dict(detail),
        )
        return self._seal(wire.AMENDMENT, letter, moment, outcome=outcome)

    def _next_position(self, stream: str) -> wire.Position:
        head = self.heads[stream]
        return wire.Position(self._kiosk, head.epoch, stream, head.next_sequence)

    def _seal(self, type: str, letter: Letter, moment: Moment, **clear: Any) -> StoredRecord:
        """Seal a letter and sign its envelope; `clear` is what the store may know of it besides its position."""
        position = letter.position
        sealed = self._sealer.seal(msgspec.json.encode(letter), deflate=type == wire.EVIDENCE)
        claims = wire.Claims(
            kiosk=position.kiosk,
            epoch=position.epoch,
            stream=position.stream,
            sequence=position.sequence,
            prev=self.heads[position.stream].last_hash,
            type=type,
            sha256=wire.sha256_hex(sealed),
        )
        return msgspec.structs.replace(self._sign(claims, letter.id, moment, sealed), **clear)

    def _sign(self, claims: wire.Claims, id: str, moment: Moment, letter: str) -> StoredRecord:
        envelope = self._signer.sign(wire.encode_claims(claims), RECORD_TYP)
        record = wire.compose(id, moment.text, claims, envelope, letter)
        return StoredRecord(
            stream=claims.stream,
            epoch=claims.epoch,
            sequence=claims.sequence,
            id=id,
            type=claims.type,
            time=moment.text,
            direction="",
            outcome="",
            training=False,
            hash=record.hash,
            body=record.encode(),
        )


def _encodable(document: ReadDocument) -> ReadDocument:
    try:
        msgspec.json.encode(document)
    except (msgspec.MsgspecError, TypeError, ValueError):
        verdict = Verdict("fields", Result.FAILED, "cannot be written as JSON")
        return msgspec.structs.replace(document, fields={}, verdicts=(*document.verdicts, verdict))
    return document
