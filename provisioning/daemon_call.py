"""Asks the centre through the daemon, whose connection to the broker may be the only way out of a post.

Owns nothing but the call. Always true: what comes back is what a centre's machine published, believed as little as what
comes over HTTPS: `KioskKeys.accept` verifies it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.control import ask
from edge.errors import ContractError, LandfallError, ProvisioningError
from edge.identity.enrolment import Request
from provisioning.centre_call import CentreSilent, refusal

WITHIN_S = 30.0
EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class DaemonCall:
    """The daemon behind the control socket at `path`."""

    path: Path
    within_s: float = WITHIN_S
    pause: Callable[[float], None] = time.sleep

    def renew(self, request: Request) -> str:
        """Return the signed answer to a renewal: certificate and centre's keys as they are now.

        Raises `CentreSilent` when no answer comes, `ProvisioningError` with the centre's own words when it refuses.
        """
        until_s = time.monotonic() + self.within_s
        while True:
            try:
                answer = str(ask(self.path, "renew", request=msgspec.to_builtins(request)).get("answer", ""))
            except LandfallError as error:
                raise CentreSilent(error.message, remedy=error.remedy) from None
            if answer.startswith("{"):
                raise _refused(answer)
            if answer:
                return answer
            if time.monotonic() >= until_s:
                raise CentreSilent("nobody at the centre answers through the broker", remedy="try again later")
            self.pause(EVERY_S)


def _refused(answer: str) -> ProvisioningError:
    try:
        return refusal(answer.encode())
    except ContractError:
        return CentreSilent("what came through the broker is no answer of a centre", remedy="try again later")
