import json
import re
import stat
from datetime import timedelta

import pytest
from cryptography import x509

from central.cli import main
from edge.identity.certificates import serial_text
from provisioning.authority import Authority
from tests.central.enrolment.conftest import KIOSK, Visitor
from tests.harness.office import make_deployment, make_desk, new_engine

NAMED = ["--site", "dm-roseau", "--kiosk", "ferry-01"]


@pytest.fixture
def centre(tmp_path, capsys):
    """Run a verb of `landfall-central` on a deployment of its own and return status and what was printed."""
    make_deployment(tmp_path / "deployment")
    settings = tmp_path / "central.toml"
    settings.write_text("""\
[enrolment]
address = "https://centre.example.org"
certificate = "deployment/enrolment/enrolment.crt"
key = "deployment/enrolment/enrolment.key"
authority = "deployment/authority"
revocation_list = "revoked.pem"
opening_key = "deployment/centre/opening.pub.json"
receipt_keys = ["deployment/centre/receipt.pub.json"]
""")

    def run(*words):
        status = main([*words, "--config", str(settings)])
        shown = capsys.readouterr()
        return status, shown.out + shown.err

    return run


@pytest.fixture
def desk(centre, tmp_path):
    engine = new_engine(tmp_path)
    yield make_desk(tmp_path / "deployment", engine)
    engine.dispose()


def crl(tmp_path):
    return x509.load_pem_x509_crl((tmp_path / "revoked.pem").read_bytes())


def test_a_code_is_printed_once_and_lets_its_kiosk_in(centre, desk):
    status, told = centre("enrol", "code", *NAMED, "--valid-h", "2")
    code = re.search(r"dm-roseau/ferry-01: ((?:[0-9A-Z]{4}-){3}[0-9A-Z]{4})\n", told)[1]
    assert status == 0
    assert desk.enrol(Visitor().request(), code)


def test_a_revoked_kiosk_is_on_the_list_that_the_broker_reads_and_nothing_of_it_counts(centre, desk, tmp_path):
    desk.enrol(Visitor().request(), desk.invite(KIOSK, timedelta(hours=1))[0])
    status, told = centre("certificate", "revoke", *NAMED)
    assert (status, "1 certificates and 1 record keys revoked" in told) == (0, True)
    assert "systemctl restart landfall-broker" in told
    (entry,) = crl(tmp_path)
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise
    listed = json.loads(centre("certificate", "list", "--json")[1])
    assert [int(one["serial"], 16) for one in listed] == [entry.serial_number]
    assert stat.S_IMODE((tmp_path / "revoked.pem").stat().st_mode) == 0o644
    assert centre("certificate", "revoke", *NAMED)[0] == 1, "there is nothing left to revoke"


def test_one_certificate_is_revoked_by_the_number_that_openssl_shows(centre, desk, tmp_path):
    token = desk.enrol(Visitor().request(), desk.invite(KIOSK, timedelta(hours=1))[0])
    assert token
    listed = json.loads(centre("certificate", "list", "--json")[1])
    assert centre("certificate", "revoke", "--serial", listed[0]["serial"].lower())[0] == 0
    assert [f"{entry.serial_number:X}" for entry in crl(tmp_path)] == [listed[0]["serial"]]


def test_the_list_is_written_anew_with_a_later_number(centre, desk, tmp_path):
    assert centre("certificate", "crl")[0] == 0
    found = crl(tmp_path)
    assert found.is_signature_valid(desk.issuer.certificate.public_key())
    assert (found.next_update_utc - found.last_update_utc).days == 60


@pytest.mark.parametrize("words", [[], ["--site", "dm-roseau"], [*NAMED, "--serial", "1"]])
def test_what_is_to_be_revoked_must_be_said_clearly(centre, words):
    status, told = centre("certificate", "revoke", *words)
    assert (status, "give --site and --kiosk, or --serial alone" in told) == (1, True)


def test_without_its_section_the_settings_are_said_to_lack_it(tmp_path, capsys):
    (tmp_path / "central.toml").write_text("")
    assert main(["enrol", "code", *NAMED, "--config", str(tmp_path / "central.toml")]) == 2
    assert "[enrolment] must be there" in capsys.readouterr().err


def test_a_serial_number_is_spelt_as_openssl_does(desk):
    assert re.fullmatch(r"[0-9A-F]+", serial_text(desk.issuer.certificate))


def test_the_server_does_not_begin_with_a_certificate_that_kiosks_are_about_to_refuse(centre, desk, tmp_path):
    deployment, words = tmp_path / "revoked", "correct horse battery"
    old = Authority.create(deployment / "old", offline=deployment / "offline", passphrase=words)
    old.issue_enrolment(deployment / "enrolment", ["localhost"])
    new = Authority.succeed(deployment / "authority", deployment / "old", deployment / "offline", words)
    new.revoke_predecessors(deployment / "offline", words)
    for folder in ("authority", "enrolment"):
        (tmp_path / "deployment" / folder).rename(tmp_path / f"{folder}-before")
        (deployment / folder).rename(tmp_path / "deployment" / folder)
    status, told = centre("enrol", "serve")
    assert status == 1
    assert "enrolment.crt: the authority that certified this was revoked by the root" in told
    assert "landfall-provision ca renew" in told
