"""A renewal that goes through the daemon's control socket."""

import pytest

from edge.control import ControlServer
from edge.errors import ProvisioningError
from edge.identity import enrolment
from provisioning.centre_call import CentreSilent
from provisioning.daemon_call import DaemonCall

REQUEST = enrolment.Request("dm-roseau/ferry-01", "csr", {"kty": "OKP"}, "proof")


@pytest.fixture
def daemon(tmp_path):
    """Serve a control socket that gives these answers, one after the other, the last again and again."""
    servers = []

    def serve(*answers):
        left = list(answers)

        def put(asked):
            assert asked.verb == "renew"
            assert asked.arguments["request"]["kiosk"] == REQUEST.kiosk
            asked.reply(left.pop(0) if len(left) > 1 else left[0])

        server = ControlServer(tmp_path / "control.sock", put)
        server.start()
        servers.append(server)
        return DaemonCall(tmp_path / "control.sock", within_s=0.0 if len(answers) == 1 else 10.0, pause=lambda _: None)

    yield serve
    for server in servers:
        server.stop()


def test_the_answer_is_waited_for(daemon):
    assert daemon({"answer": ""}, {"answer": ""}, {"answer": "a.b.c"}).renew(REQUEST) == "a.b.c"


def test_a_refusal_is_told_in_the_centres_words_without_what_a_terminal_would_obey(daemon):
    refused = '{"error": "not known\\u001b[2J", "remedy": "enrol it anew"}'
    with pytest.raises(ProvisioningError, match=r"the centre says: not known\?\[2J; enrol it anew"):
        daemon({"answer": refused}).renew(REQUEST)


@pytest.mark.parametrize("answer", [{"answer": ""}, {"error": "there is no connection to the broker"}, {}])
def test_without_an_answer_the_centre_is_silent(daemon, answer):
    with pytest.raises(CentreSilent):
        daemon(answer).renew(REQUEST)


def test_where_no_daemon_runs_the_centre_is_silent(tmp_path):
    with pytest.raises(CentreSilent, match="no kiosk answers"):
        DaemonCall(tmp_path / "control.sock").renew(REQUEST)
