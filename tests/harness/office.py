"""A centre that lets kiosks in: authority, keys, database and the enrolment server, as real as in a deployment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine
from starlette.applications import Starlette

from central import database
from central.config import EnrolmentSettings
from central.enrolment.cli import public_jwks
from central.enrolment.desk import Desk
from central.enrolment.server import Pace, application, server
from edge.identity.certificates import Clock, utc_now
from edge.identity.enrolment import CentreKeys
from provisioning.authority import Authority, make_centre_keys
from provisioning.kiosk_new import Office


def make_deployment(folder: Path, clock: Clock = utc_now) -> None:
    """Make authority, centre keys and the enrolment server's certificate in a folder."""
    Authority.create(folder / "authority", clock=clock).issue_enrolment(folder / "enrolment", ["localhost"])
    make_centre_keys(folder / "centre")


def centre_keys_in(folder: Path) -> CentreKeys:
    """Return the public keys of a deployment that `make_deployment` made."""
    centre = folder / "centre"
    (opening,), receipts = (
        public_jwks(centre / "opening.pub.json", "X25519"),
        public_jwks(centre / "receipt.pub.json", "Ed25519"),
    )
    return CentreKeys(opening, tuple(receipts))


def make_desk(deployment: Path, engine: Engine, clock: Clock = utc_now) -> Desk:
    """Return the desk of a deployment."""
    authority = Authority.load(deployment / "authority", clock=clock)
    return Desk(engine, authority.issuer, authority.documents(), centre_keys_in(deployment), clock)


def new_engine(folder: Path) -> Engine:
    """Return an empty database in a file that is up to date."""
    engine = database.connect(f"sqlite:///{folder / 'central.db'}")
    database.upgrade(engine)
    return engine


def make_office(desk: Desk, port: int, valid: timedelta = timedelta(hours=1)) -> Office:
    """Return the office that writes bundles for the desk behind that port."""
    return Office(desk, f"https://localhost:{port}", "broker.example.org", 8883, valid)


@contextmanager
def serving(desk: Desk, deployment: Path, pace: Pace | None = None) -> Iterator[int]:
    """Serve a desk on a free port of this machine and give the port."""
    settings = EnrolmentSettings(
        address="https://localhost:8443",
        listen="127.0.0.1",
        certificate=deployment / "enrolment" / "enrolment.crt",
        key=deployment / "enrolment" / "enrolment.key",
        authority=deployment / "authority",
        revocation_list=deployment / "revoked.pem",
        opening_key=deployment,
        receipt_keys=(deployment,),
    )
    app: Starlette = application(desk, pace or Pace(10_000, lambda: 0.0))
    running = server(settings, app)
    running.config.port = 0
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        while not running.started and thread.is_alive():
            thread.join(0.01)
        yield running.servers[0].sockets[0].getsockname()[1]
    finally:
        running.should_exit = True
        thread.join()
