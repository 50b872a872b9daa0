"""The root, and the list of authorities that it has taken back."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from edge.errors import ProvisioningError
from edge.identity.certificates import Role, make_issuer, make_root, new_key, pem, utc_now, verify_chain
from edge.identity.signed import DocumentSigner, verify_document
from edge.identity.trust import Trust


@pytest.fixture(scope="module")
def root():
    return make_root("Landfall authority")


@pytest.fixture(scope="module")
def stolen(root):
    """An issuing authority whose key somebody else has."""
    return make_issuer(*root)[0]


@pytest.fixture(scope="module")
def following(root):
    return make_issuer(*root, number=2)[0]


@pytest.fixture(scope="module")
def before(root) -> Trust:
    return Trust(root[0])


@pytest.fixture(scope="module")
def after(root, before, stolen) -> Trust:
    return before.revoking([stolen.certificate], root[1], utc_now())


def chain_of(issuer, role=Role.CLIENT, name="utopia/lane-1") -> tuple[x509.Certificate, x509.Certificate]:
    return issuer.issue(new_key().public_key(), name, role), issuer.certificate


def test_what_a_revoked_authority_certifies_is_believed_until_the_list_is_there(before, after, stolen):
    verify_chain(chain_of(stolen), before, Role.CLIENT, utc_now())
    with pytest.raises(ProvisioningError, match="was revoked by the root"):
        verify_chain(chain_of(stolen), after, Role.CLIENT, utc_now())


def test_what_the_next_authority_certifies_is_believed_though_no_list_names_it(after, following):
    verify_chain(chain_of(following), after, Role.CLIENT, utc_now())


def test_a_good_authority_beside_the_revoked_one_in_a_chain_helps_nobody(after, stolen, following):
    leaf, issuing = chain_of(stolen)
    with pytest.raises(ProvisioningError, match="was revoked"):
        verify_chain([leaf, following.certificate, issuing], after, Role.CLIENT, utc_now())


def test_a_document_signed_below_a_revoked_authority_is_refused(before, after, stolen):
    key = new_key()
    signer = DocumentSigner(
        (stolen.issue(key.public_key(), "centre/documents", Role.DOCUMENTS), stolen.certificate), key
    )
    token = signer.sign(b"keys", "typ")
    assert verify_document(token, "typ", before, utc_now()) == b"keys"
    with pytest.raises(ProvisioningError, match="was revoked"):
        verify_document(token, "typ", after, utc_now())


def test_root_and_list_are_one_file_that_others_read_as_a_certificate(after, root):
    again = Trust.load(after.pem())
    assert again == after
    assert x509.load_pem_x509_certificate(after.pem()) == root[0]
    assert Trust.load(pem(root[0])) == Trust(root[0])


def test_a_list_never_gives_way_to_an_older_one(before, after, root, following):
    later = after.revoking([following.certificate], root[1], utc_now())
    assert before.with_list(later.list_pem()) == later
    assert later.with_list(after.list_pem()) is later
    assert later.with_list(b"") is later
    assert len(list(later.revoked)) == 2, "what was revoked stays so"


def test_an_authority_that_is_revoked_twice_is_on_the_list_once(after, root, stolen):
    assert len(list(after.revoking([stolen.certificate], root[1], utc_now()).revoked)) == 1


def test_who_has_the_issuing_key_makes_no_list(after, stolen, following, root):
    forged = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root[0].subject)
        .last_update(utc_now())
        .next_update(utc_now() + timedelta(days=1))
        .add_extension(x509.CRLNumber(99), critical=False)
        .sign(stolen._key, hashes.SHA256())
    )
    text = Trust(root[0], forged).list_pem()
    for trust in (after, Trust(root[0])):
        with pytest.raises(ProvisioningError, match="is not the root's"):
            trust.with_list(text)
    with pytest.raises(ProvisioningError, match="is not the root's"):
        Trust.load(pem(root[0]) + text)


@pytest.mark.parametrize("text", [b"nonsense", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"])
def test_what_is_no_list_is_refused(after, text):
    with pytest.raises(ProvisioningError, match="is not the root's"):
        after.with_list(text)


def test_the_list_of_an_issuing_authority_is_not_the_roots(after, stolen):
    with pytest.raises(ProvisioningError, match="is not the root's"):
        after.with_list(stolen.revocation_list([], number=7))


def test_a_list_is_good_for_as_long_as_the_root_is(after, root, stolen, following):
    assert after.revoked.next_update_utc == root[0].not_valid_after_utc
    years_later: datetime = utc_now() + timedelta(days=800)
    verify_chain(chain_of(following), after, Role.CLIENT, years_later)
    with pytest.raises(ProvisioningError, match="was revoked"):
        verify_chain(chain_of(stolen), after, Role.CLIENT, years_later)


def armoured(content: bytes, label: str) -> bytes:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(content).decode()}-----END {label}-----\n".encode()


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("label", ["CERTIFICATE", "X509 CRL"])
def test_a_file_with_any_byte_changed_is_read_or_refused_and_nothing_else(after, label):
    """`ca.crt` comes from a stick, and in a bundle before anybody has verified that."""
    parts = {
        "CERTIFICATE": after.root.public_bytes(Encoding.DER),
        "X509 CRL": after.revoked.public_bytes(Encoding.DER),
    }
    whole = parts[label]
    for position in range(len(whole)):
        for value in (0, whole[position] ^ 1, 0x35, 0xFF):
            parts[label] = whole[:position] + bytes([value]) + whole[position + 1 :]
            try:
                Trust.load(b"".join(armoured(content, each) for each, content in parts.items()))
            except ProvisioningError:
                continue


def test_a_document_whose_signer_shows_what_is_no_certificate_is_refused(after, following):
    key = new_key()
    leaf = following.issue(key.public_key(), "centre/documents", Role.DOCUMENTS).public_bytes(Encoding.DER)

    class Shown:
        def __init__(self, content: bytes) -> None:
            self._content = content

        def public_bytes(self, encoding: Encoding) -> bytes:
            return self._content

    for position in range(0, len(leaf), 3):
        changed = leaf[:position] + b"\x35" + leaf[position + 1 :]
        if changed == leaf:
            continue
        token = DocumentSigner((Shown(changed), following.certificate), key).sign(b"keys", "typ")
        with pytest.raises(ProvisioningError):
            verify_document(token, "typ", after, utc_now())
