"""A desk with a deployment's authority and centre keys, and kiosks that come to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import Engine

from central.enrolment.desk import Desk
from edge.identity import certificates, enrolment
from edge.identity.enrolment import Request
from edge.seal import Signer
from tests.harness.office import make_deployment, make_desk

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KIOSK = "dm-roseau/ferry-01"


@dataclass
class Clock:
    """A clock that a test turns."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Visitor:
    """A kiosk with keys of its own."""

    name: str = KIOSK
    tls: object = field(default_factory=certificates.new_key)
    record: OKPKey = field(default_factory=lambda: OKPKey.generate_key("Ed25519", private=True))

    def request(self) -> Request:
        csr = certificates.make_request(self.tls, self.name)
        public = self.record.as_dict(private=False)
        return enrolment.make_request(self.name, csr, public, Signer(self.record).sign)


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deployment")
    make_deployment(folder, lambda: NOON)
    return folder


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(engine: Engine, deployment: Path, clock: Clock) -> Desk:
    return make_desk(deployment, engine, clock)


@pytest.fixture
def answer_of(desk: Desk, clock: Clock) -> Callable[[str], enrolment.Answer]:
    from edge.identity.signed import verify_document

    return lambda token: enrolment.decode_answer(
        verify_document(token, enrolment.ANSWER_TYP, desk.issuer.trust, clock())
    )
