import ipaddress
import json
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError
from joserfc.jwk import OKPKey

from edge.errors import ProvisioningError
from edge.seal import load_private_key, load_public_key
from provisioning.authority import Authority, Validity, make_centre_keys, make_kiosk_keys

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path):
    return Authority.create(tmp_path / "ca", clock=lambda: NOON)


def load(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind).value


def private_files(folder):
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if ".key" in path.name}


def verify_server(authority, certificate, host, at=NOON):
    policy = PolicyBuilder().store(Store([authority.root])).time(at)
    return policy.build_server_verifier(x509.DNSName(host)).verify(certificate, [authority.certificate])


def verify_client(authority, certificate, at=NOON):
    # A client is known by its subject, so it needs no subject alternative name.
    policy = PolicyBuilder().store(Store([authority.root])).time(at)
    policy = policy.extension_policies(
        ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all()
    )
    return policy.build_client_verifier().verify(certificate, [authority.certificate])


@pytest.mark.parametrize(("which", "path_length"), [("root", 1), ("certificate", 0)])
def test_a_root_signs_one_authority_and_that_one_signs_leaves(authority, which, path_length):
    certificate = getattr(authority, which)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extension(certificate, x509.KeyUsage)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, path_length)
    assert certificate.issuer == authority.root.subject
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)


def test_a_loaded_authority_issues_what_the_created_one_verifies(authority, tmp_path):
    certificate = Authority.load(tmp_path / "ca", clock=lambda: NOON).issue_kiosk(tmp_path / "k", "khb", "kiosk-1")
    verify_client(authority, certificate)


def test_a_broker_is_good_under_each_of_its_hosts_and_no_other(authority, tmp_path):
    authority.issue_broker(tmp_path / "b", ["broker.example.org", "localhost", "127.0.0.1", "::1"])
    certificate = load(tmp_path / "b" / "broker.crt")
    names = extension(certificate, x509.SubjectAlternativeName)
    assert names.get_values_for_type(x509.DNSName) == ["broker.example.org", "localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")]
    verify_server(authority, certificate, "broker.example.org")
    with pytest.raises(VerificationError):
        verify_server(authority, certificate, "other.example.org")


