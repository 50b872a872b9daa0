"""An office with its enrolment server, and fresh machines that it makes bundles for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from central.enrolment.desk import Desk
from provisioning.bundle import Bundle, read_bundle
from provisioning.install import Machine, machine_at
from provisioning.kiosk_new import NewKiosk, Office, new_kiosk
from tests.harness.office import make_deployment, make_desk, make_office, new_engine, serving

KIOSK = "dm-roseau/ferry-01"


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deployment")
    make_deployment(folder)
    return folder


@pytest.fixture
def desk(deployment: Path, tmp_path: Path) -> Iterator[Desk]:
    engine = new_engine(tmp_path)
    yield make_desk(deployment, engine)
    engine.dispose()


@pytest.fixture
def closed_office(desk: Desk) -> Office:
    """An office whose enrolment server does not run."""
    return make_office(desk, 1)


@pytest.fixture
def office(desk: Desk, deployment: Path) -> Iterator[Office]:
    with serving(desk, deployment) as port:
        yield make_office(desk, port)


@dataclass
class Post:
    """A fresh machine below a folder, and what the office wrote for it."""

    machine: Machine
    made: NewKiosk

    @property
    def bundle(self) -> Bundle:
        return read_bundle(self.made.bundle.read_bytes(), self.machine.now())


@pytest.fixture
def at_post(tmp_path: Path):
    """Return what makes a fresh machine and a bundle of an office for it."""

    def make(office: Office, name: str = "card", **options: object) -> Post:
        root = tmp_path / name
        root.mkdir()
        return Post(machine_at(root), new_kiosk(office, KIOSK, tmp_path / f"{name}-files", **options))

    return make
