"""The acceptance report of a kiosk: what a technician and the kiosk found when it was set up.

Owns its fields and their bounds. It goes to the centre as the detail of an audit event, and stays at the kiosk as a JWS
of its own type. Always true: it names devices, checks and figures, and who accepted by a service number; no field can
hold a document, a picture or a name, and a whole report is at most `MAX_ACCEPTANCE_BYTES`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from edge.errors import ContractError
from edge.wire.crossing import SERVICE_NUMBER

ACCEPTANCE_TYP = "landfall-acceptance"
EVENT = "acceptance"  # on the audit stream
MAX_ACCEPTANCE_BYTES = 32 * 1024

_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\Z"
Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}\Z")]
Title = Annotated[str, Meta(min_length=1, max_length=60, pattern=_PRINTABLE)]
Sentence = Annotated[str, Meta(max_length=240, pattern=_PRINTABLE)]
Moment = Annotated[str, Meta(max_length=32, pattern=r"^[0-9TZ:.+-]*\Z")]
ServiceNumber = Annotated[str, Meta(pattern=SERVICE_NUMBER)]


class Verdict(StrEnum):
    """What came of one step."""

    OK = "ok"
    WARN = "warn"  # it works, but not for long or not as meant
    FAILED = "failed"
    SKIPPED = "skipped"  # nobody has looked


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step: what was looked at, how it is, what was found, what to do about it, and figures with units in names."""

    what: Title
    verdict: Verdict
    detail: Sentence = ""
    remedy: Sentence = ""
    measured: Annotated[dict[Word, float], Meta(max_length=16)] = {}


class Acceptance(msgspec.Struct, frozen=True, omit_defaults=True):
    """The whole report. `accepted` says that nothing failed and nothing was skipped; `inputs` counts keys pressed.

    `kiosk` and what follows it are filled in by the kiosk that signs, whoever asks it to.
    """

    by: ServiceNumber
    began_at: Moment
    accepted: bool
    inputs: Annotated[int, Meta(ge=0, le=100_000)]
    findings: Annotated[tuple[Finding, ...], Meta(min_length=1, max_length=96)]
    kiosk: str = ""
    version: str = ""
    settings_sha256: str = ""
    signed_at: str = ""


def is_accepted(findings: tuple[Finding, ...]) -> bool:
    """Tell whether a kiosk with these findings may go to work."""
    return not any(one.verdict in (Verdict.FAILED, Verdict.SKIPPED) for one in findings)


def acceptance(raw: object) -> Acceptance:
    """Return a report from what JSON made of it; raise `ContractError` naming the field, never its content."""
    try:
        found = msgspec.convert(raw, Acceptance)
    except (msgspec.ValidationError, RecursionError) as error:
        place = str(error).partition(" - at ")[2].strip("`") or "a field"
        raise ContractError(f"not an acceptance report: {place} is missing or not right") from None
    if len(encode(found)) > MAX_ACCEPTANCE_BYTES:
        raise ContractError(f"not an acceptance report: it is larger than {MAX_ACCEPTANCE_BYTES} bytes")
    return found


def encode(report: Acceptance) -> bytes:
    """Return the bytes that are signed."""
    return msgspec.json.encode(report)


def detail(report: Acceptance) -> dict[str, Any]:
    """Return the detail of the audit event."""
    return msgspec.to_builtins(report)
