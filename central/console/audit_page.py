"""The page of the audit log, for auditors: newest first, page by page.

Owns the page; entries and their chain are the matter of `central.console.audit`. Always true: it only reads.
"""

from __future__ import annotations

from starlette.responses import Response

from central import database
from central.console import audit
from central.console.visit import Visit

PAGE_ENTRIES = 100


def show(visit: Visit) -> Response:
    """Show a page of entries, from the one before `?before=` on."""
    before = visit.request.query_params.get("before", "")
    start = int(before) if before.isascii() and before.isdecimal() and len(before) < 16 else None
    with database.reading(visit.console.engine) as connection:
        entries = audit.page(connection, before=start, size=PAGE_ENTRIES + 1)
        head = audit.head(connection)
    shown = entries[:PAGE_ENTRIES]
    older = shown[-1].sequence if len(entries) > PAGE_ENTRIES else None
    return visit.show("audit.html", {"entries": shown, "head": head, "older": older, "is_first": start is None})
