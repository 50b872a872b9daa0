"""Nothing that a test started may outlive the run.

Owns the look at child processes and threads after the last fixture is gone. A child that has ended but that nobody
waited for counts too: its owner does not know how it ended. Where several workers run the tests (pytest-xdist), each
looks at itself and tells the one process that reports.
"""

from __future__ import annotations

import gc
import os
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest


def child_processes() -> list[str]:
    """Return pid and command line of every child of this process, those of Python's own bookkeeping left out."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue  # it has ended meanwhile
        is_own = "multiprocessing.resource_tracker" in command or "multiprocessing.forkserver" in command
        if parent == os.getpid() and not is_own:
            found.append(f"process {process.name}: {command or 'ended, but nobody waited for it'}")
    return found


def lasting_threads() -> list[str]:
    """Return the name of every thread that would keep the interpreter from ending."""
    main = threading.main_thread()
    return [f"thread {t.name}" for t in threading.enumerate() if t is not main and t.is_alive() and not t.daemon]


class Leftovers:
    """A pytest plugin that fails a run which leaves processes or threads behind."""

    TOLD = "landfall-leftovers"

    def __init__(self) -> None:
        self._left: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look when every fixture is gone; a run that failed already keeps its own status."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        if session.config.pluginmanager.has_plugin("dsession"):
            pass  # this process ran no test; what its workers left it has been told
        elif (told := getattr(session.config, "workeroutput", None)) is not None:
            told[self.TOLD] = child_processes() + lasting_threads()
        else:
            self._left = child_processes() + lasting_threads()
        if self._left and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take down what a worker left."""
        self._left += getattr(node, "workeroutput", {}).get(self.TOLD, [])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name what was left running."""
        if self._left:
            terminalreporter.section("left running after the tests", red=True)
            for line in self._left:
                terminalreporter.line(line)
