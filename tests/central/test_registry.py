"""Which keys speak for which kiosk."""

from __future__ import annotations

import pytest

from central import registry
from central.registry import Registry
from edge.errors import LandfallError, SealError
from edge.wire.messages import STATUS_TYP
from tests.central.centre import START
from tests.harness.kiosk_records import FakeKiosk, new_letter_key, new_signing_key

NAME = "utopia/lane-1"


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def register(engine, clock):
    return Registry(engine, clock)


def test_a_kiosk_is_known_as_soon_as_it_is_added(engine, register):
    assert register.verifier_of(NAME) is None
    kiosk = FakeKiosk(NAME)
    kid = registry.add_kiosk(engine, NAME, kiosk.key, START)
    assert kid == kiosk.signer.kid
    assert register.verifier_of(NAME).verify(kiosk.status().decode(), STATUS_TYP)


def test_a_key_that_is_added_beside_another_counts_at_once(engine, register):
    old, new = FakeKiosk(NAME), FakeKiosk(NAME)
    registry.add_kiosk(engine, NAME, old.key, START)
    verifier = register.verifier_of(NAME)
    with pytest.raises(SealError, match="not known here"):
        verifier.verify(new.status().decode(), STATUS_TYP)
    registry.add_kiosk(engine, NAME, new.key, START)
    assert verifier.verify(new.status().decode(), STATUS_TYP)
    assert verifier.verify(old.status().decode(), STATUS_TYP)


def test_a_key_that_is_revoked_while_the_register_is_read_counts_no_more_within_a_second(engine, clock, register):
    kiosk, other = FakeKiosk(NAME), FakeKiosk("utopia/lane-2")
    for one in (kiosk, other):
        registry.add_kiosk(engine, one.name, one.key, START)
    kept = register.verifier_of(other.name)
    assert register.verifier_of(NAME) is not None
    registry.revoke_kiosk(engine, NAME, START)
    clock.now_s = 1.0
    assert register.verifier_of(NAME) is None
    assert register.verifier_of(other.name) is kept, "nobody else's key is parsed again for it"


def test_the_private_half_of_a_key_is_never_stored(engine):
    registry.add_kiosk(engine, NAME, new_signing_key(), START)
    from sqlalchemy import select

    from central.tables import kiosk_key

    with engine.connect() as connection:
        assert '"d"' not in connection.scalar(select(kiosk_key.c.public_jwk))


def test_a_revoked_key_counts_for_looking_back_alone(engine, register):
    kiosk = FakeKiosk(NAME)
    registry.add_kiosk(engine, NAME, kiosk.key, START)
    assert registry.revoke_kiosk(engine, NAME, START) == 1
    assert registry.revoke_kiosk(engine, NAME, START) == 0
    assert register.verifier_of(NAME) is None
    with engine.connect() as connection:
        assert registry.every_key_of(connection, NAME).verify(kiosk.status().decode(), STATUS_TYP)


def test_keys_are_rotated_by_adding_one_and_revoking_another(engine, register):
    old, new = FakeKiosk(NAME), FakeKiosk(NAME)
    kids = [registry.add_kiosk(engine, NAME, one.key, START) for one in (old, new)]
    registry.revoke_kiosk(engine, NAME, START, kid=kids[0])
    verifier = register.verifier_of(NAME)
    assert verifier.verify(new.status().decode(), STATUS_TYP)
    with pytest.raises(SealError):
        verifier.verify(old.status().decode(), STATUS_TYP)
    assert [
        key.revoked_at is None for key in sorted(registry.list_kiosks(engine), key=lambda key: kids.index(key.kid))
    ] == [
        False,
        True,
    ]


def test_one_key_speaks_for_one_kiosk(engine):
    key = new_signing_key()
    registry.add_kiosk(engine, NAME, key, START)
    with pytest.raises(LandfallError, match="already speaks for utopia/lane-1"):
        registry.add_kiosk(engine, "utopia/lane-2", key, START)


def test_a_key_that_cannot_sign_is_refused(engine):
    with pytest.raises(SealError, match="Ed25519"):
        registry.add_kiosk(engine, NAME, new_letter_key(), START)
