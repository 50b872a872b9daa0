"""The issuing authority changes: a new one from the offline root, both believed for a while, the old one away."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509

from central.enrolment import register, revocation
from edge.errors import ProvisioningError
from edge.identity import certificates, enrolment
from edge.identity.certificates import Role, utc_now, verify_chain
from edge.identity.issuing import load_issuers
from edge.identity.signed import verify_document
from edge.wire.topics import health_topic
from provisioning.authority import Authority, make_centre_keys
from provisioning.cli import main
from provisioning.install import see_to_certificate
from provisioning.local_broker import LocalBroker
from tests.harness.mosquitto import Participant
from tests.harness.office import make_desk, make_office, new_engine, serving
from tests.provisioning.conftest import KIOSK

WORDS = "correct horse battery"
SITE, NAME = KIOSK.split("/")


@pytest.fixture
def deployment(tmp_path):
    """Return a deployment's folder with its offline root."""
    folder = tmp_path / "deployment"
    authority = Authority.create(folder / "authority", offline=folder / "offline", passphrase=WORDS)
    authority.issue_enrolment(folder / "enrolment", ["localhost"])
    make_centre_keys(folder / "centre")
    (folder / "words").write_text(f"{WORDS}\n")
    return folder


@pytest.fixture
def after(deployment):
    """Return the authority that follows, in a folder of its own."""
    return Authority.succeed(deployment / "next", deployment / "authority", deployment / "offline", WORDS)


def test_the_next_authority_is_below_the_same_root_and_has_a_name_of_its_own(deployment, after):
    before = Authority.load(deployment / "authority")
    assert after.root == before.root
    assert certificates.common_name(after.certificate) == "Landfall authority issuing 2"
    assert after.certificate.public_key() != before.certificate.public_key()
    third = Authority.succeed(deployment / "third", deployment / "next", deployment / "offline", WORDS)
    assert [one.number for one in load_issuers(third.folder)] == [3, 2, 1]
    assert (third.folder / "issuing.key").stat().st_mode & 0o777 == 0o600


def test_what_both_issue_and_sign_is_believed_by_who_knows_the_root(deployment, after):
    for authority in (Authority.load(deployment / "authority"), Authority.load(after.folder)):
        leaf = authority.issuer.issue(certificates.new_key().public_key(), KIOSK, Role.CLIENT)
        verify_chain([leaf, authority.certificate], after.root, Role.CLIENT, utc_now())
        signed = authority.documents().sign(b"keys", "typ")
        assert verify_document(signed, "typ", after.root, utc_now()) == b"keys"


@pytest.mark.parametrize(
    ("words", "offline", "why"),
    [
        ("something else", "offline", "the passphrase does not open it"),
        (WORDS, "nowhere", "fetch the offline folder from its safe"),
        (WORDS, "other/offline", "is of another deployment"),
    ],
)
def test_without_the_root_there_is_no_new_authority(deployment, words, offline, why):
    Authority.create(deployment / "other/ca", offline=deployment / "other/offline", passphrase=WORDS)
    with pytest.raises(ProvisioningError, match=why):
        Authority.succeed(deployment / "next", deployment / "authority", deployment / offline, words)
    assert not (deployment / "next").exists()


def is_let_in(broker, folder):
    try:
        with Participant(broker, folder) as client:
            return client.publish(health_topic(KIOSK), b"1").startswith(("Success", "No matching"))
    except (ConnectionError, ssl.SSLError):
        return False


