"""Calls the centre's enrolment desk over HTTPS, and says in plain words why nobody answers.

Owns nothing but the call. Always true: the certificate of the other side leads to the authority that this kiosk has
pinned and is for the host that was called; the machine's other authorities do not count; an answer has a limit.
"""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from edge.errors import ContractError, ProvisioningError
from edge.identity.enrolment import MAX_ANSWER_BYTES, Request
from edge.identity.tls import client_context
from edge.printable import printable

WITHIN_S = 30.0
_ABOUT_TIME = (9, 10)  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED


class CentreSilent(ProvisioningError):
    """The centre could not be reached: nothing was decided, and trying again is right."""


@dataclass(frozen=True, slots=True)
class CentreCall:
    """The enrolment desk at `address` (`https://host:port`), trusted by the root in the file `ca`."""

    address: str
    ca: Path
    within_s: float = WITHIN_S

    def enrol(self, request: Request, code: str) -> str:
        """Return the signed answer to a first request; raise `ProvisioningError` with the centre's own words."""
        return self._ask("POST", "/v1/enrol", {"code": code, "request": msgspec.to_builtins(request)})

    def renew(self, request: Request) -> str:
        """Return the signed answer to a renewal; raise `ProvisioningError` with the centre's own words."""
        return self._ask("POST", "/v1/renew", {"request": msgspec.to_builtins(request)})

    def centre_keys(self) -> str:
        """Return the centre's public keys as it signed them."""
        return self._ask("GET", "/v1/centre-keys", None)

    def _ask(self, method: str, path: str, body: object) -> str:
        where = urlsplit(self.address)
        context = client_context(self.ca)
        connection = http.client.HTTPSConnection(
            where.hostname or "", where.port or 443, timeout=self.within_s, context=context
        )
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            content = answer.read(MAX_ANSWER_BYTES + 1)
        except ssl.SSLCertVerificationError as error:
            is_about_time = error.verify_code in _ABOUT_TIME
            remedy = "set this machine's clock" if is_about_time else "is the address the centre's? Tell the centre"
            raise ProvisioningError(
                f"{where.netloc} does not show the certificate of this deployment: {error.verify_message}",
                remedy=remedy,
            ) from None
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise CentreSilent(
                f"the centre does not answer at {where.netloc}: {why}",
                remedy="look at cable, Wi-Fi and SIM; then run this again",
            ) from None
        finally:
            connection.close()
        return _read(answer.status, content, where.netloc)


def _read(status: int, content: bytes, netloc: str) -> str:
    if status == 200 and len(content) <= MAX_ANSWER_BYTES:
        return content.decode("ascii", "replace")
    try:
        raise refusal(content, CentreSilent if status in (429, 503) else ProvisioningError)
    except ContractError:
        raise CentreSilent(
            f"{netloc} answers {status}, and not as a centre does", remedy="check the address, or try again later"
        ) from None


def refusal(content: bytes, kind: type[ProvisioningError] = ProvisioningError) -> ProvisioningError:
    """Return what the centre says when it does not do what it was asked; raise `ContractError` when it says nothing."""
    try:
        said = json.loads(content)
        error, remedy = str(said["error"])[:200], str(said["remedy"])[:200]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ContractError("this is no refusal of the centre") from None
    return kind(f"the centre says: {printable(error)}", remedy=printable(remedy))
