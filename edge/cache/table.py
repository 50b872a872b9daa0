"""TinyDB's face of a stream: documents by id, by query, one by one, and insertion at the end.

Owns which parts of TinyDB's interface a stream has, and how they reach the rows. Always true: `doc_id` is the
sequence; nothing that is called here changes or drops a record; no result is remembered (TinyDB's query cache holds
whole results and goes stale), and however long somebody takes to iterate, at most a few documents are in memory and no
transaction stays open. A record that cannot be read is left out until a tombstone stands in its place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from tinydb import TinyDB
from tinydb.table import Document, Table

from edge.cache.documents import document_of, record_of
from edge.cache.pushdown import TRUE, condition
from edge.cache.records import Head
from edge.cache.storage import SqliteStorage, StreamView, sequence_named
from edge.errors import StreamsOnlyGrow


class StreamTable(Table):
    """A TinyDB table whose documents are the records of one stream."""

    default_query_cache_capacity = 0
    _storage: SqliteStorage

    def insert(self, document: Mapping[str, Any]) -> int:
        """Append one record, synced when this returns, and return its sequence."""
        return self.insert_multiple([document])[0]

    def insert_multiple(self, documents: Iterable[Mapping[str, Any]]) -> list[int]:
        """Append records in one transaction and return their sequences."""
        head = self._storage.heads().get(self.name) or Head(self.name, epoch="")
        records = []
        for document in documents:
            if not isinstance(document, Mapping):
                raise ValueError("Document is not a Mapping")
            if isinstance(document, Document):
                raise StreamsOnlyGrow(f"{self.name}: a stream numbers its records itself", remedy="insert a dict")
            records.append(record_of(self.name, document, head.next_sequence + len(records)))
        self._storage.append(records)
        return [record.sequence for record in records]

    def search(self, cond: Any) -> list[Document]:
        """Return every document that matches; `iterate` takes less memory."""
        return list(self.iterate(cond))

    def iterate(self, cond: Any = None) -> Iterator[Document]:
        """Yield every document, or every one that matches, up to where the stream ends now."""
        # The condition is tested once more: near damage the storage gives every record that it can still read.
        where = TRUE if cond is None else condition(cond) or TRUE
        for record in self._storage.rows.records(self.name, where):
            document = document_of(record)
            if cond is None or cond(document):
                yield Document(document, record.sequence)

    def get(self, cond: Any = None, doc_id: Any = None, doc_ids: Any = None) -> Any:
        """Return one document by id or query, or those of several ids; None when there is no such document."""
        if doc_id is not None:
            sequence = sequence_named(doc_id)
            found = sequence and self._storage.rows.record(self.name, sequence)
            return Document(document_of(found), doc_id) if found else None
        if doc_ids is not None:
            sequences = sorted({sequence for wanted in doc_ids if (sequence := sequence_named(wanted))})
            found = (self._storage.rows.record(self.name, sequence) for sequence in sequences)
            return [Document(document_of(record), record.sequence) for record in found if record]
        if cond is not None:
            return next(self.iterate(cond), None)
        raise RuntimeError("You have to pass either cond or doc_id or doc_ids")

    def count(self, cond: Any) -> int:
        """Return how many documents match."""
        return sum(1 for _ in self.iterate(cond))

    def __len__(self) -> int:
        head = self._storage.rows.heads().get(self.name)
        return head.count if head else 0

    def __iter__(self) -> Iterator[Document]:
        return self.iterate()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse what would change or drop a record."""
        raise StreamsOnlyGrow(f"{self.name}: records are never changed or dropped", remedy="append an amendment")

    update = update_multiple = upsert = remove = truncate = _update_table = _refuse

    def _read_table(self) -> Mapping[str, Mapping[str, Any]]:
        return StreamView(self._storage.rows, self.name)


class StreamDB(TinyDB):
    """A TinyDB whose tables are streams: `StreamDB(connection, path).table("crossing")`."""

    table_class = StreamTable
    default_storage_class = SqliteStorage

    def __init__(self, connection: sqlite3.Connection, path: Path, **options: Any) -> None:
        super().__init__(connection, path, **options)
