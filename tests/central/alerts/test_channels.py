"""The ways out, to real servers: what a webhook and a mail look like, and what a failure costs."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import json
import socket

import pytest

from central.alerts.channels import Heartbeat, Mail, NotDelivered, Webhook
from central.alerts.outbox import Letter
from central.config import HeartbeatSettings, MailSettings, WebhookSettings
from edge.errors import SettingError
from provisioning.authority import Authority
from tests.central.alerts.servers import Mailbox, http_server, smtp_server

ALERT = {
    "id": 7,
    "code": "tamper",
    "scope": "utopia/lane-1",
    "subject": "panel",
    "severity": "critical",
    "what": "The case of panel is open, or was opened.",
    "remedy": "Ask the post who opened it.",
    "since": "2026-03-01T12:00:00.000Z",
    "closed_at": None,
}
BODY = json.dumps({"landfall": "alerts", "at": "", "opened": [ALERT], "closed": [], "more": 0})
LETTER = Letter(3, "webhook", BODY, "2026-03-01T12:00:00.000Z", 0)


@pytest.fixture
def webhook(tmp_path):
    (tmp_path / "secret").write_text("geheim\n")

    def make(url, **settings):
        settings = {"timeout_s": 60.0} | settings
        return Webhook(WebhookSettings(url=url, secret=tmp_path / "secret", **settings), clock_s=lambda: 1000.5)

    return make


def test_a_post_is_signed_with_the_secret_and_the_time(webhook):
    with http_server() as posted:
        webhook(posted.url + "/landfall").send(LETTER)
        ((path, headers, body),) = posted.requests
    assert (path, body.decode(), headers["Content-Type"]) == ("/landfall", BODY, "application/json")
    expected = hmac.new(b"geheim", b"1000." + body, hashlib.sha256).hexdigest()
    assert headers["Landfall-Signature"] == f"t=1000,v1={expected}"
    assert headers["Landfall-Notification"] == "3"


@pytest.mark.parametrize("code", [302, 307, 400, 404, 500, 503])
def test_any_other_answer_than_2xx_is_a_failure_and_a_redirect_is_not_followed(webhook, code):
    with http_server() as posted:
        posted.answers = [code]
        with pytest.raises(NotDelivered, match=f"answered {code}"):
            webhook(posted.url).send(LETTER)
        assert len(posted.requests) == 1


def test_a_server_that_is_not_there_says_nothing_or_talks_nonsense_is_a_failure(webhook):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(NotDelivered):
            webhook(url).send(LETTER)
        listener.listen()
        with pytest.raises(NotDelivered):
            webhook(url, timeout_s=1.0).send(LETTER)  # takes the connection and says nothing
    with pytest.raises(NotDelivered):
        webhook("http://[::1").send(LETTER)


def test_a_secret_that_is_missing_or_empty_is_a_setting_that_is_wrong(tmp_path):
    (tmp_path / "empty").write_text("\n")
    for name in ("none", "empty"):
        with pytest.raises(SettingError, match=name):
            Webhook(WebhookSettings(url="http://h", secret=tmp_path / name))


def test_the_heart_beats_with_an_empty_post():
    with http_server() as posted:
        Heartbeat(HeartbeatSettings(url=posted.url + "/beat")).beat()
        assert [(path, body) for path, _, body in posted.requests] == [("/beat", b"")]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mail")
    made = Authority.create(folder / "ca")
    made.issue_broker(folder, ["localhost", "127.0.0.1"])
    return folder


@pytest.fixture
def mailbox():
    return Mailbox()


def mail(authority, port, **settings):
    given = {"host": "127.0.0.1", "port": port, "ca": authority / "ca" / "ca.crt", "sender": "landfall@post.example"}
    return Mail(MailSettings(**given | {"to": ("duty@post.example", "head@post.example")} | settings))


def test_a_mail_goes_over_tls_and_says_what_is_wrong_and_what_to_do(authority, mailbox):
    with smtp_server(authority, mailbox) as port:
        mail(authority, port).send(LETTER)
    ((to, content, is_encrypted),) = mailbox.mails
    assert (to, is_encrypted) == (["duty@post.example", "head@post.example"], True)
    shown = email.message_from_bytes(content, policy=email.policy.default)
    assert shown["Subject"] == "Landfall: utopia/lane-1 tamper"
    assert shown["Message-ID"] == "<landfall-alerts-3@post.example>"
    text = shown.get_content()
    assert ALERT["what"] in text
    assert ALERT["remedy"] in text


def test_many_alerts_are_one_mail(authority, mailbox):
    body = json.dumps({"opened": [ALERT] * 3, "closed": [ALERT | {"closed_at": "x"}], "more": 70, "at": ""})
    with smtp_server(authority, mailbox) as port:
        mail(authority, port).send(Letter(4, "mail", body, "", 0))
    shown = email.message_from_bytes(mailbox.mails[0][1], policy=email.policy.default)
    assert shown["Subject"] == "Landfall: utopia/lane-1 tamper and 73 more"
    assert "and 70 more" in shown.get_content()


def test_a_password_is_shown_to_a_server_with_tls_alone(authority, mailbox, tmp_path):
    (tmp_path / "password").write_text("geheim")
    with smtp_server(authority, mailbox, password="geheim") as port:
        mail(authority, port, user="landfall", password=tmp_path / "password").send(LETTER)
        (tmp_path / "password").write_text("falsch")
        with pytest.raises(NotDelivered):
            mail(authority, port, user="landfall", password=tmp_path / "password").send(LETTER)
    assert len(mailbox.mails) == 1


def test_a_server_with_a_strangers_certificate_gets_no_mail(authority, mailbox, tmp_path):
    Authority.create(tmp_path / "other")
    with smtp_server(authority, mailbox) as port, pytest.raises(NotDelivered, match="SSLCertVerificationError"):
        mail(authority, port, ca=tmp_path / "other" / "ca.crt").send(LETTER)
    assert mailbox.mails == []


def test_a_mail_that_not_everybody_gets_is_a_failure(authority, mailbox):
    mailbox.refuses = {"head@post.example"}
    with (
        smtp_server(authority, mailbox) as port,
        pytest.raises(NotDelivered, match="1 of 2 addresses refused"),
    ):
        mail(authority, port).send(LETTER)
