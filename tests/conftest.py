"""What holds for every test: real devices only when asked, no silent skips in CI, nothing left running.

Everything runs together by default, journeys through real processes included. `pytest --hardware` on a kiosk adds the
tests that need its devices; `pytest -m "not journey"` leaves the long ones out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.harness.leftovers import Leftovers
from tests.harness.postgres import PostgresMissing, new_database, postgres
from tests.harness.skip_policy import SkipPolicy, allowed_skips

pytest_plugins = ["pytester"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--hardware` and `--hil`."""
    parser.addoption("--hardware", action="store_true", help="also run the tests that need the real devices of a kiosk")
    parser.addoption("--hil", action="store_true", help="also collect tests/hil, which boots a machine (make hil)")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what takes minutes and a kernel of its own, unless it was asked for."""
    is_hil = Path(__file__).parent / "hil" in (collection_path, *collection_path.parents)
    return True if is_hil and not config.getoption("--hil") else None


def pytest_configure(config: pytest.Config) -> None:
    """Watch leftovers always, and skips in CI, where Hypothesis tries the same examples each time (its profile ci)."""
    config.pluginmanager.register(Leftovers(), "landfall-leftovers")
    if os.environ.get("CI"):
        setup_cfg = Path(__file__).parent.parent / "setup.cfg"
        config.pluginmanager.register(SkipPolicy(allowed_skips(setup_cfg)), "landfall-skip-policy")
    else:
        hypothesis.settings.register_profile("landfall", deadline=None)  # a busy machine is no fault
        hypothesis.settings.load_profile("landfall")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the tests of real devices unless asked for; let journeys begin first, so that workers end together."""
    items.sort(key=lambda item: item.get_closest_marker("journey") is None)
    if not config.getoption("--hardware"):
        for item in items:
            if item.get_closest_marker("hardware"):
                item.add_marker(pytest.mark.skip(reason="needs a real device; run with --hardware on a kiosk"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server of this run's own."""
    try:
        with postgres() as url:
            yield url
    except PostgresMissing as error:
        pytest.skip(str(error))


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database of this test's own."""
    with new_database(postgres_server) as url:
        yield url
