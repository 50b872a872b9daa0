"""Who may do what at the console.

Owns roles and rights, as data. Always true: every role may look at the fleet; nobody, whatever the role, sees a
traveller here, and nobody can change the audit log.
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What an account is for."""

    AUDITOR = "auditor"
    OPERATOR = "operator"
    TECHNICIAN = "technician"


class Right(StrEnum):
    """What a page or button asks for."""

    LOOK = "look at the fleet"
    SEE_AUDIT_LOG = "read the audit log"
    TEND_ALERTS = "acknowledge and silence alerts"
    COMMAND = "send commands and settings to kiosks"


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.AUDITOR: frozenset({Right.LOOK, Right.SEE_AUDIT_LOG}),
    Role.OPERATOR: frozenset({Right.LOOK, Right.TEND_ALERTS}),
    Role.TECHNICIAN: frozenset({Right.LOOK, Right.TEND_ALERTS, Right.COMMAND}),
}


def who_may(right: Right) -> str:
    """Return the roles with a right, for the sentence that refuses it."""
    return " or ".join(role.value for role in Role if right in RIGHTS[role])
