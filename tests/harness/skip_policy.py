"""A skipped test is a failure in CI, unless setup.cfg allows it with a reason.

Owns the allow-list and the verdict over a whole run; it skips nothing itself. Always true: outside CI it only watches.
"""

from __future__ import annotations

import configparser
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

SECTION = "landfall:allowed-skips"


def allowed_skips(setup_cfg: Path) -> dict[str, str]:
    """Return the patterns of node ids that may be skipped, each with its reason.

    Raises ValueError for a line without a reason: a skip that nobody can explain is not allowed.
    """
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.read(setup_cfg, encoding="utf-8")
    allowed = {}
    for line in parser.get(SECTION, "skips", fallback="").strip().splitlines():
        pattern, _, reason = (part.strip() for part in line.partition("="))
        if not reason:
            raise ValueError(f"{setup_cfg.name}: [{SECTION}] must say why after `=`: {pattern}")
        allowed[pattern] = reason
    return allowed


class SkipPolicy:
    """A pytest plugin that turns a run with unexpected skips into a failed one."""

    def __init__(self, allowed: dict[str, str]) -> None:
        self._allowed = allowed
        self._unexpected: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a skipped test; an expected failure (xfail) is none."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report.nodeid, report.longrepr)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that was skipped as a whole."""
        if report.skipped:
            self._note(report.nodeid, report.longrepr)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run; a run that failed already keeps its own status."""
        if self._unexpected and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name what was skipped without leave."""
        if self._unexpected:
            terminalreporter.section("skipped without leave", red=True)
            for line in self._unexpected:
                terminalreporter.line(line)
            terminalreporter.line(f"Install what is missing, or allow the skip in setup.cfg, [{SECTION}].")

    def _note(self, node_id: str, why: object) -> None:
        if not any(fnmatchcase(node_id, pattern) for pattern in self._allowed):
            reason = why[2] if isinstance(why, tuple) else why
            self._unexpected.append(f"{node_id}: {reason}")
