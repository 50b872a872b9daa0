"""The verbs of `landfall-central`, their words and their exit status."""

from __future__ import annotations

import io
import json
import sys

import pytest

from central import database
from central.cli import main
from edge.seal import load_private_key
from provisioning.authority import make_centre_keys, make_kiosk_keys
from tests.central.centre import Centre
from tests.central.test_carried import section
from tests.harness.kiosk_records import CentreKeys, FakeKiosk


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "central.toml"
    path.write_text("")
    return path


@pytest.fixture
def call(settings, capsys):
    def call(*words):
        code = main([*words, "--config", str(settings)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


NAMED = ("--site", "utopia", "--kiosk", "lane-1")


@pytest.fixture
def key_file(tmp_path):
    make_kiosk_keys(tmp_path / "keys")
    return tmp_path / "keys" / "record.pub.json"


def test_kiosks_are_added_listed_and_revoked(call, key_file):
    code, out, _ = call("kiosk", "add", *NAMED, "--key", str(key_file))
    assert code == 0
    kid = out.split()[-1]
    listed = json.loads(call("kiosk", "list", "--json")[1])
    assert [(key["kiosk"], key["kid"], key["revoked_at"]) for key in listed] == [("utopia/lane-1", kid, None)]
    assert call("kiosk", "revoke", *NAMED)[0] == 0
    assert "revoked" in call("kiosk", "list")[1]
    assert call("kiosk", "revoke", *NAMED)[0] == 1


def test_a_name_that_no_topic_can_hold_is_a_wrong_setting(call, key_file):
    code, _, err = call("kiosk", "add", "--site", "Utopia", "--kiosk", "lane 1", "--key", str(key_file))
    assert code == 2
    assert "lower case letters" in err


def test_a_key_file_that_is_none_is_named(call, tmp_path):
    code, _, err = call("kiosk", "add", *NAMED, "--key", str(tmp_path / "nothing.json"))
    assert code == 1
    assert "nothing.json" in err


def test_a_settings_file_with_a_mistake_is_exit_status_2(call, settings):
    settings.write_text("[colector]")
    code, out, err = call("status")
    assert (code, out) == (2, "")
    assert "colector is no setting" in err


def test_collecting_without_a_broker_is_exit_status_2(call):
    assert call("run")[0] == 2


def test_a_key_of_the_wrong_kind_is_told_before_anything_is_collected(call, settings, tmp_path):
    make_centre_keys(tmp_path / "keys")
    sections = '[broker]\nhost = "h"\nca = "a"\ncertificate = "b"\nkey = "c"\n[keys]\n'
    settings.write_text(sections + 'receipt_key = "keys/opening.key.json"\nopening_keys = ["keys/opening.key.json"]')
    code, _, err = call("run")
    assert code == 2
    assert "keys.receipt_key must name an Ed25519 key" in err
    settings.write_text(sections + 'receipt_key = "keys/receipt.pub.json"\nopening_keys = ["keys/opening.key.json"]')
    code, _, err = call("run")
    assert code == 2
    assert "keys.receipt_key must name a private key" in err
    settings.write_text(sections + 'receipt_key = "keys/receipt.key.json"\nopening_keys = ["keys/opening.key.json"]')
    code, _, err = call("run")
    assert code == 2
    assert "PEM" in err


def test_a_fault_is_told_by_its_kind_and_place_alone(call, monkeypatch, capsys):
    def fail(engine):
        raise RuntimeError("Eriksson")

    monkeypatch.setattr("central.overview.overview", fail)
    with pytest.raises(SystemExit) as caught:
        call("status")
    err = capsys.readouterr().err
    assert caught.value.code == 1
    assert "RuntimeError at test_cli.py" in err
    assert "Eriksson" not in err


def test_a_database_that_cannot_be_opened_is_exit_status_1_without_details(call, settings):
    settings.write_text('[database]\nurl = "sqlite:////nowhere/central.db"')
    code, _, err = call("status")
    assert code == 1
    assert "database: SQLITE_CANTOPEN" in err


def test_the_database_is_upgraded_on_request(call, settings):
    assert call("database", "upgrade")[0] == 0
    assert (settings.parent / "central.db").exists()


@pytest.fixture
def kiosk(settings):
    engine = database.connect(f"sqlite:///{settings.parent / 'central.db'}")
    database.upgrade(engine)
    centre, kiosk = Centre(engine), FakeKiosk()
    centre.register(kiosk)
    centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(3))
    engine.dispose()
    return kiosk


def test_status_shows_how_far_each_stream_is_held(call, kiosk):
    (stream,) = json.loads(call("status", "--json")[1])["streams"]
    assert (stream["kiosk"], stream["held_up_to"], stream["waiting"], stream["branches"]) == (kiosk.name, 4, 0, 1)
    assert "held 4, waiting 0" in call("status")[1]


def test_reconcile_is_exit_status_0_when_both_ends_agree(call, kiosk, tmp_path):
    path = tmp_path / "count.json"
    path.write_text(json.dumps(kiosk.count()))
    code, out, _ = call("reconcile", "--kiosk-count", str(path), "--json")
    found = json.loads(out)
    assert code == 0
    assert [found[name] for name in ("captured", "stored", "lost", "duplicated", "chain_breaks")] == [3, 3, 0, 0, 0]


def test_reconcile_is_exit_status_1_when_something_is_lost(call, kiosk, monkeypatch):
    kiosk.crossing()
    text = json.dumps(kiosk.count()).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    code, out, _ = call("reconcile", "--kiosk-count", "-")
    assert code == 1
    assert "lost 1" in out


def test_reconcile_refuses_what_is_no_count(call, kiosk, tmp_path):
    assert call("reconcile", "--kiosk-count", str(tmp_path / "nothing"))[0] == 1
    (tmp_path / "bad").write_text("{}")
    assert call("reconcile", "--kiosk-count", str(tmp_path / "bad"))[0] == 1


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["kiosk", "add", "--help"], ["reconcile", "--help"]])
def test_every_verb_explains_itself(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 0
    assert "usage: landfall-central" in capsys.readouterr().out


def test_a_stick_is_imported_and_its_receipts_lie_beside_the_file(call, settings, tmp_path, capsys):
    make_centre_keys(tmp_path / "keys")
    settings.write_text('[keys]\nreceipt_key = "keys/receipt.key.json"\nopening_keys = ["keys/opening.key.json"]')
    keys = CentreKeys(*(load_private_key(tmp_path / "keys" / f"{name}.key.json") for name in ("receipt", "opening")))
    kiosk = FakeKiosk(centre=keys)
    engine = database.connect(f"sqlite:///{settings.parent / 'central.db'}")
    database.upgrade(engine)
    Centre(engine, keys=keys).register(kiosk)
    engine.dispose()
    stick = tmp_path / "stick"
    stick.mkdir()
    content = section(kiosk, [kiosk.start_epoch(), *kiosk.crossings(3)])
    (stick / "records_utopia_lane-1_001.jsonl").write_bytes(content[:-10])
    code, out, _ = call("import", str(stick))
    assert code == 1
    assert "held up to 3" in out and "4 to 4 missing" in out and "cut short" in out
    (stick / "records_utopia_lane-1_001.jsonl").write_bytes(content)
    code, out, _ = call("import", str(stick), "--receipts", str(tmp_path), "--json")
    found = json.loads(out)
    assert (code, found["streams"][0]["held_up_to"]) == (0, 4)
    assert found["receipts"] == [str(tmp_path / "receipts_utopia_lane-1.txt")]
    assert (stick / "receipts_utopia_lane-1.txt").exists()


def test_importing_without_keys_is_exit_status_2(call, tmp_path):
    assert call("import", str(tmp_path))[0] == 2
