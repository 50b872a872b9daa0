"""The verbs of `landfall queue`: settings, exit status, sentences."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from edge import unit_credentials
from edge.cli import main
from edge.control import ControlServer
from edge.wire.carried import encode_receipts
from provisioning.authority import make_kiosk_keys
from tests.edge.queue.sealed_store import KIOSK
from tests.edge.test_config import LEAST

TOKEN = "eyJ0.eyJr.c2ln"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A settings file beside the store, with a record key that did not sign what is in it."""
    make_kiosk_keys(tmp_path / "keys")
    path = tmp_path / "kiosk.toml"
    path.write_text(LEAST.replace("record.jwk", "keys/record.key.json"), encoding="utf-8")
    return path


@pytest.fixture
def run(store, config, capsys):
    """Run a verb and return its exit status and what it said."""
    store.crossings(5)

    def run(*words: str) -> tuple[int, str, str]:
        status = main(["queue", words[0], "--config", str(config), *words[1:]])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_stats_are_printed_for_programs(run) -> None:
    status, out, _ = run("stats", "--json")
    found = json.loads(out)
    assert (status, found["kiosk"], found["captured"]) == (0, KIOSK, 5)
    assert found["room"]["hours"] is None and found["oldest_unreceipted"]["sequence"] == 1


def test_records_are_listed(run) -> None:
    status, out, _ = run("list", "--after", "4", "--limit", "1", "--json")
    assert (status, [row["sequence"] for row in json.loads(out)]) == (0, [5])
    assert run("list", "--stream", "photos")[0] == 1
    with pytest.raises(SystemExit):
        run("list", "--limit", "0")


def test_one_record_is_shown(run) -> None:
    status, out, _ = run("show", "2", "--json")
    assert (status, json.loads(out)["claims"]["sequence"]) == (0, 2)
    assert run("show", "99")[2] == "landfall: crossing has no position 99; it goes from 1 to 6\n"


def test_a_broken_chain_is_exit_status_1(run) -> None:
    status, out, _ = run("verify", "--json")
    assert status == 1
    assert {one["reason"] for one in json.loads(out)["breaks"]} == {"signed by a key that is not known here"}
    assert run("verify", "--stream", "audit")[0] == 1


def test_an_export_says_which_files_it_wrote(run, tmp_path) -> None:
    (tmp_path / "stick").mkdir()
    status, out, _ = run("export", str(tmp_path / "stick"))
    assert status == 0
    assert "records_utopia_lane-1_001.jsonl" in out
    found = json.loads(run("export", str(tmp_path / "stick"), "--json")[1])
    assert found["files"] == [str(tmp_path / "stick" / "records_utopia_lane-1_002.jsonl")]
    assert [one["stream"] for one in found["sections"]] == ["crossing", "audit", "evidence"]
    status, _, err = run("export", str(tmp_path / "stik"))
    assert (status, err.count("\n")) == (1, 1)


def test_a_key_in_systemds_hands_says_how_to_reach_it(run, config, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    config.write_text(LEAST.replace("record.jwk", "$CREDENTIALS_DIRECTORY/record.key.json"), encoding="utf-8")
    status, _, err = run("verify")
    assert status == 1 and "run this as root while the kiosk runs" in err
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "keys"))
    assert "key that is not known here" in run("verify")[1]


def test_root_finds_the_keys_where_the_running_unit_has_them(run, config, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    monkeypatch.setattr(unit_credentials, "UNIT_CREDENTIALS", tmp_path / "keys")
    config.write_text(LEAST.replace("record.jwk", "$CREDENTIALS_DIRECTORY/record.key.json"), encoding="utf-8")
    assert "key that is not known here" in run("verify")[1]


@pytest.fixture
def kiosk(config):
    """A kiosk that takes every receipt but those ending in `x`, and remembers how many came at once."""
    sizes: list[int] = []

    def answer(asked) -> None:
        assert asked.verb == "receipts"
        receipts = asked.arguments["receipts"]
        sizes.append(len(receipts))
        asked.reply({"receipts": [{"meaning": "not_valid" if one.endswith("x") else "held"} for one in receipts]})

    server = ControlServer(config.parent / "control.sock", answer)
    server.start()
    yield sizes
    server.stop()
    for thread in threading.enumerate():
        if thread.name.startswith("control"):
            thread.join(5)


def test_receipts_are_handed_over_in_pieces_that_the_socket_takes(run, kiosk, tmp_path) -> None:
    path = tmp_path / "receipts.txt"
    path.write_bytes(encode_receipts([TOKEN + "A" * 3000] * 30))
    status, out, _ = run("import-receipts", str(path), "--json")
    assert (status, len(json.loads(out)), kiosk) == (0, 30, [12, 12, 6])


def test_one_refused_receipt_is_exit_status_1(run, kiosk, tmp_path) -> None:
    path = tmp_path / "receipts.txt"
    path.write_bytes(encode_receipts([TOKEN, TOKEN + "x"]))
    status, out, _ = run("import-receipts", str(path))
    assert status == 1 and out.count("accepted") == 1 and out.count("REFUSED") == 1


def test_the_file_for_this_kiosk_is_found_on_the_stick(run, kiosk, tmp_path) -> None:
    (tmp_path / "receipts_utopia_lane-1.txt").write_bytes(encode_receipts([TOKEN]))
    assert run("import-receipts", str(tmp_path))[0] == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be read"), (b"hello", "fetch it from the centre again"), (b"", "fetch it from the centre again")],
)
def test_what_is_no_file_of_receipts_is_one_sentence(run, kiosk, tmp_path, content, sentence) -> None:
    path = tmp_path / "receipts.txt"
    if content is not None:
        path.write_bytes(content)
    status, _, err = run("import-receipts", str(path))
    assert status == 1 and sentence in err and kiosk == []
