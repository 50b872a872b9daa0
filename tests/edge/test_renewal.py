"""A renewal that goes through the daemon: carried, and judged by nobody here."""

import msgspec
import pytest

from edge.events import RenewalAnswered
from edge.renewal import MAX_REQUEST_BYTES, Renewal
from edge.uplink.uplink import Said

KIOSK = "dm-roseau/ferry-01"
REQUEST = {"kiosk": KIOSK, "csr": "..."}


@pytest.fixture
def said():
    return []


@pytest.fixture
def renewal(said):
    return Renewal(KIOSK, said.append)


def test_a_request_goes_out_as_it_came_and_its_answer_is_kept(renewal, said):
    assert renewal.answer({"request": REQUEST}, is_connected=True) == {"answer": ""}
    topic = f"landfall/v1/{KIOSK}/renewal/request"
    assert said == [Said(topic, msgspec.json.encode(REQUEST), is_owed=True)]
    renewal.take(RenewalAnswered("signed"))
    assert renewal.answer({"request": REQUEST}, is_connected=True) == {"answer": "signed"}
    assert len(said) == 1, "who asks again and again waits for the one answer"


def test_a_new_request_forgets_the_answer_to_the_one_before(renewal, said):
    renewal.answer({"request": REQUEST}, is_connected=True)
    renewal.take(RenewalAnswered("old"))
    assert renewal.answer({"request": REQUEST | {"csr": "new"}}, is_connected=True) == {"answer": ""}
    assert len(said) == 2


def test_an_answer_to_nothing_is_not_kept(renewal):
    renewal.take(RenewalAnswered("forged"))
    assert renewal.answer({"request": REQUEST}, is_connected=True) == {"answer": ""}


def test_without_a_connection_the_asker_is_told_at_once(renewal, said):
    assert renewal.answer({"request": REQUEST}, is_connected=False) == {"error": "there is no connection to the broker"}
    assert said == []


@pytest.mark.parametrize("request_", [None, "text", [], {"csr": "x" * MAX_REQUEST_BYTES}])
def test_what_is_no_request_is_not_sent(renewal, said, request_):
    assert "error" in renewal.answer({"request": request_}, is_connected=True)
    assert said == []
