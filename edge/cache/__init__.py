"""The local cache of a kiosk: TinyDB in front, SQLite underneath.

`Cache` is the one writer, `CacheReader` one of any number of readers in other threads or processes. The file is the
truth: what `append` returned from is on disk, and only the centre's receipt releases it.
"""

from edge.cache.cache import Cache
from edge.cache.downgrade import downgrade
from edge.cache.reader import CacheReader
from edge.cache.records import Head, Lost, Salvage, StoredRecord, Unreadable

__all__ = ["Cache", "CacheReader", "Head", "Lost", "Salvage", "StoredRecord", "Unreadable", "downgrade"]
