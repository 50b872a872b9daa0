"""A record as the document that TinyDB shows, and back.

Owns the fields of a document and their types. Always true: the text under `record` gives the stored bytes again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.cache.pushdown import COLUMN_TYPES, FIELDS
from edge.cache.records import StoredRecord
from edge.errors import StoreError


def document_of(record: StoredRecord) -> dict[str, Any]:
    """Return a record as a document; `record` is its body as text (and gives the same bytes again)."""
    return {
        "epoch": record.epoch,
        "sequence": record.sequence,
        "id": record.id,
        "type": record.type,
        "time": record.time,
        "direction": record.direction,
        "outcome": record.outcome,
        "training": record.training,
        "hash": record.hash,
        "record": record.body.decode("utf-8", "surrogateescape"),
    }


def record_of(stream: str, document: Mapping[str, Any], next_sequence: int) -> StoredRecord:
    """Return a document as a record; `sequence` may be left out. Raise `StoreError` naming the field that is wrong."""
    values = {"sequence": next_sequence, **document}
    if values.keys() != FIELDS:
        wrong = ", ".join(sorted(map(str, FIELDS ^ values.keys())))
        raise StoreError(f"{stream}: a document of a stream lacks or does not know: {wrong}")
    for name, kind in (*COLUMN_TYPES.items(), ("record", str)):
        if type(values[name]) is not kind:
            raise StoreError(f"{stream}: {name} must be {kind.__name__}, not {type(values[name]).__name__}")
    try:
        body = values.pop("record").encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise StoreError(f"{stream}: record is not Unicode text") from None
    return StoredRecord(stream=stream, body=body, **values)
