from datetime import timedelta

import msgspec
import pytest
from joserfc.jwk import OKPKey

from edge.errors import ProvisioningError
from edge.identity import enrolment
from edge.identity.certificates import Role, new_key, utc_now
from edge.identity.enrolment import Answer, CentreKeys
from edge.seal import Verifier, load_public_keys
from provisioning.authority import Authority
from provisioning.kiosk_keys import KioskKeys, is_due
from tests.provisioning.conftest import KIOSK


def public(curve):
    found = OKPKey.generate_key(curve, private=False).as_dict(private=False)
    return {name: found[name] for name in ("kty", "crv", "x")}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority.create(tmp_path_factory.mktemp("kiosk-keys") / "ca")


@pytest.fixture
def keys(tmp_path, authority):
    keys = KioskKeys(tmp_path / "keys")
    keys.pin(authority.issuer.trust)
    keys.make_missing()
    return keys


CENTRE = CentreKeys(public("X25519"), (public("Ed25519"),))


def answered(authority, keys, *, kiosk=KIOSK, role=Role.CLIENT, key=None, centre=CENTRE, name=None):
    certificate = authority.issuer.issue((key or keys._tls_key()).public_key(), name or kiosk, role)
    answer = Answer(kiosk, authority.issuer.chain(certificate).decode(), centre, "")
    return authority.documents().sign(enrolment.encode(answer), enrolment.ANSWER_TYP)


def test_keys_are_made_once_and_kept(keys):
    before = {path.name: path.read_bytes() for path in keys.folder.iterdir()}
    assert keys.make_missing() is False
    assert {path.name: path.read_bytes() for path in keys.folder.iterdir()} == before


def test_a_public_half_that_a_power_cut_left_out_is_made_from_the_private_one(keys):
    before = (keys.folder / "record.pub.json").read_bytes()
    (keys.folder / "record.pub.json").unlink()
    assert keys.make_missing() is True
    assert (keys.folder / "record.pub.json").read_bytes() == before


def test_a_machine_that_trusts_one_authority_trusts_no_other(keys, tmp_path):
    with pytest.raises(ProvisioningError, match="belongs to another deployment"):
        keys.pin(Authority.create(tmp_path / "other").issuer.trust)


def test_an_answer_is_taken_once(keys, authority):
    token = answered(authority, keys)
    assert keys.accept(token, KIOSK, utc_now()) is True
    assert keys.accept(token, KIOSK, utc_now()) is False


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"kiosk": "dm-roseau/ferry-02"}, "is for dm-roseau/ferry-02"),
        ({"name": "dm-roseau/ferry-02"}, "this is dm-roseau/ferry-01"),
        ({"key": new_key()}, "for other keys"),
        ({"role": Role.DOCUMENTS}, "for something else"),
    ],
    ids=["another kiosk", "another name in the certificate", "other keys", "another role"],
)
def test_an_answer_that_is_not_for_this_kiosk_changes_nothing(keys, authority, changed, why):
    before = sorted(path.name for path in keys.folder.iterdir())
    with pytest.raises(ProvisioningError, match=why):
        keys.accept(answered(authority, keys, **changed), KIOSK, utc_now())
    assert sorted(path.name for path in keys.folder.iterdir()) == before


def test_an_answer_of_another_authority_changes_nothing(keys, tmp_path):
    other = Authority.create(tmp_path / "other")
    with pytest.raises(ProvisioningError, match="does not hold"):
        keys.accept(answered(other, keys), KIOSK, utc_now())


def test_an_answer_with_any_character_changed_is_refused(keys, authority):
    token = answered(authority, keys)
    for position in {*range(0, len(token), 41), *range(len(token) - 90, len(token))}:
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        with pytest.raises(ProvisioningError):
            keys.accept(changed, KIOSK, utc_now())


def test_while_the_centres_keys_are_rotated_receipts_of_both_count(keys, authority):
    old, new = (OKPKey.generate_key("Ed25519", private=True) for _ in range(2))
    from edge.seal import Signer

    receipts = tuple({n: k.as_dict(private=False)[n] for n in ("kty", "crv", "x")} for k in (old, new))
    keys.accept(answered(authority, keys, centre=CentreKeys(public("X25519"), receipts)), KIOSK, utc_now())
    verifier = Verifier(load_public_keys(keys.folder / "receipt.pub.json"))
    assert [
        verifier.verify(Signer(key).sign(b"held", "landfall-receipt"), "landfall-receipt") for key in (old, new)
    ] == [
        b"held",
        b"held",
    ]
    only = enrolment.encode(CentreKeys(CENTRE.opening, receipts[1:]))
    assert keys.accept_centre_keys(authority.documents().sign(only, enrolment.CENTRE_KEYS_TYP), utc_now())
    assert msgspec.json.decode((keys.folder / "receipt.pub.json").read_bytes()) == receipts[1]


def test_a_certificate_is_due_when_a_third_of_its_life_is_left(keys, authority):
    keys.accept(answered(authority, keys), KIOSK, utc_now())
    certificate = keys.certificate(KIOSK)
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    third = certificate.not_valid_after_utc - life / 3
    assert not is_due(certificate, third - timedelta(seconds=1))
    assert is_due(certificate, third)
    assert is_due(certificate, certificate.not_valid_after_utc + timedelta(days=1000))
