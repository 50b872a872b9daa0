"""A deployment's folder becomes a centre: every file in its place, settings that load, and nothing written over."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlalchemy import make_url

from central import config
from edge.errors import ProvisioningError
from edge.identity.issuing import load_documents, load_issuer
from provisioning.authority import Authority
from provisioning.centre_install import POSTGRESQL, CentreInstallation
from provisioning.deployment import found


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("office") / "deployment"
    found(folder, "Landfall authority", "correct horse battery", ["2001:db8::7", "centre.example.org"])
    return folder


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with the folders that the package's tmpfiles.d makes."""
    for folder in ("etc/landfall/broker", "var/lib/landfall-revocation"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def install(deployment: Path, machine: Path) -> list[str]:
    told: list[str] = []
    CentreInstallation(deployment, machine).run(told.append)
    return told


def contents(machine: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in machine.rglob("*") if path.is_file()]
    return {str(path.relative_to(machine)): (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) for path in files}


def test_every_part_finds_what_it_needs_in_its_place(deployment, machine):
    told = install(deployment, machine)
    assert "Kiosks enrol at https://[2001:db8::7]:8443. The first one:" in told
    etc = machine / "etc/landfall"
    settings = config.load(etc / "central.toml")
    enrolment, (broker, keys) = settings.for_enrolling(), settings.for_collecting()
    load_issuer(enrolment.authority)
    load_documents(enrolment.authority)
    for path in (enrolment.certificate, enrolment.key, enrolment.opening_key, *enrolment.receipt_keys):
        assert path.exists(), path
    for credential in (broker.ca, broker.certificate, broker.key, keys.receipt_key, *keys.opening_keys):
        assert (etc / "keys" / credential.name).exists(), "systemd hands it over from there"
    assert broker.host == "2001:db8::7"
    assert {"broker.key", "broker.crt", "ca.crt", "mosquitto.conf", "access.acl"} == {
        path.name for path in (etc / "broker").iterdir()
    }
    access = (etc / "broker/access.acl").read_text()
    assert "user centre/collector-1" in access and "user centre/enrolment" in access
    at_broker = settings.for_renewing()
    assert at_broker is not None and at_broker.certificate.exists() and at_broker.key.exists()
    assert "crlfile /var/lib/landfall-revocation/revoked.pem" in (etc / "broker/mosquitto.conf").read_text()


def test_private_keys_stay_private(deployment, machine):
    install(deployment, machine)
    private = {name: mode for name, (mode, _) in contents(machine).items() if name.endswith((".key", ".key.json"))}
    assert len(private) == 8 and set(private.values()) == {0o600}


def test_a_second_time_changes_nothing_and_settings_stay_the_operators(deployment, machine):
    install(deployment, machine)
    settings = machine / "etc/landfall/central.toml"
    settings.write_text(settings.read_text() + "\n[fleet]\nsilent_after_s = 300\n")
    revoked = machine / "var/lib/landfall-revocation/revoked.pem"
    revoked.write_text("a later list")
    before = contents(machine)
    told = install(deployment, machine)
    assert contents(machine) == before
    assert [line.endswith("was so already") for line in told[:3]] == [True] * 3


def test_renewed_certificates_are_taken_over(deployment, machine):
    install(deployment, machine)
    Authority.load(deployment / "authority").renew(deployment / "broker")
    told = install(deployment, machine)
    assert told[0].endswith("done")
    renewed = (deployment / "broker/broker.crt").read_bytes()
    assert (machine / "etc/landfall/broker/broker.crt").read_bytes() == renewed


def test_a_key_that_was_rotated_since_is_left_as_it_is_and_named(deployment, machine):
    install(deployment, machine)
    rotated = machine / "etc/landfall/keys/receipt.key.json"
    rotated.write_text("{}")
    assert f"    left as it is: {rotated}, which differs; see `landfall-provision centre rotate`" in install(
        deployment, machine
    )
    assert rotated.read_text() == "{}"


def test_another_deployment_is_refused_before_anything_is_changed(deployment, machine, tmp_path_factory):
    install(deployment, machine)
    before = contents(machine)
    other = tmp_path_factory.mktemp("other") / "deployment"
    found(other, "Landfall authority", "correct horse battery", ["centre.example.org"])
    with pytest.raises(ProvisioningError, match="the centre of another deployment"):
        install(other, machine)
    assert contents(machine) == before


def test_a_centre_begins_with_postgresql_where_it_is_asked_to(deployment, machine):
    for _ in range(2):
        CentreInstallation(deployment, machine, POSTGRESQL).run(lambda _: None)
    url = config.load(machine / "etc/landfall/central.toml").database.url
    assert make_url(url) == make_url("postgresql+psycopg:///landfall?host=/run/postgresql")


def test_a_centre_that_began_with_sqlite_is_not_torn_from_its_records(deployment, machine):
    install(deployment, machine)
    before = contents(machine)
    with pytest.raises(ProvisioningError, match="names another database"):
        CentreInstallation(deployment, machine, POSTGRESQL).run(lambda _: None)
    assert contents(machine) == before


def test_a_folder_that_is_no_deployment_is_named(machine, tmp_path):
    with pytest.raises(ProvisioningError, match="there is no authority/"):
        install(tmp_path, machine)


def test_a_list_of_revoked_authorities_outlives_a_deployments_folder_from_before(tmp_path, machine):
    words, folder = "correct horse battery", tmp_path / "own/deployment"
    found(folder, "Landfall authority", words, ["centre.example.org"])
    install(folder, machine)
    after = Authority.succeed(tmp_path / "next", folder / "authority", folder / "offline", words)
    after.revoke_predecessors(folder / "offline", words)
    trusted = (tmp_path / "next/ca.crt").read_bytes()
    for place in ("authority", "keys", "broker", "enrolment"):
        (machine / "etc/landfall" / place / "ca.crt").write_bytes(trusted)
    told = install(folder, machine)
    for place in ("authority", "keys", "broker", "enrolment"):
        assert (machine / "etc/landfall" / place / "ca.crt").read_bytes() == trusted
    assert not any("left as it is" in line and "ca.crt" in line for line in told)
