"""A journey of a post that reaches the broker's port and nothing else: it renews all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from sqlalchemy import update

from central import database
from central.tables import certificate
from edge.identity.certificates import Role, serial_text, utc_now
from provisioning.authority import Authority
from tests.journeys.card import Card, open_desk, set_up_card, type_verb
from tests.journeys.world import KIOSK, World

pytestmark = pytest.mark.journey


def test_a_kiosk_that_reaches_the_broker_alone_renews_and_comes_back_with_its_new_certificate(
    world: Callable[..., World], tmp_path: Path
) -> None:
    here = world()
    settings, enrolment = open_desk(here)
    enrolment.wait_for("kiosks renew through the broker")
    card = set_up_card(here, settings, KIOSK, tmp_path)
    old = nearly_over(here, card)
    reaches_the_broker_alone(card)
    card.passes(first=1, count=3)
    here.drained(card.folder)
    assert serial_in_use(here, card) == serial_text(old)

    assert "renewed, good until" in card.renew()
    card.passes(first=4, count=3)
    here.drained(card.folder)
    assert serial_in_use(here, card) == serial_text(own_certificate(card)) != serial_text(old)
    assert card.renew().startswith("good until"), "nothing is due any more, and the centre's keys are the same"
    assert here.ends(KIOSK, card.folder).is_clean

    type_verb("centre", "rotate", "receipt", str(here.deployment.centre))
    enrolment.stop()
    enrolment.start(ready="kiosks renew through the broker")
    assert "the centre has new keys" in card.renew()


def nearly_over(here: World, card: Card) -> x509.Certificate:
    """Let the kiosk's certificate be one that was issued 700 days ago, on the card and at the centre."""
    then = utc_now() - timedelta(days=700)
    issuer = Authority.load(here.deployment.folder / "authority", clock=lambda: then).issuer
    old = issuer.issue(own_certificate(card).public_key(), KIOSK, Role.CLIENT)
    chain = issuer.chain(old)
    (card.folder / "keys/client.crt").write_bytes(chain)
    row = {"serial": serial_text(old), "chain": chain.decode(), "issued_at": database.rfc3339(then)}
    row |= {"not_after": database.rfc3339(old.not_valid_after_utc)}
    assert here.engine is not None
    with here.engine.begin() as connection:
        connection.execute(update(certificate).where(certificate.c.name == KIOSK).values(row))
    return old


def reaches_the_broker_alone(card: Card) -> None:
    """Let the enrolment server's port be closed to this kiosk."""
    path = card.folder / "keys/enrolment.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"address": "https://localhost:1"}))


def own_certificate(card: Card) -> x509.Certificate:
    """Return the certificate on the card."""
    return x509.load_pem_x509_certificate((card.folder / "keys/client.crt").read_bytes())


def serial_in_use(here: World, card: Card) -> str:
    """Return the serial number of the certificate that the connected daemon says it has."""
    said = here.status(card.folder)
    assert said["uplink"]["state"] == "connected"
    return said["keys"]["certificate_serial"].upper()
