"""The files of the centre's keys while these rotate."""

import json

import pytest

from edge.errors import ProvisioningError
from edge.seal import Opener, Sealer, load_private_keys, load_public_key, load_public_keys
from provisioning.authority import make_centre_keys
from provisioning.rotation import MOST_KEYS, CentreKeyFiles, Kind


@pytest.fixture
def files(tmp_path):
    make_centre_keys(tmp_path)
    return CentreKeyFiles(tmp_path)


def public_kids(files, kind):
    return [key.thumbprint() for key in load_public_keys(files.folder / f"{kind}.pub.json")]


def test_a_new_receipt_key_stands_behind_the_one_that_signs_and_kiosks_are_told_both(files):
    (old,) = files.kids(Kind.RECEIPT)
    new = files.rotate(Kind.RECEIPT)
    assert files.kids(Kind.RECEIPT) == public_kids(files, Kind.RECEIPT) == [old, new]


def test_a_new_opening_key_opens_before_any_kiosk_is_told_of_it(files):
    (old,) = files.kids(Kind.OPENING)
    letter = Sealer(load_public_key(files.folder / "opening.pub.json")).seal(b"before")
    new = files.rotate(Kind.OPENING)
    assert files.kids(Kind.OPENING) == [old, new]
    assert files.published_opening_kid() == old
    assert files.publish() == files.published_opening_kid() == new
    opener = Opener(load_private_keys(files.folder / "opening.key.json"))
    assert opener.open(letter) == b"before"
    assert opener.open(Sealer(load_public_key(files.folder / "opening.pub.json")).seal(b"after")) == b"after"


def test_a_retired_receipt_key_is_gone_from_every_file(files):
    (old,) = files.kids(Kind.RECEIPT)
    new = files.rotate(Kind.RECEIPT)
    assert files.retire(Kind.RECEIPT) is None
    assert files.kids(Kind.RECEIPT) == public_kids(files, Kind.RECEIPT) == [new]
    assert not any(old in path.read_text() for path in files.folder.rglob("*.json"))


def test_a_retired_opening_key_is_kept_apart_and_still_opens(files):
    letter = Sealer(load_public_key(files.folder / "opening.pub.json")).seal(b"on an old card")
    files.rotate(Kind.OPENING)
    files.publish()
    kept = files.retire(Kind.OPENING)
    assert kept is not None
    assert kept.stat().st_mode & 0o777 == 0o600
    assert Opener(load_private_keys(kept)).open(letter) == b"on an old card"
    assert len(files.kids(Kind.OPENING)) == 1


def test_an_opening_key_to_which_kiosks_seal_is_not_retired(files):
    files.rotate(Kind.OPENING)
    with pytest.raises(ProvisioningError, match="centre publish"):
        files.retire(Kind.OPENING)
    assert len(files.kids(Kind.OPENING)) == 2


@pytest.mark.parametrize("kind", Kind)
def test_the_only_key_is_not_retired(files, kind):
    with pytest.raises(ProvisioningError, match="centre rotate"):
        files.retire(kind)


def test_there_are_never_more_keys_than_kiosks_are_told(files):
    while len(files.kids(Kind.RECEIPT)) < MOST_KEYS:
        files.rotate(Kind.RECEIPT)
    with pytest.raises(ProvisioningError, match="retire the oldest"):
        files.rotate(Kind.RECEIPT)


def test_the_files_stay_private_or_public_and_whole_jwk(files):
    files.rotate(Kind.RECEIPT)
    path = files.folder / "receipt.key.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert '"d"' not in (files.folder / "receipt.pub.json").read_text()
    for private in json.loads(path.read_text())["keys"]:
        assert {"kty", "crv", "x", "d", "use", "alg", "kid"} == set(private)


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"keys": []}', b"not JSON"])
def test_a_damaged_file_is_told_and_left_alone(files, damage):
    (files.folder / "opening.key.json").write_bytes(damage)
    with pytest.raises(ProvisioningError, match=r"opening\.key\.json"):
        files.rotate(Kind.OPENING)
    assert (files.folder / "opening.key.json").read_bytes() == damage
