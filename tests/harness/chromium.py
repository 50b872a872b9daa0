"""The browser of the tests: Debian's Chromium, headless, which calls nobody but the pages under test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

_CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
_ARGUMENTS += " --disable-component-update --disable-sync --disable-dev-shm-usage"


@contextmanager
def headless_chromium() -> Iterator[Browser]:
    """Start a browser, or skip where none is installed."""
    if not Path(_CHROMIUM).exists():
        pytest.skip("chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS.split())
        yield browser
        browser.close()