def test_a_kiosk_is_named_by_site_and_kiosk_and_may_only_be_a_client(authority, tmp_path):
    certificate = authority.issue_kiosk(tmp_path / "k", "khb", "kiosk-1")
    assert [a.value for a in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["khb/kiosk-1"]
    assert list(extension(certificate, x509.ExtendedKeyUsage)) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert extension(certificate, x509.BasicConstraints).ca is False
    assert sorted(path.name for path in (tmp_path / "k").iterdir()) == ["ca.crt", "client.crt", "client.key"]


def test_a_broker_may_only_be_a_server(authority, tmp_path):
    broker = authority.issue_broker(tmp_path / "b", ["localhost"])
    assert list(extension(broker, x509.ExtendedKeyUsage)) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_kiosk_cannot_be_named_like_a_collector(authority, tmp_path):
    with pytest.raises(ProvisioningError, match="'centre' is kept for the centre's own"):
        authority.issue_kiosk(tmp_path / "k", "centre", "collector-1")
    collector = authority.issue_collector(tmp_path / "c", "collector-1")
    assert collector.subject.rfc4514_string() == "CN=centre/collector-1"


@pytest.mark.parametrize("name", ["khb", "khb/", "/k", "khb/+", "khb/#", "KHB/k", "khb/k/x", "khb/k\n", "khb/ k", ""])
def test_a_name_that_a_topic_cannot_hold_is_refused(authority, tmp_path, name):
    with pytest.raises(ProvisioningError):
        authority.issue_client(tmp_path / "k", name)
    assert not (tmp_path / "k").exists()


def test_the_longest_name_of_a_certificate_is_64_characters(authority, tmp_path):
    authority.issue_client(tmp_path / "fits", f"{'s' * 31}/{'k' * 32}")
    with pytest.raises(ProvisioningError, match="longer than the 64 characters"):
        authority.issue_client(tmp_path / "long", f"{'s' * 32}/{'k' * 32}")


@pytest.mark.parametrize(
    "host", ["", "a b", "tcp://x", "x:8883", "[::1]", "-x", "x-", "a..b", "bücher.example", "*", "a" * 64]
)
def test_a_host_that_is_none_is_refused(authority, tmp_path, host):
    with pytest.raises(ProvisioningError, match="neither a host name nor an IP address"):
        authority.issue_broker(tmp_path / "b", [host])


def test_a_broker_needs_a_host(authority, tmp_path):
    with pytest.raises(ProvisioningError, match="at least one host"):
        authority.issue_broker(tmp_path / "b", [])


def test_a_certificate_reaches_back_for_kiosks_whose_clock_is_behind(authority, tmp_path):
    certificate = authority.issue_kiosk(tmp_path / "k", "khb", "kiosk-1")
    assert certificate.not_valid_before_utc == NOON - timedelta(days=30)
    assert certificate.not_valid_after_utc == NOON + timedelta(days=825)
    verify_client(authority, certificate, at=NOON - timedelta(days=29))


def test_a_leaf_never_outlives_the_authority(tmp_path):
    validity = Validity(authority=timedelta(days=10), leaf=timedelta(days=20))
    authority = Authority.create(tmp_path / "ca", validity=validity, clock=lambda: NOON)
    certificate = authority.issue_kiosk(tmp_path / "k", "khb", "kiosk-1")
    assert certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc


def test_an_authority_that_is_over_issues_nothing(authority, tmp_path):
    later = Authority.load(tmp_path / "ca", clock=lambda: NOON + timedelta(days=3651))
    with pytest.raises(ProvisioningError, match="over before it begins"):
        later.issue_kiosk(tmp_path / "k", "khb", "kiosk-1")
    assert private_files(tmp_path / "k") == {}


def test_an_authority_is_never_made_over_another(authority, tmp_path):
    with pytest.raises(ProvisioningError, match=r"ca\.crt: exists already"):
        Authority.create(tmp_path / "ca")


def test_a_client_is_never_made_over_another(authority, tmp_path):
    authority.issue_kiosk(tmp_path / "k", "khb", "kiosk-1")
    with pytest.raises(ProvisioningError, match=r"client\.key: exists already"):
        authority.issue_kiosk(tmp_path / "k", "khb", "kiosk-2")


def test_certificates_of_two_authorities_do_not_mix_in_one_folder(authority, tmp_path):
    authority.issue_broker(tmp_path / "x", ["localhost"])
    other = Authority.create(tmp_path / "other", clock=lambda: NOON)
    with pytest.raises(ProvisioningError, match="is of another authority"):
        other.issue_kiosk(tmp_path / "x", "khb", "kiosk-1")


def test_an_authority_that_is_not_there_says_how_to_make_one(tmp_path):
    with pytest.raises(ProvisioningError, match="landfall-provision ca init"):
        Authority.load(tmp_path)


def test_an_authority_whose_key_others_may_read_is_refused(authority, tmp_path):
    (tmp_path / "ca" / "issuing.key").chmod(0o640)
    with pytest.raises(ProvisioningError, match="chmod 0600"):
        Authority.load(tmp_path / "ca")


@pytest.mark.parametrize("name", ["ca.crt", "issuing.crt", "issuing.key"])
def test_a_damaged_authority_is_refused(authority, tmp_path, name):
    (tmp_path / "ca" / name).write_text("not a certificate")
    with pytest.raises(ProvisioningError, match="damaged"):
        Authority.load(tmp_path / "ca")


@pytest.mark.parametrize(("name", "why"), [("issuing.crt", "does not belong"), ("ca.crt", "of another authority")])
def test_a_file_of_another_authority_is_refused(authority, tmp_path, name, why):
    Authority.create(tmp_path / "other")
    (tmp_path / "ca" / name).write_bytes((tmp_path / "other" / name).read_bytes())
    with pytest.raises(ProvisioningError, match=why):
        Authority.load(tmp_path / "ca")


def test_the_key_of_the_root_is_under_a_passphrase_and_apart_from_what_the_centre_keeps(tmp_path):
    offline = tmp_path / "offline"
    Authority.create(tmp_path / "ca", offline=offline, passphrase="correct horse battery", clock=lambda: NOON)
    kept = (offline / "root.key").read_bytes()
    assert b"ENCRYPTED PRIVATE KEY" in kept
    with pytest.raises(ValueError, match=r"(?i)password|decrypt"):
        load_pem_private_key(kept, password=b"something else")
    key = load_pem_private_key(kept, password=b"correct horse battery")
    assert key.public_key() == load(tmp_path / "ca" / "ca.crt").public_key()
    assert not (tmp_path / "ca" / "root.key").exists()


def test_a_short_passphrase_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ProvisioningError, match="12 characters at least"):
        Authority.create(tmp_path / "ca", offline=tmp_path / "offline", passphrase="short")
    assert not (tmp_path / "ca").exists()


