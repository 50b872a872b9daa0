import socket
import ssl
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from central.broker import BrokerLimits, access_list, mosquitto_configuration
from edge.errors import SettingError
from edge.identity import certificates
from edge.wire.topics import PREFIX
from provisioning.authority import Authority, private_pem
from tests.harness.mosquitto import Delivered, LocalBroker, Participant

A, B = "khb/kiosk-a", "khb/kiosk-b"
KIOSK_SAYS = ("stream/crossing", "stream/evidence", "status", "health", "reply/7", "reported")
CENTRE_SAYS = ("receipt/crossing", "command/resend", "desired")
MARK = f"{PREFIX}/{A}/status"


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    authority = Authority.create(folder / "ca")
    for kiosk in (A, B):
        authority.issue_client(folder / kiosk, kiosk)
    for name in ("collector-1", "collector-2"):
        authority.issue_collector(folder / name, name)
    return authority, folder


@pytest.fixture(scope="module")
def broker(ca, tmp_path_factory):
    authority, _ = ca
    limits = BrokerLimits(max_packet_bytes=4096)
    with LocalBroker(tmp_path_factory.mktemp("broker"), authority, centre=["collector-1"], limits=limits) as broker:
        yield broker


@pytest.fixture
def connect(broker, ca):
    _, folder = ca
    return lambda who, **options: Participant(broker, folder / who, **options)


@pytest.mark.parametrize("branch", KIOSK_SAYS)
def test_a_kiosk_is_heard_by_the_centre_in_its_own_branch(connect, branch):
    with connect(A) as kiosk, connect("collector-1") as collector:
        collector.subscribe(f"{PREFIX}/#")
        assert kiosk.publish(f"{PREFIX}/{A}/{branch}", b"1").startswith(("Success", "No matching"))
        assert collector.delivered(1)[0].topic == f"{PREFIX}/{A}/{branch}"


@pytest.mark.parametrize("branch", CENTRE_SAYS)
def test_a_kiosk_hears_the_centre_in_its_own_branch(connect, branch):
    with connect(A) as kiosk, connect("collector-1") as collector:
        kiosk.subscribe(f"{PREFIX}/{A}/{branch}")
        assert collector.publish(f"{PREFIX}/{A}/{branch}", b"1") == "Success"
        assert kiosk.delivered(1) == [Delivered(f"{PREFIX}/{A}/{branch}", b"1")]


@pytest.mark.parametrize(
    "topic",
    [
        *(f"{PREFIX}/{B}/{branch}" for branch in (*KIOSK_SAYS, *CENTRE_SAYS)),
        *(f"{PREFIX}/{A}/{branch}" for branch in CENTRE_SAYS),
        f"{PREFIX}/{A}/stream/crossing/deeper",
        f"{PREFIX}/{A}",
        f"{PREFIX}/khb/status",
        f"landfall/v2/{A}/status",
        "status",
    ],
)
def test_a_kiosk_publishes_nowhere_else(connect, topic):
    with connect(A) as kiosk:
        assert kiosk.publish(topic, b"1") == "Not authorized"


@pytest.mark.parametrize("filter_", [f"{PREFIX}/#", "#", f"{PREFIX}/{A}/#", "$share/collectors/landfall/v1/+/+/status"])
def test_a_kiosk_hears_nothing_of_another_whatever_it_subscribes_to(connect, filter_):
    with connect(A) as a, connect(B) as b, connect("collector-1") as collector:
        b.subscribe(filter_)
        for branch in KIOSK_SAYS:
            a.publish(f"{PREFIX}/{A}/{branch}", b"1")
        for branch in CENTRE_SAYS:
            collector.publish(f"{PREFIX}/{A}/{branch}", b"1")
        # What comes after is delivered after: once this is here, nothing else is on its way.
        b.subscribe(f"{PREFIX}/{B}/desired")
        collector.publish(f"{PREFIX}/{B}/desired", b"mark")
        assert {message.topic for message in b.delivered(1)} == {f"{PREFIX}/{B}/desired"}


def test_a_kiosk_hears_no_retained_message_of_another(connect):
    with connect(A) as a, connect(B) as b, connect("collector-1") as collector:
        a.publish(MARK, b"birth", retain=True)
        b.subscribe(f"{PREFIX}/#")
        collector.publish(f"{PREFIX}/{B}/desired", b"mark")
        assert [message.topic for message in b.delivered(1)] == [f"{PREFIX}/{B}/desired"]
        a.publish(MARK, b"", retain=True)


def test_a_kiosk_leaves_no_will_that_speaks_for_another(connect):
    with connect("collector-1") as collector:
        collector.subscribe(f"{PREFIX}/+/+/status")
        for whose in (A, B):
            with connect(B, will=f"{PREFIX}/{whose}/status") as b:
                b.vanish()
        assert collector.delivered(1) == [Delivered(f"{PREFIX}/{B}/status", b"gone")]


@pytest.mark.parametrize("branch", KIOSK_SAYS)
def test_a_collector_cannot_speak_for_a_kiosk(connect, branch):
    with connect("collector-1") as collector:
        assert collector.publish(f"{PREFIX}/{A}/{branch}", b"1") == "Not authorized"


