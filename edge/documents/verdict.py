"""What a standard module says of a document: its fields, and one verdict for each check.

Owns the two types that every module of `edge.documents` returns. There is no overall boolean on purpose: the lane's
policy decides what a failed or doubtful check means. Always true: a verdict names fields and positions, never values.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Result(StrEnum):
    """Outcome of one check."""

    OK = "ok"
    FAILED = "failed"
    DOUBTFUL = "doubtful"
    NOT_DONE = "not_done"


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """One check with its result; `detail` says why in a few words and never quotes the document."""

    check: str
    result: Result
    detail: str = ""


class Document(msgspec.Struct, frozen=True):
    """What was understood of one payload.

    `source` is the contract's word (mrz, chip, bcbp, aamva, vds, dcc, manual, paper); `kind` the standard's own name of
    the form (`TD3`, `MRV-A`, `BCBP`, `AAMVA`, `VDS`, `VDS-NC`, `DCC`), or `unknown` when nothing recognised it.
    `fields` hold JSON values under the standard's names; dates are RFC 3339 full-dates, or EDTF with `X` for digits
    that the document leaves open (`1974-XX-XX`). Fields that could not be read are left out, not guessed.
    """

    kind: str
    source: str
    fields: dict[str, Any]
    verdicts: tuple[Verdict, ...]

    @property
    def is_understood(self) -> bool:
        """Tell whether any standard recognised the payload."""
        return self.kind != "unknown"

    def of(self, result: Result) -> tuple[Verdict, ...]:
        """Return the verdicts with this result, in their order."""
        return tuple(verdict for verdict in self.verdicts if verdict.result is result)

    def __repr__(self) -> str:
        return f"Document(kind={self.kind!r}, fields=<{len(self.fields)} withheld>, verdicts={len(self.verdicts)})"

    __str__ = __repr__