def test_a_real_broker_reads_the_lists_of_both_and_refuses_the_old_one_when_it_is_retired(deployment, after, tmp_path):
    before, engine, path = Authority.load(deployment / "authority"), new_engine(tmp_path), tmp_path / "revoked.pem"
    for authority, name in ((before, "old"), (before, "stolen"), (after, "new")):
        issued = authority.issue_kiosk(tmp_path / name, SITE, NAME)
        with engine.begin() as connection:
            chain = (tmp_path / name / "client.crt").read_bytes()
            register.add_certificate(connection, issued, chain, name, utc_now())
            if name == "stolen":
                serial = certificates.serial_text(issued)
                register.revoke(connection, [serial], x509.ReasonFlags.key_compromise, utc_now())
    revocation.write_revocation_list(engine, load_issuers(after.folder), path, utc_now())
    with LocalBroker(tmp_path / "broker", before, revoked=path) as broker:
        assert [name for name in ("old", "stolen", "new") if is_let_in(broker, tmp_path / name)] == ["old", "new"]
        assert after.forget_predecessors() == 1
        revocation.write_revocation_list(engine, load_issuers(after.folder), path, utc_now())
        broker.restart()
        assert [name for name in ("old", "stolen", "new") if is_let_in(broker, tmp_path / name)] == ["new"]
    engine.dispose()


def test_a_kiosk_renews_the_night_after_and_only_then_the_old_authority_is_retired(
    deployment, at_post, tmp_path, capsys
):
    engine = new_engine(tmp_path)
    desk = make_desk(deployment, engine)
    settings = tmp_path / "central.toml"
    settings.write_text(f'[database]\nurl = "sqlite:///{tmp_path}/central.db"\n')
    with serving(desk, deployment) as port:
        post = at_post(make_office(desk, port))
        assert (
            main(["install", "--root", str(post.machine.root), "--yes", "--pin", post.made.pin, str(post.made.bundle)])
            == 0
        )
    first = post.machine.keys.certificate(KIOSK)
    words = ["ca", "issuer", str(deployment / "next"), "--ca", str(deployment / "authority")]
    assert main([*words, "--offline", str(deployment / "offline"), "--passphrase-file", str(deployment / "words")]) == 0
    retire = ["ca", "retire", str(deployment / "next"), "--config", str(settings)]
    capsys.readouterr()
    assert main(retire) == 1
    assert KIOSK in capsys.readouterr().out

    after = Authority.load(deployment / "next")
    keys = enrolment.CentreKeys(
        desk.centre_keys.opening, desk.centre_keys.receipts, certificates.fingerprint(after.certificate)
    )
    following = replace(desk, issuer=after.issuer, signer=after.documents(), centre_keys=keys)
    with serving(following, deployment) as port:
        where = post.machine.enrolment().address.rpartition(":")[0]
        told = (post.machine.keys.folder / "enrolment.json").read_text()
        (post.machine.keys.folder / "enrolment.json").write_text(
            told.replace(post.machine.enrolment().address, f"{where}:{port}")
        )
        seen = see_to_certificate(post.machine)
        assert seen.is_new
        assert seen.told.startswith("renewed, good until")
        assert not see_to_certificate(post.machine).is_new, "and only once"
    renewed = post.machine.keys.certificate(KIOSK)
    assert renewed != first
    renewed.verify_directly_issued_by(after.certificate)
    assert renewed.not_valid_after_utc - utc_now() > timedelta(days=800)

    assert main(retire) == 0
    assert len(load_issuers(deployment / "next")) == 1
    assert main(retire) == 2
    assert "there is no earlier authority" in capsys.readouterr().err
    engine.dispose()


@pytest.mark.parametrize("name", ["issuing.key", "issuing.crt", "ca.crt"])
def test_a_damaged_file_of_two_authorities_is_told(deployment, after, name):
    (after.folder / name).write_bytes((after.folder / name).read_bytes()[:80])
    (after.folder / name).chmod(0o600)
    with pytest.raises(ProvisioningError, match="restore"):
        load_issuers(after.folder)


def test_a_power_cut_while_the_old_ones_are_forgotten_leaves_an_authority_that_works(deployment, after):
    both = (after.folder / "issuing.crt").read_bytes()
    after.forget_predecessors()
    (after.folder / "issuing.crt").write_bytes(both)  # the key was written, and the certificate not yet
    assert [one.number for one in load_issuers(after.folder)] == [2]
