"""The issuing authority changes: a new one from the offline root, both believed for a while, the old one away."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from cryptography import x509

from central.enrolment import register, revocation
from edge.errors import ProvisioningError
from edge.identity import certificates, enrolment
from edge.identity.certificates import Role, utc_now, verify_chain
from edge.identity.issuing import load_issuers
from edge.identity.signed import verify_document
from edge.identity.tls import client_context
from edge.identity.trust import Trust
from edge.uplink.link import Disconnected, Endpoint, Link
from edge.wire.topics import health_topic
from provisioning.authority import Authority, make_centre_keys
from provisioning.bundle import trust_of
from provisioning.cli import main
from provisioning.install import see_to_certificate
from provisioning.kiosk_keys import KioskKeys
from provisioning.local_broker import LocalBroker
from tests.harness.mosquitto import Participant
from tests.harness.office import centre_keys_in, make_desk, make_office, new_engine, serving
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
        verify_chain([leaf, authority.certificate], Trust(after.root), Role.CLIENT, utc_now())
        signed = authority.documents().sign(b"keys", "typ")
        assert verify_document(signed, "typ", Trust(after.root), utc_now()) == b"keys"


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


@pytest.fixture
def revoked(deployment, after):
    """Revoke the authority before as one types it, and return the deployment's folder."""
    words = ["ca", "retire", str(after.folder), "--compromised", "--offline", str(deployment / "offline")]
    assert main([*words, "--passphrase-file", str(deployment / "words")]) == 0
    return deployment


def installed(post, *, bundle=None):
    words = ["install", "--root", str(post.machine.root), "--yes", "--pin", post.made.pin]
    return main([*words, str(bundle or post.made.bundle)])


def moved(post, port):
    """Let the enrolment server that the kiosk knows be at another port."""
    path, known = post.machine.keys.folder / "enrolment.json", post.machine.enrolment().address
    path.write_text(path.read_text().replace(known, f"{known.rpartition(':')[0]}:{port}"))


def following_desk(deployment, desk):
    """Return the desk as the centre has it once the authority before was revoked."""
    after = Authority.load(deployment / "next")
    keys = msgspec.structs.replace(desk.centre_keys, issuer=certificates.fingerprint(after.certificate))
    keys = msgspec.structs.replace(keys, revoked=after.issuer.trust.list_pem().decode())
    return replace(desk, issuer=after.issuer, signer=after.documents(), centre_keys=keys)


def test_a_kiosk_learns_at_its_renewal_who_was_revoked_and_then_believes_the_thief_nothing(
    deployment, at_post, tmp_path
):
    engine = new_engine(tmp_path)
    stolen = make_desk(deployment, engine)  # the thief has a copy of all of authority/, and of the server's keys
    with serving(stolen, deployment) as port:
        post = at_post(make_office(stolen, port))
        assert installed(post) == 0
    after = Authority.succeed(deployment / "next", deployment / "authority", deployment / "offline", WORDS)
    after.issue_enrolment(deployment / "moved/enrolment", ["localhost"])
    after.revoke_predecessors(deployment / "offline", WORDS)
    forged = stolen.signer.sign(enrolment.encode(stolen.centre_keys), enrolment.CENTRE_KEYS_TYP)
    with serving(following_desk(deployment, stolen), deployment / "moved") as port:
        moved(post, port)
        seen = see_to_certificate(post.machine)
        assert seen.is_new and seen.told.startswith("renewed")
        assert not see_to_certificate(post.machine).is_new, "and only once"
    keys = post.machine.keys
    assert keys.trust == Authority.load(after.folder).issuer.trust

    with pytest.raises(ProvisioningError, match="was revoked by the root"):
        keys.accept_centre_keys(forged, utc_now())
    with serving(stolen, deployment) as port:
        moved(post, port)
        with pytest.raises(ProvisioningError, match="was revoked by the root"):
            see_to_certificate(post.machine)
    assert installed(post) == 2, "a bundle that the thief could have signed"
    engine.dispose()


def test_what_the_thief_signs_takes_no_list_away(revoked, tmp_path):
    keys = KioskKeys(tmp_path / "keys")
    trust = Authority.load(revoked / "next").issuer.trust
    keys.pin(trust)
    assert keys.pin(Authority.load(revoked / "authority").issuer.trust) is False, "an older ca.crt, from a stick"
    assert keys.trust == trust


