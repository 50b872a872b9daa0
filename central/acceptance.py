"""The acceptance reports of kiosks, as their audit streams hold them, and how one is printed.

Owns which records are such reports, and the printed page of 80 columns. Always true: what is listed came in a record
that the kiosk signed and the centre verified; a report of a form that is not known here is passed over, and stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from central.chain import Standing
from central.tables import record
from edge.errors import ContractError
from edge.printable import printable
from edge.wire.acceptance import EVENT, Acceptance, Verdict, acceptance
from edge.wire.record import AUDIT

WIDTH = 80
_WHAT, _INDENT = 20, 30


@dataclass(frozen=True, slots=True)
class Kept:
    """One report, and the record that it came in."""

    kiosk: str
    sequence: int
    epoch: str
    received_at: str
    hash: str
    report: Acceptance


class _Audit(msgspec.Struct, frozen=True):
    event: Any = None
    detail: Any = None


def reports(connection: Connection, kiosk: str = "") -> Iterator[Kept]:
    """Yield the reports of a kiosk, or of all, oldest first."""
    names = ("kiosk", "sequence", "epoch", "received_at", "hash", "plaintext")
    query = select(*(record.c[name] for name in names)).where(
        record.c.type == AUDIT, record.c.state == Standing.OPENED.state, record.c.branch.is_not(None)
    )
    if kiosk:
        query = query.where(record.c.kiosk == kiosk)
    query = query.order_by(record.c.received_at, record.c.kiosk, record.c.sequence)
    for *where, plaintext in connection.execution_options(yield_per=500).execute(query):
        try:
            audit = msgspec.json.decode(plaintext or b"{}", type=_Audit)
            if audit.event == EVENT:
                yield Kept(*where, report=acceptance(audit.detail))
        except (msgspec.DecodeError, ContractError):
            continue


def page(kept: Kept) -> str:
    """Return a report as it is printed and filed."""
    report = kept.report
    counts = {verdict: sum(one.verdict is verdict for one in report.findings) for verdict in Verdict}
    lines = [
        f"{'LANDFALL  ACCEPTANCE REPORT':<60}{report.signed_at[:10]:>{WIDTH - 60}}",
        "",
        f"  Kiosk       {kept.kiosk}",
        f"  Result      {'ACCEPTED' if report.accepted else 'NOT ACCEPTED'}: "
        + ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count),
        f"  Accepted by {report.by}, {report.inputs} keys pressed",
        f"  Begun       {report.began_at}",
        f"  Signed      {report.signed_at} by the kiosk's record key, verified",
        f"  Received    {kept.received_at}, audit record {kept.sequence}",
        f"  Record      {kept.hash}",
        f"  Software    {report.version}, settings {report.settings_sha256[:16]}",
        "",
    ]
    for one in report.findings:
        said = wrap(printable(one.detail), WIDTH - _INDENT)
        said += wrap(f"do: {printable(one.remedy)}", WIDTH - _INDENT) if one.remedy else []
        verdict = [one.verdict.value]
        for left, middle, right in zip_longest(verdict, wrap(printable(one.what), _WHAT - 1), said, fillvalue=""):
            lines.append(f"  {left:<8}{middle:<{_WHAT}}{right}")
    lines += ["", f"  Kept at the centre. Signature {'_' * 24}   Date {'_' * 16}", ""]
    return "\n".join(line.rstrip() for line in lines)
