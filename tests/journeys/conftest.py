"""What every journey starts from: a deployment of real processes in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.journeys.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Return a function that makes a running deployment; every process has ended after the test."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(World(tmp_path, **options))
