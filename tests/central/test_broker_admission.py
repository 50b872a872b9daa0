"""Who is let in by a real broker: nobody whose certificate has run out or was revoked, and no weak encryption."""

import os
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from central.broker import mosquitto_configuration, write_broker_folder
from central.cli import main
from edge.wire.topics import PREFIX
from provisioning.authority import Authority, Validity
from provisioning.local_broker import find_mosquitto
from provisioning.local_deployment import wait_until
from tests.central.test_broker import speak_tls, trusting
from tests.harness.mosquitto import LocalBroker, Participant

A, B = "khb/kiosk-a", "khb/kiosk-b"


@pytest.fixture
def authority(tmp_path):
    return Authority.create(tmp_path / "ca")


def write_revoked(folder, serials, *, until=timedelta(days=30)):
    """Write what the authority in `folder` revokes, as it would itself: a CRL (RFC 5280, section 5)."""
    key = serialization.load_pem_private_key((folder / "issuing.key").read_bytes(), password=None)
    issuer = x509.load_pem_x509_certificate((folder / "issuing.crt").read_bytes()).subject
    at = datetime.now(UTC) - timedelta(days=2)
    made = x509.CertificateRevocationListBuilder().issuer_name(issuer).last_update(at).next_update(at + until)
    for serial in serials:
        one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        made = made.add_revoked_certificate(one)
    path = folder / "revoked.pem"
    path.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


def is_let_in(broker, folder):
    try:
        with Participant(broker, folder) as client:
            return client.publish(f"{PREFIX}/{A}/health", b"1").startswith(("Success", "No matching"))
    except (ConnectionError, ssl.SSLError):
        return False


def test_a_revoked_kiosk_is_refused_and_the_others_are_not(authority, tmp_path):
    stolen, sold, _ = (authority.issue_client(tmp_path / name, A) for name in ("stolen", "sold", "kept"))
    revoked = write_revoked(tmp_path / "ca", [stolen.serial_number])
    with LocalBroker(tmp_path / "broker", authority, revoked=revoked) as broker:
        let_in = [name for name in ("stolen", "sold", "kept") if is_let_in(broker, tmp_path / name)]
        assert let_in == ["sold", "kept"]
        write_revoked(tmp_path / "ca", [stolen.serial_number, sold.serial_number])
        broker.reload()
        # A signal is taken up when the broker comes round its loop.
        wait_until(lambda: "Reloading config" in broker.log_text(), 60, "the broker reads its files again")
        let_in = [name for name in ("stolen", "sold", "kept") if is_let_in(broker, tmp_path / name)]
        assert let_in == ["kept"]


def test_with_a_revocation_list_that_ran_out_nobody_is_let_in(authority, tmp_path):
    authority.issue_client(tmp_path / "kiosk", A)
    revoked = write_revoked(tmp_path / "ca", [], until=timedelta(days=1))
    with LocalBroker(tmp_path / "broker", authority, revoked=revoked) as broker:
        assert not is_let_in(broker, tmp_path / "kiosk")


def test_a_kiosk_whose_certificate_ran_out_is_refused(authority, tmp_path):
    for_a_day = Validity(leaf=timedelta(days=1))
    Authority.load(tmp_path / "ca", validity=for_a_day, clock=two_days_ago).issue_client(tmp_path / "kiosk", A)
    with LocalBroker(tmp_path / "broker", authority) as broker, pytest.raises(ssl.SSLError, match=r"(?i)expired"):
        speak_tls(broker, presenting(tmp_path, "kiosk"))


def two_days_ago():
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)


def presenting(folder, who):
    context = trusting(folder)
    context.load_cert_chain(folder / who / "client.crt", folder / who / "client.key")
    return context


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"])
def test_under_tls_1_2_only_authenticated_encryption_is_spoken(authority, tmp_path, cipher):
    authority.issue_client(tmp_path / "kiosk", A)
    with LocalBroker(tmp_path / "broker", authority) as broker:
        context = presenting(tmp_path, "kiosk")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(cipher)
        with pytest.raises(ssl.SSLError, match=r"(?i)handshake"):
            speak_tls(broker, context)


def write_configuration(folder, *words):
    return main(["broker-config", str(folder), "--centre", "collector-1", *words])


def test_what_the_command_writes_a_broker_runs_from(authority, tmp_path, capsys):
    authority.issue_client(tmp_path / "kiosk", A)
    (tmp_path / "sessions").mkdir()
    with LocalBroker(tmp_path / "broker", authority) as broker:  # for its certificate, and for a port that is free
        broker.stop()
        port = ["--port", str(broker.port), "--address", "127.0.0.1", "--sessions", str(tmp_path / "sessions")]
        assert write_configuration(tmp_path, *port, "--certificates", str(tmp_path / "broker")) == 0
        assert "written for collector-1" in capsys.readouterr().out
        if os.geteuid() == 0:  # or it becomes a user that may not read this folder
            with (tmp_path / "mosquitto.conf").open("a") as file:
                file.write("user root\n")
        with (tmp_path / "log").open("wb") as log:
            mosquitto = subprocess.Popen([find_mosquitto(), "-c", tmp_path / "mosquitto.conf"], stderr=log)
        try:
            wait_until(lambda: b" running\n" in (tmp_path / "log").read_bytes(), 60, "the broker runs")
            assert is_let_in(broker, tmp_path / "kiosk")
        finally:
            mosquitto.terminate()
            mosquitto.wait()
    assert mosquitto.returncode == 0


def test_the_command_replaces_what_it_wrote_and_keeps_it_from_others(tmp_path):
    assert write_configuration(tmp_path) == 0
    before = (tmp_path / "mosquitto.conf").stat().st_ino
    assert write_configuration(tmp_path, "--centre", "console-1", "--max-connections", "20000") == 0
    assert "user centre/console-1\n" in (tmp_path / "access.acl").read_text()
    assert "max_connections 20000\n" in (tmp_path / "mosquitto.conf").read_text()
    assert (tmp_path / "mosquitto.conf").stat().st_ino != before
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "mosquitto.conf": 0o640,
        "access.acl": 0o640,
    }


def test_two_who_write_at_once_leave_the_whole_word_of_one(tmp_path):
    said = {
        name: mosquitto_configuration(port=8883, certificates=tmp_path, access_file=tmp_path / name) for name in "ab"
    }

    def write_often(name):
        for _ in range(30):
            write_broker_folder(tmp_path, [name], said[name])

    with ThreadPoolExecutor(2) as both:
        list(both.map(write_often, "ab"))
    assert (tmp_path / "mosquitto.conf").read_text().endswith(tuple(said.values()))
    assert {path.name for path in tmp_path.iterdir()} == {"mosquitto.conf", "access.acl"}


def test_a_folder_that_is_not_there_is_a_wrong_setting(tmp_path, capsys):
    assert write_configuration(tmp_path / "nothing") == 2
    assert "nothing: cannot be written (No such file or directory)" in capsys.readouterr().err


def test_a_name_that_would_let_more_in_writes_nothing(tmp_path, capsys):
    assert write_configuration(tmp_path, "--centre", "x\nuser khb") == 2
    assert "must be 1-32 lower case letters" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
