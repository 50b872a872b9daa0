import http.client
import json
import ssl
from datetime import timedelta

import msgspec
import pytest

from central.enrolment.server import MAX_BODY_BYTES, Pace
from edge.identity import enrolment
from edge.identity.certificates import utc_now
from edge.identity.signed import verify_document
from tests.central.enrolment.conftest import KIOSK, Visitor
from tests.harness.office import make_desk, serving

TRIES = 40


class Caller:
    """Calls a server whose certificate leads to the authority, as a kiosk does."""

    def __init__(self, port, ca):
        self._port, self._context = port, ssl.create_default_context(cafile=ca)

    def __call__(self, method, path, body=None):
        connection = http.client.HTTPSConnection("localhost", self._port, context=self._context, timeout=60)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'central.db'}"


@pytest.fixture
def served(engine, deployment):
    desk = make_desk(deployment, engine)
    with serving(desk, deployment, Pace(TRIES, lambda: 0.0)) as port:
        yield desk, Caller(port, deployment / "authority" / "ca.crt")


def posted(request, code=""):
    return msgspec.json.encode({"code": code, "request": msgspec.to_builtins(request)})


def test_a_kiosk_enrols_renews_and_asks_for_the_centres_keys(served):
    desk, call = served
    kiosk, trust = Visitor(), desk.issuer.trust
    code, _ = desk.invite(KIOSK, timedelta(hours=1))
    status, token = call("POST", "/v1/enrol", posted(kiosk.request(), code))
    assert status == 200
    answer = enrolment.decode_answer(verify_document(token.decode(), enrolment.ANSWER_TYP, trust, utc_now()))
    status, renewed = call("POST", "/v1/renew", posted(kiosk.request()))
    again = enrolment.decode_answer(verify_document(renewed.decode(), enrolment.ANSWER_TYP, trust, utc_now()))
    assert (status, again.certificate) == (200, answer.certificate)
    status, keys = call("GET", "/v1/centre-keys")
    payload = verify_document(keys.decode(), enrolment.CENTRE_KEYS_TYP, trust, utc_now())
    assert (status, enrolment.decode_centre_keys(payload)) == (200, desk.centre_keys)


def test_a_refusal_says_why_and_what_to_do(served):
    _, call = served
    status, body = call("POST", "/v1/enrol", posted(Visitor().request(), "0000-0000-0000-0000"))
    assert (status, sorted(json.loads(body))) == (403, ["error", "remedy"])
    assert "does not let this kiosk in" in json.loads(body)["error"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{}", 400),
        (b"\xff", 400),
        (b'{"request": 7}', 400),
        (b'{"request": {"kiosk": "a/b", "csr": "x", "record": {}, "proof": ""}}', 400),
        (b"[" * 10_000, 400),
        (b" " * (MAX_BODY_BYTES + 1), 413),
    ],
    ids=["nothing", "no request", "no text", "a number", "no certificate request", "deep", "long"],
)
def test_what_is_no_request_is_refused_and_the_next_one_served(served, body, status):
    _, call = served
    assert call("POST", "/v1/enrol", body)[0] == status
    assert call("GET", "/v1/centre-keys")[0] == 200


def test_one_address_has_so_many_tries(served):
    _, call = served
    states = [call("GET", "/v1/centre-keys")[0] for _ in range(TRIES + 2)]
    assert states == [200] * TRIES + [429] * 2


def test_wrong_codes_slow_down_whoever_sends_them_and_nobody_else():
    now = [0.0]
    pace = Pace(30, lambda: now[0])
    for _ in range(6):
        assert pace.allows("203.0.113.7")
        pace.slow_down("203.0.113.7")
    assert not pace.allows("203.0.113.7")
    assert pace.allows("203.0.113.8")
    now[0] = 2.0
    assert pace.allows("203.0.113.7")


def test_a_pace_gives_new_tries_as_time_passes_and_forgets_the_oldest_addresses():
    now = [0.0]
    pace = Pace(2, lambda: now[0])
    assert [pace.allows("a") for _ in range(3)] == [True, True, False]
    now[0] = 30.0
    assert [pace.allows("a") for _ in range(2)] == [True, False]
    for number in range(5000):
        pace.allows(str(number))
    assert len(pace._seen) == 4096
