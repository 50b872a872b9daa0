from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.cache import CacheReader
from tests.edge.queue.sealed_store import SealedStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SealedStore]:
    """Give a store with the first record of each stream."""
    made = SealedStore(tmp_path / "cache.db")
    yield made
    made.cache.close()


@pytest.fixture
def reader(store: SealedStore) -> Iterator[CacheReader]:
    """Give a reader of that store."""
    with CacheReader.open(store.path) as reader:
        yield reader


@pytest.fixture
def told() -> Callable[..., None]:
    """Give a progress that remembers what it was told, in `told.calls`."""

    def tell(*words: object) -> None:
        tell.calls.append(words)  # type: ignore[attr-defined]

    tell.calls = []  # type: ignore[attr-defined]
    return tell