def test_a_document_that_brings_the_list_its_own_signer_is_on_changes_nothing(revoked, tmp_path):
    """The centre has forgotten to put the new signing.crt in its place: a kiosk must not lock itself out."""
    old, keys = Authority.load(revoked / "authority"), KioskKeys(tmp_path / "keys")
    keys.pin(old.issuer.trust)
    trust = Authority.load(revoked / "next").issuer.trust
    told = msgspec.structs.replace(centre_keys_in(revoked), revoked=trust.list_pem().decode())
    with pytest.raises(ProvisioningError, match="was revoked"):
        keys.accept_centre_keys(old.documents().sign(enrolment.encode(told), enrolment.CENTRE_KEYS_TYP), utc_now())
    assert keys.trust == old.issuer.trust


def test_the_list_reaches_a_kiosk_by_stick_too(deployment, at_post, tmp_path, capsys):
    engine = new_engine(tmp_path)
    desk = make_desk(deployment, engine)
    with serving(desk, deployment) as port:
        post = at_post(make_office(desk, port))
        assert installed(post) == 0
    after = Authority.succeed(deployment / "next", deployment / "authority", deployment / "offline", WORDS)
    after.revoke_predecessors(deployment / "offline", WORDS)
    words = ["enrol", "trust", str(after.folder / "ca.crt"), "--root", str(post.machine.root)]
    assert main(words) == 0
    assert "believes no authority any more that the root has revoked" in capsys.readouterr().out
    assert main(words) == 0
    assert "knew that already" in capsys.readouterr().out
    assert post.machine.keys.trust == Authority.load(after.folder).issuer.trust
    Authority.create(tmp_path / "other")
    assert main(["enrol", "trust", str(tmp_path / "other/ca.crt"), "--root", str(post.machine.root)]) == 2
    engine.dispose()


def test_new_bundles_bring_the_list(revoked, at_post, tmp_path):
    engine = new_engine(tmp_path)
    desk = following_desk(revoked, make_desk(revoked, engine))
    post = at_post(make_office(desk, 1))
    assert trust_of(post.bundle) == desk.issuer.trust
    assert installed(post) == 1, "it goes on as far as a post without a network can"
    assert post.machine.keys.trust == desk.issuer.trust
    engine.dispose()


def test_only_the_root_revokes(deployment, after, capsys):
    assert main(["ca", "retire", str(after.folder), "--compromised"]) == 2
    assert "only the root can revoke them" in capsys.readouterr().err
    with pytest.raises(ProvisioningError, match="the passphrase does not open it"):
        after.revoke_predecessors(deployment / "offline", "something else")
    assert len(load_issuers(after.folder)) == 2, "nothing was changed"


def test_a_later_authority_goes_on_knowing_who_was_revoked(revoked):
    third = Authority.succeed(revoked / "third", revoked / "next", revoked / "offline", WORDS)
    assert third.issuer.trust == Authority.load(revoked / "next").issuer.trust
    assert third.issuer.trust.revoked is not None
    third.revoke_predecessors(revoked / "offline", WORDS)
    assert len(list(Authority.load(third.folder).issuer.trust.revoked)) == 2


def test_a_real_broker_and_its_clients_work_with_the_list_behind_the_root(revoked, tmp_path):
    after = Authority.load(revoked / "next")
    after.issue_kiosk(tmp_path / "kiosk", SITE, NAME)
    (tmp_path / "revoked.pem").write_bytes(after.issuer.revocation_list([], number=1))
    with LocalBroker(tmp_path / "broker", after, revoked=tmp_path / "revoked.pem") as broker:
        assert b"X509 CRL" in (tmp_path / "broker/ca.crt").read_bytes()
        assert is_let_in(broker, tmp_path / "kiosk")


def test_a_kiosk_tells_a_broker_below_a_revoked_authority_nothing(revoked, tmp_path):
    stolen, after = Authority.load(revoked / "authority"), Authority.load(revoked / "next")
    after.issue_kiosk(tmp_path / "kiosk", SITE, NAME)
    told = []
    with LocalBroker(tmp_path / "broker", stolen) as broker:
        files = [tmp_path / "kiosk" / name for name in ("ca.crt", "client.crt", "client.key")]
        link = Link(1, Endpoint(broker.host, broker.port, *files, KIOSK, client_context), None, told.append)
        link.open()
        link.close()
    (gone,) = told
    assert isinstance(gone, Disconnected)
    assert "the authority that certified this was revoked by the root" in gone.reason


def test_certificates_are_renewed_with_the_list_beside_them(revoked):
    after = Authority.load(revoked / "next")
    after.renew(revoked / "enrolment")
    assert (revoked / "enrolment/ca.crt").read_bytes() == after.issuer.trust.pem()
