"""Where a command that root types finds the keys of the running unit."""

from __future__ import annotations

import pytest

from edge import unit_credentials


@pytest.fixture
def unit(tmp_path, monkeypatch):
    """Return the folder in which systemd shows the keys; nobody has named another."""
    monkeypatch.setattr(unit_credentials, "UNIT_CREDENTIALS", tmp_path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    return tmp_path


def test_the_keys_of_the_running_unit_are_found(unit) -> None:
    assert unit_credentials.environment()["CREDENTIALS_DIRECTORY"] == str(unit)


def test_a_folder_that_somebody_has_named_counts(unit, monkeypatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/mnt/keys")
    assert unit_credentials.environment()["CREDENTIALS_DIRECTORY"] == "/mnt/keys"


def test_a_kiosk_that_does_not_run_shows_no_keys(unit, monkeypatch) -> None:
    monkeypatch.setattr(unit_credentials, "UNIT_CREDENTIALS", unit / "gone")
    assert "CREDENTIALS_DIRECTORY" not in unit_credentials.environment()