def test_without_a_passphrase_the_key_of_the_root_is_forgotten(authority, tmp_path):
    assert sorted(path.name for path in (tmp_path / "ca").iterdir()) == [
        "ca.crt", "issuing.crt", "issuing.key", "signing.crt", "signing.key",
    ]  # fmt: skip


def test_who_signs_documents_is_neither_client_nor_server(authority):
    leaf = authority.documents().chain[0]
    assert [usage.dotted_string for usage in extension(leaf, x509.ExtendedKeyUsage)] == ["1.3.6.1.5.5.7.3.36"]


def test_the_repr_of_an_authority_shows_no_key(authority):
    assert "key" not in repr(authority).lower()


def test_every_private_file_is_its_owners_alone(authority, tmp_path):
    authority.issue_broker(tmp_path / "b", ["localhost"])
    authority.issue_kiosk(tmp_path / "k", "khb", "kiosk-1")
    make_centre_keys(tmp_path / "centre")
    make_kiosk_keys(tmp_path / "k")
    assert private_files(tmp_path) == dict.fromkeys(
        [
            "issuing.key",
            "signing.key",
            "broker.key",
            "client.key",
            "receipt.key.json",
            "opening.key.json",
            "record.key.json",
        ],
        0o600,
    )


@pytest.mark.parametrize(
    ("make", "stem", "curve", "use", "algorithm"),
    [
        (make_centre_keys, "receipt", "Ed25519", "sig", "Ed25519"),
        (make_centre_keys, "opening", "X25519", "enc", "ECDH-ES"),
        (make_kiosk_keys, "record", "Ed25519", "sig", "Ed25519"),
    ],
)
def test_a_jwk_says_its_curve_use_and_thumbprint_and_the_public_half_no_secret(
    tmp_path, make, stem, curve, use, algorithm
):
    make(tmp_path)
    private = json.loads((tmp_path / f"{stem}.key.json").read_text())
    public = json.loads((tmp_path / f"{stem}.pub.json").read_text())
    kid = OKPKey.import_key({name: public[name] for name in ("kty", "crv", "x")}).thumbprint()
    assert public == {"kty": "OKP", "crv": curve, "x": private["x"], "use": use, "alg": algorithm, "kid": kid}
    assert private == public | {"d": private["d"]}


def test_the_key_files_are_what_the_seal_loads(tmp_path):
    make_centre_keys(tmp_path)
    for stem in ("receipt", "opening"):
        private = load_private_key(tmp_path / f"{stem}.key.json")
        assert private.thumbprint() == load_public_key(tmp_path / f"{stem}.pub.json").thumbprint()


def test_keys_are_never_made_over_others(tmp_path):
    make_centre_keys(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ProvisioningError, match="exists already"):
        make_centre_keys(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_centres_own_certificates_are_renewed_for_the_same_keys_and_names(authority, tmp_path):
    authority.issue_broker(tmp_path / "b", ["broker.example.org", "192.0.2.1"])
    key, before = (tmp_path / "b" / "broker.key").read_bytes(), load(tmp_path / "b" / "broker.crt")
    later = NOON + timedelta(days=700)
    (renewed,) = Authority.load(tmp_path / "ca", clock=lambda: later).renew(tmp_path / "b")
    assert (tmp_path / "b" / "broker.key").read_bytes() == key
    assert load(tmp_path / "b" / "broker.crt") == renewed
    assert renewed.public_key() == before.public_key()
    assert extension(renewed, x509.SubjectAlternativeName) == extension(before, x509.SubjectAlternativeName)
    assert renewed.not_valid_after_utc == later + timedelta(days=825)
    with pytest.raises(ProvisioningError, match="holds no certificate of the centre"):
        authority.renew(tmp_path)
