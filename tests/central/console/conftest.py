"""A console on SQLite for the tests of pages; `engine`, from the folder above, is both databases in turn."""

from __future__ import annotations

import pytest

from central import database
from tests.central.console.harness import ConsoleUnderTest


@pytest.fixture
def sqlite(tmp_path):
    """Give an SQLite database that is up to date."""
    engine = database.connect(f"sqlite:///{tmp_path / 'central.db'}")
    database.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def console(sqlite):
    """Give a console with accounts and no kiosk."""
    return ConsoleUnderTest(sqlite)
