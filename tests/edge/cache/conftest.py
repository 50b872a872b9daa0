from pathlib import Path

import pytest

from edge.cache import CacheReader
from tests.edge.cache.specimens import open_new


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "kiosk.db"


@pytest.fixture
def cache(path):
    with open_new(path) as cache:
        yield cache


@pytest.fixture
def reader(cache, path):
    with CacheReader.open(path) as reader:
        yield reader
