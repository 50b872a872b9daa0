"""Records of the cache as a technician may see them: a list, or one of them with everything that is not sealed.

Owns which fields are shown. Always true: a letter is never opened (the kiosk could not), and what an envelope says is
shown without asking whether its signature is good: that is `landfall queue verify`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
from tinydb import where

from edge.cache import CacheReader, Head, StoredRecord, Unreadable
from edge.errors import LandfallError
from edge.seal import unverified_header, unverified_payload
from edge.wire.record import decode_claims, decode_record


def head_of(reader: CacheReader, stream: str) -> Head:
    """Return the head of a stream; raise `LandfallError` naming those that there are."""
    heads = reader.heads()
    if stream not in heads:
        there = f"there are {', '.join(heads)}" if heads else "the store is new: start the kiosk once"
        raise LandfallError(f"there is no stream {stream!r}", remedy=there)
    return heads[stream]


def rows(
    reader: CacheReader, stream: str, *, after: int = 0, limit: int = 50, unreceipted: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield the readable records of a stream after a position, oldest first, each as a row of the list."""
    head = head_of(reader, stream)
    if unreceipted:
        after = max(after, head.held_up_to)
    for document in islice(reader.table(stream).iterate(where("sequence") > after), limit):
        yield {
            "sequence": document.doc_id,
            "type": document["type"],
            "time": document["time"],
            "direction": document["direction"],
            "outcome": document["outcome"],
            "training": document["training"],
            "bytes": len(document["record"].encode("utf-8", "surrogateescape")),
            "receipted": document.doc_id <= head.held_up_to,
        }


def details(reader: CacheReader, stream: str, sequence: int) -> dict[str, Any]:
    """Return one record's position, envelope, hash, sizes and key ids; raise `LandfallError` when it is not here."""
    head = head_of(reader, stream)
    if not 1 <= sequence < head.next_sequence:
        kept = f"it goes from {head.purged_up_to + 1} to {head.next_sequence - 1}"
        raise LandfallError(f"{stream} has no position {sequence}", remedy=kept)
    (found,) = reader.first_after(stream, sequence - 1, limit=1, max_bytes=1)
    if isinstance(found, Unreadable):
        raise LandfallError(f"{stream} {sequence} is not here: {found.reason}", remedy=_WHY[found.reason])
    return {**_stored(found), **_sealed(found), "receipted": sequence <= head.held_up_to}


_WHY = {
    "purged": "the centre held it and the kiosk has released it",
    "damaged": "the kiosk puts a tombstone in its place when it sends; `landfall queue verify` finds others",
    "lost": "the kiosk puts a tombstone in its place when it sends; `landfall queue verify` finds others",
}


def _stored(found: StoredRecord) -> dict[str, Any]:
    """Return the columns of a record."""
    names = ("stream", "sequence", "epoch", "id", "type", "time", "direction", "outcome", "training", "hash")
    return {**{name: getattr(found, name) for name in names}, "bytes": len(found.body)}


def _sealed(found: StoredRecord) -> dict[str, Any]:
    """Return what record and envelope say, and which keys they name; never what is in the letter."""
    record = decode_record(found.body)
    claims = decode_claims(unverified_payload(record.signature))
    return {
        "claims": msgspec.to_builtins(claims),
        "envelope": {"bytes": len(record.signature), **_named(record.signature)},
        "letter": {"bytes": len(record.data), **_named(record.data)} if record.data else None,
    }


def _named(token: str) -> dict[str, str]:
    header = unverified_header(token)
    return {name: str(header[name]) for name in ("alg", "enc", "zip", "typ", "kid") if name in header}
