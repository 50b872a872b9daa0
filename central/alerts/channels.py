"""The ways out: a webhook, a mail server, and the dead man's switch.

Owns HTTP (urllib) and SMTP (smtplib) as far as a notification needs them. Always true: a post is signed and says when
it was made, so that the receiver can refuse a forged or an old one; no mail goes without TLS unless the settings say
so; redirects are not followed; whatever a server does, the error says its kind alone.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from central.alerts.outbox import Letter
from central.alerts.telling import mail_of
from central.config import HeartbeatSettings, MailSettings, WebhookSettings
from edge.errors import LandfallError, SettingError

SIGNATURE_HEADER = "Landfall-Signature"  # t=<Unix seconds>,v1=<HMAC-SHA256 of "<t>.<body>", hexadecimal>
NUMBER_HEADER = "Landfall-Notification"  # the same at each attempt


class NotDelivered(LandfallError):
    """A server was not reached, or did not take what it was sent."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def signature(secret: bytes, at_s: int, body: bytes) -> str:
    """Return what proves that a body is ours and of this second (RFC 2104, FIPS 180-4)."""
    digest = hmac.new(secret, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


class Webhook:
    """Posts notifications as JSON."""

    def __init__(self, settings: WebhookSettings, *, clock_s: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._secret = _secret(settings.secret)
        self._clock_s = clock_s

    def send(self, letter: Letter) -> None:
        """Post one notification; raise `NotDelivered` unless the answer is 2xx."""
        body = letter.body.encode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: signature(self._secret, int(self._clock_s()), body),
            NUMBER_HEADER: str(letter.id),
        }
        _post(self._settings.url, body, headers, self._settings.timeout_s)


class Mail:
    """Mails notifications."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._password = "" if settings.password is None else _secret(settings.password).decode()
        try:
            self._context = ssl.create_default_context(cafile=settings.ca)
        except (OSError, ssl.SSLError):
            raise SettingError(
                str(settings.ca), "", "must be a readable PEM file with the authority's certificate"
            ) from None

    def send(self, letter: Letter) -> None:
        """Mail one notification; raise `NotDelivered` when the server does not take it for everybody."""
        settings = self._settings
        mail = mail_of(letter.body, settings.sender, settings.to, letter.id)
        try:
            refused = self._hand_over(mail)
        except (OSError, smtplib.SMTPException) as error:
            raise NotDelivered(_kind(error)) from None
        if refused:
            raise NotDelivered(f"{len(refused)} of {len(settings.to)} addresses refused")

    def _hand_over(self, mail: EmailMessage) -> dict[str, Any]:
        settings = self._settings
        if settings.tls == "implicit":
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=settings.timeout_s, context=self._context
            )
        else:
            client = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_s)
        with client:
            if settings.tls == "starttls":
                client.starttls(context=self._context)
            if settings.user:
                client.login(settings.user, self._password)
            return client.send_message(mail)


class Heartbeat:
    """Posts to a dead man's switch."""

    def __init__(self, settings: HeartbeatSettings) -> None:
        self.every_s = settings.every_s
        self._settings = settings

    def beat(self) -> None:
        """Say that alerts are evaluated; raise `NotDelivered` when nobody took it."""
        _post(self._settings.url, b"", {}, self._settings.timeout_s)


def _post(url: str, body: bytes, headers: dict[str, str], timeout_s: float) -> None:
    try:
        request = urllib.request.Request(url, body, {"User-Agent": "landfall", **headers}, method="POST")
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout_s) as answer:
            answer.read(1024)  # so that the connection ends in order; what it says does not matter
    except urllib.error.HTTPError as error:
        error.close()
        raise NotDelivered(f"answered {error.code}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotDelivered(_kind(getattr(error, "reason", error))) from None


def _kind(error: object) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answered {error.smtp_code}"
    return type(error).__name__


def _secret(path: Path) -> bytes:
    try:
        found = path.read_bytes().strip()
    except OSError as error:
        raise SettingError(str(path), "", f"cannot be read ({error.strerror})") from None
    if not found:
        raise SettingError(str(path), "", "must hold a secret")
    return found
