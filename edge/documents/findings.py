"""Collects what the checks of one document found, and gives exactly one verdict for each.

Owns the rule "every check answers on every parse": a check that nobody spoke about passed. Several remarks on one check
make one verdict: the gravest result, all details. Always true: remarks name fields and positions, never values.
"""

from __future__ import annotations

from edge.documents.verdict import Result, Verdict

_GRAVITY = {Result.OK: 0, Result.NOT_DONE: 1, Result.DOUBTFUL: 2, Result.FAILED: 3}
_LONGEST_DETAIL = 400  # characters; hostile input must not make a record grow without end


class Findings:
    """The remarks on one document, check by check."""

    __slots__ = ("_checks", "_remarks")

    def __init__(self, checks: tuple[str, ...]) -> None:
        self._checks = checks
        self._remarks: dict[str, list[tuple[Result, str]]] = {}

    def ok(self, check: str, detail: str) -> None:
        """Remark something that is worth saying and does not harm the check."""
        self._remarks.setdefault(check, []).append((Result.OK, detail))

    def not_done(self, check: str, detail: str) -> None:
        """Remark that the check could not be made."""
        self._remarks.setdefault(check, []).append((Result.NOT_DONE, detail))

    def doubtful(self, check: str, detail: str) -> None:
        """Remark that the check leaves a doubt that a person should look at."""
        self._remarks.setdefault(check, []).append((Result.DOUBTFUL, detail))

    def failed(self, check: str, detail: str) -> None:
        """Remark that the document breaks the check."""
        self._remarks.setdefault(check, []).append((Result.FAILED, detail))

    def has(self, check: str) -> bool:
        """Tell whether anything was remarked on this check."""
        return check in self._remarks

    def verdicts(self) -> tuple[Verdict, ...]:
        """Return one verdict for each check, in the order of the checks."""
        return tuple(self._verdict(check) for check in self._checks)

    def _verdict(self, check: str) -> Verdict:
        remarks = self._remarks.get(check)
        if remarks is None:
            return Verdict(check, Result.OK)
        if len(remarks) == 1:
            return Verdict(check, *remarks[0])
        gravest = max((result for result, _ in remarks), key=_GRAVITY.__getitem__)
        detail = "; ".join(dict.fromkeys(detail for _, detail in remarks))
        if len(detail) > _LONGEST_DETAIL:
            detail = f"{detail[: _LONGEST_DETAIL - 4]} ..."
        return Verdict(check, gravest, detail)
