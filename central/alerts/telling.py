"""PURE. Alerts -> the body of a notification, and of that the text of a mail.

Owns the form of what is posted: `{"landfall": "alerts", "at", "opened": [...], "closed": [...], "more"}`. Always true:
what is in it are names of kiosks and devices, figures and our own sentences; it is bounded however many alerts there
are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import msgspec

from central.alerts.ledger import Alert
from central.database import rfc3339

MOST = 50  # alerts in one notification; how many more there are is said


def body_of(opened: Sequence[Alert], closed: Sequence[Alert], numbers: Mapping[Alert, int], now: datetime) -> str:
    """Return the JSON that is posted; `numbers` are those of alerts that were just written."""
    said = {
        "landfall": "alerts",
        "at": rfc3339(now),
        "opened": [_said(one, numbers) for one in opened[:MOST]],
        "closed": [_said(one, numbers) for one in closed[:MOST]],
        "more": max(0, len(opened) - MOST) + max(0, len(closed) - MOST),
    }
    return msgspec.json.encode(said).decode()


def _said(one: Alert, numbers: Mapping[Alert, int]) -> dict[str, Any]:
    return {
        "id": one.id or numbers.get(one, 0),
        "code": one.code,
        "scope": one.scope,
        "subject": one.subject,
        "severity": one.severity.word,
        "what": one.what,
        "remedy": one.remedy,
        "since": rfc3339(one.since),
        "closed_at": one.closed_at and rfc3339(one.closed_at),
    }


def mail_of(body: str, sender: str, to: Sequence[str], number: int) -> EmailMessage:
    """Return a notification as a mail (RFC 5322), in plain text."""
    said = msgspec.json.decode(body)
    opened, closed = said["opened"], said["closed"]
    first = (opened or closed)[0]
    others = len(opened) + len(closed) + said["more"] - 1
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, ", ".join(to)
    mail["Subject"] = (
        f"Landfall: {first['scope']} {first['code'].replace('_', ' ')}"
        + ("" if opened else " is over")
        + (f" and {others} more" if others else "")
    )
    mail["Message-ID"] = f"<landfall-alerts-{number}@{sender.partition('@')[2]}>"  # the same each time it is tried
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer of a machine, please
    paragraphs = [
        f"{one['scope']}: {one['what']}\n  What to do: {one['remedy']}\n  {one['severity']}, seen since {one['since']},"
        f" alert {one['id']}"
        for one in opened
    ]
    paragraphs += [f"{one['scope']}: over since {one['closed_at']}. It was: {one['what']}" for one in closed]
    if said["more"]:
        paragraphs.append(f"... and {said['more']} more; see the console.")
    mail.set_content("\n\n".join(paragraphs) + "\n")
    return mail
