"""Both databases for every test that asks for `engine`, and a broker with certificates for those that need one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from central import database
from tests.harness.postgres import new_database, postgres


@pytest.fixture(scope="session")
def server() -> Iterator[Callable[[], str]]:
    """Start PostgreSQL when a test first asks for it."""
    with ExitStack() as stack:
        started: list[str] = []

        def start() -> str:
            if not started:
                started.append(stack.enter_context(postgres()))
            return started[0]

        yield start


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, server: Callable[[], str]) -> Iterator[str]:
    """Give the URL of an empty database of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'central.db'}"
    else:
        with new_database(server()) as made:
            yield made


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """Give a database that is up to date."""
    engine = database.connect(url)
    database.upgrade(engine)
    yield engine
    engine.dispose()
