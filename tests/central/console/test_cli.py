"""The console's verbs on the command line."""

from __future__ import annotations

import io
import json

import pytest

from central.cli import main
from tests.central.console.harness import PASSWORD


@pytest.fixture
def call(tmp_path, capsys, monkeypatch):
    (tmp_path / "central.toml").write_text("")

    def call(*words, typed=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main([*words, "--config", str(tmp_path / "central.toml")])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def add(call, name="ada", typed=PASSWORD + "\n"):
    return call("account", "add", name, "--role", "technician", "--password-stdin", typed=typed)


def test_an_account_is_made_changed_disabled_and_listed(call):
    assert add(call)[:2] == (0, "ada: technician\n")
    assert call("account", "role", "ada", "--role", "auditor")[0] == 0
    assert call("account", "disable", "ada")[0] == 0
    (listed,) = json.loads(call("account", "list", "--json")[1])
    assert (listed["name"], listed["role"], listed["has_totp"], listed["disabled_at"] is None) == (
        "ada",
        "auditor",
        False,
        False,
    )
    assert call("account", "enable", "ada")[0] == 0
    assert call("account", "password", "ada", "--password-stdin", typed="walnut tram lighthouse\n")[0] == 0
    assert call("account", "unlock", "ada")[0] == 0
    assert "ada  auditor  password  since" in call("account", "list")[1]


def test_a_password_that_is_too_short_is_exit_status_1_and_not_repeated(call):
    code, out, err = add(call, typed="tiny pass\n")
    assert code == 1
    assert "too short" in err and "tiny" not in out + err
    assert call("account", "list")[1] == ""


def test_one_time_codes_are_set_up_and_taken_away_when_the_authenticator_is_lost(call):
    add(call)
    code, out, _ = call("account", "totp", "ada")
    assert code == 0
    assert "otpauth://totp/" in out
    assert "password and code" in call("account", "list")[1]
    assert call("account", "totp", "ada", "--off")[0] == 0
    assert "password and code" not in call("account", "list")[1]


@pytest.mark.parametrize("verb", ["disable", "enable", "unlock", "totp", "password"])
def test_an_account_that_is_not_there_is_exit_status_1(call, verb):
    code, _, err = call("account", verb, "nobody", typed=PASSWORD)
    assert code == 1
    assert "there is no account nobody" in err


def test_the_audit_log_is_verified_and_the_journal_has_what_may_be_noted(call):
    _, _, err = add(call)
    sequence, noted = err.split("audit ")[1].split()
    code, out, _ = call("audit", "verify", "--noted", f"{sequence}:{noted}")
    assert code == 0
    assert f"1:{noted}" in out
    code, out, _ = call("audit", "verify", "--noted", f"2:{noted}")
    assert (code, out) == (1, "! entry 2: the entry that was noted is not there\n")
    assert call("audit", "verify", "--noted", "x")[0] == 1
