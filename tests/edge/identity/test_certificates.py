"""Certificate requests of strangers: read, or refused in one way whatever is wrong with them."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from edge.errors import ContractError
from edge.identity.certificates import make_request, new_key, read_request

P256 = bytes.fromhex("06072a8648ce3d0201")  # id-ecPublicKey
VERSION = bytes.fromhex("020100")


def altered(old: bytes, new: bytes) -> str:
    request = x509.load_pem_x509_csr(make_request(new_key(), "utopia/lane-1").encode())
    content = request.public_bytes(Encoding.DER).replace(old, new, 1)
    text = base64.encodebytes(content).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{text}-----END CERTIFICATE REQUEST-----\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(P256, P256[:-1] + b"\x7f", id="key of an unknown kind"),
        pytest.param(VERSION, b"\x02\x01\x35", id="unknown version"),
        pytest.param(b"utopia", b"utopib", id="not what was signed"),
        pytest.param(b"\x30", b"\x31", id="no sequence"),
    ],
)
def test_a_request_that_is_none_is_refused_whatever_is_wrong_with_it(old: bytes, new: bytes) -> None:
    with pytest.raises(ContractError):
        read_request(altered(old, new))