def test_a_collector_that_is_not_on_the_list_may_do_nothing(connect):
    with connect("collector-2") as collector:
        assert collector.publish(f"{PREFIX}/{A}/desired", b"1") == "Not authorized"


def test_a_kiosk_cannot_push_another_off_the_broker_by_its_client_id(connect):
    with connect(A, client_id=A) as a, connect(B, client_id=A):
        assert a.publish(MARK, b"1").startswith(("Success", "No matching"))


def test_two_machines_with_one_certificate_push_each_other_off(connect):
    with connect(A) as first, connect(A):
        assert first.is_pushed_off()


def test_the_largest_packet_is_told_and_a_larger_one_ends_the_connection(connect):
    with connect(A) as kiosk:
        assert kiosk.max_packet_bytes == 4096
        assert kiosk.publish(MARK, b"x" * 4000).startswith(("Success", "No matching"))
        with pytest.raises(ConnectionError):
            kiosk.publish(MARK, b"x" * 4096)


def speak_tls(broker, context):
    plain = socket.create_connection((broker.host, broker.port), timeout=60)
    with plain, context.wrap_socket(plain, server_hostname="localhost") as tls:
        return tls.recv(1)  # under TLS 1.3 the client learns of a refused certificate when it reads


def trusting(folder):
    return ssl.create_default_context(cafile=folder / "ca" / "ca.crt")


def test_a_client_without_a_certificate_is_refused(broker, ca):
    with pytest.raises(ssl.SSLError, match=r"(?i)certificate.required|handshake"):
        speak_tls(broker, trusting(ca[1]))


def test_a_client_of_another_authority_is_refused(broker, ca, tmp_path):
    Authority.create(tmp_path / "ca").issue_client(tmp_path / "client", A)
    context = trusting(ca[1])
    context.load_cert_chain(tmp_path / "client" / "client.crt", tmp_path / "client" / "client.key")
    with pytest.raises(ssl.SSLError, match=r"(?i)unknown.ca|decrypt.error|bad.certificate"):
        speak_tls(broker, context)


def test_a_kiosks_certificate_certifies_nobody(broker, ca, tmp_path):
    _, folder = ca
    chain = x509.load_pem_x509_certificates((folder / A / "client.crt").read_bytes())
    kiosks_key = serialization.load_pem_private_key((folder / A / "client.key").read_bytes(), None)
    key, now = certificates.new_key(), datetime.now(UTC)
    forged = (
        x509.CertificateBuilder()
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, B)]))
        .issuer_name(chain[0].subject)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(kiosks_key, hashes.SHA256())
    )
    (tmp_path / "client.key").write_bytes(private_pem(key))
    (tmp_path / "client.crt").write_bytes(b"".join(map(certificates.pem, (forged, *chain))))
    context = trusting(folder)
    context.load_cert_chain(tmp_path / "client.crt", tmp_path / "client.key")
    with pytest.raises(ssl.SSLError, match="alert"):
        speak_tls(broker, context)


def test_a_broker_certificate_is_no_client_certificate(broker, ca, tmp_path):
    ca[0].issue_broker(tmp_path, ["localhost"])
    context = trusting(ca[1])
    context.load_cert_chain(tmp_path / "broker.crt", tmp_path / "broker.key")
    with pytest.raises(ssl.SSLError, match=r"(?i)alert"):
        speak_tls(broker, context)


def test_a_kiosk_refuses_a_broker_of_another_authority(broker, tmp_path):
    Authority.create(tmp_path / "ca").issue_client(tmp_path / "client", A)
    with pytest.raises(ssl.SSLCertVerificationError), Participant(broker, tmp_path / "client"):
        pass


def test_nothing_older_than_tls_1_2_is_spoken(broker, ca):
    context = trusting(ca[1])
    context.load_cert_chain(ca[1] / A / "client.crt", ca[1] / A / "client.key")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match=r"(?i)alert.protocol.version"):
        speak_tls(broker, context)


def test_the_log_names_clients_and_quotes_no_payload(connect, broker):
    with connect(A) as kiosk:
        kiosk.publish(MARK, b"PAYLOAD-NOBODY-MAY-READ")
    assert f"as {A}" in broker.log_text()
    assert "PAYLOAD-NOBODY-MAY-READ" not in broker.log_text()


@pytest.mark.parametrize("name", ["", "a/b", "Collector", "x\nuser root", "+", "#"])
def test_a_name_of_the_centre_that_is_none_is_refused(name):
    with pytest.raises(SettingError, match="must be 1-32 lower case"):
        access_list([name])


def test_a_path_cannot_smuggle_a_setting_in():
    with pytest.raises(SettingError, match="cafile must be one line"):
        mosquitto_configuration(port=8883, certificates=Path("x\nallow_anonymous true"), access_file=Path("acl"))


def test_without_a_folder_for_sessions_nothing_is_kept():
    text = mosquitto_configuration(port=8883, certificates=Path("c"), access_file=Path("acl"))
    assert "persistence false\n" in text
    assert "persistence_location" not in text
