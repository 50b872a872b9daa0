"""Verdicts on a document that is opened layer by layer, where a layer that does not open hides the ones below it.

Owns the rule that sealed documents need and printed ones do not: silence is `not_done`, never `ok`. A signature that
nobody checked must not look like one that was checked. Always true: exactly one verdict for each check, in the order
of the checks; the last word on a check counts.
"""

from __future__ import annotations

from collections.abc import Iterable

from edge.documents.verdict import Result, Verdict

NOT_REACHED = "not reached"


class LayerBroken(Exception):
    """A layer does not open; `check` names it, `detail` says why and quotes nothing. Never leaves a `parse`."""

    def __init__(self, check: str, detail: str) -> None:
        super().__init__(check, detail)
        self.check, self.detail = check, detail


class Layers:
    """What was found in each layer so far; every check starts as `not_done`."""

    __slots__ = ("_verdicts",)

    def __init__(self, checks: Iterable[str]) -> None:
        self._verdicts = {check: Verdict(check, Result.NOT_DONE, NOT_REACHED) for check in checks}

    def ok(self, check: str, detail: str = "") -> None:
        """Say that the check was made and passed."""
        self.take(Verdict(check, Result.OK, detail))

    def not_done(self, check: str, detail: str) -> None:
        """Say that the check could not be made, and why."""
        self.take(Verdict(check, Result.NOT_DONE, detail))

    def doubtful(self, check: str, detail: str) -> None:
        """Say that a person should look at it."""
        self.take(Verdict(check, Result.DOUBTFUL, detail))

    def failed(self, check: str, detail: str) -> None:
        """Say that the document breaks the check."""
        self.take(Verdict(check, Result.FAILED, detail))

    def take(self, *verdicts: Verdict) -> None:
        """Accept verdicts that another module reached; raises KeyError for a check that was not announced."""
        for verdict in verdicts:
            if verdict.check not in self._verdicts:
                raise KeyError(verdict.check)
            self._verdicts[verdict.check] = verdict

    def verdicts(self) -> tuple[Verdict, ...]:
        """Return one verdict for each check, in the order of the checks."""
        return tuple(self._verdicts.values())
