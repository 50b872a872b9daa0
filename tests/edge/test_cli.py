"""The verbs of `landfall`, their exit status and their sentences."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.cache import Cache
from edge.cli import main
from edge.control import ControlServer
from edge.health import Vitals
from tests.edge.test_config import LEAST
from tests.edge.test_reading import SPECIMEN
from tests.edge.test_status_screen import status

PASSPORT = SPECIMEN.replace("\n", "\\n")


@pytest.fixture
def config(tmp_path) -> Path:
    """A settings file in a folder of its own."""
    path = tmp_path / "kiosk.toml"
    path.write_text(LEAST, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("arguments", "exit_status"),
    [
        (["read", "--today", "2012-01-01", PASSPORT], 0),
        (["read", "--today", "2030-01-01", PASSPORT], 1),
        (["read", "hello"], 2),
        (["read", "--today", "tomorrow", PASSPORT], 2),
        (["read", "--file", "/nowhere"], 2),
        (["read", "--image", "/nowhere"], 2),
        (["read", "--replay", "/nowhere"], 2),
        (["read", "--trust", "/nowhere", PASSPORT], 2),
        (["read", "--image", "a.png", "--replay", "b.jsonl"], 2),
    ],
)
def test_reading_a_document_says_by_its_exit_status_what_came_of_it(arguments, exit_status, capsys) -> None:
    assert main(arguments) == exit_status


@pytest.mark.parametrize("arguments", [["status"], ["queue", "stats"], ["run"]])
def test_a_settings_file_that_is_not_there_is_one_sentence_and_2(arguments, tmp_path, capsys) -> None:
    assert main([*arguments, "--config", str(tmp_path / "kiosk.toml")]) == 2
    captured = capsys.readouterr()
    assert captured.err == f"landfall: {tmp_path}/kiosk.toml: cannot be read (No such file or directory)\n"
    assert captured.out == ""


@pytest.mark.parametrize("arguments", [["status"], ["queue", "stats"], ["run"]])
def test_a_wrong_setting_is_one_sentence_and_2(arguments, config, capsys) -> None:
    config.write_text(LEAST.replace("[uplink]", "[uplink]\nport = 99999"), encoding="utf-8")
    assert main([*arguments, "--config", str(config)]) == 2
    assert capsys.readouterr().err == "landfall: kiosk.toml: uplink.port must be 1-65535, got 99999\n"


def test_a_kiosk_that_does_not_run_is_one_sentence_and_1(config, capsys) -> None:
    assert main(["status", "--config", str(config)]) == 1
    assert capsys.readouterr().err.startswith(f"landfall: no kiosk answers on {config.parent}/control.sock")


def test_a_kiosk_without_its_keys_does_not_start_and_says_which(config, capsys) -> None:
    assert main(["run", "--config", str(config)]) == 1
    assert "record.jwk: cannot be read" in capsys.readouterr().err


def test_the_status_of_a_running_kiosk_is_shown_and_printed_as_json(config, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    answer = status(Vitals())
    server = ControlServer(config.parent / "control.sock", lambda asked: asked.reply(answer))
    server.start()
    try:
        assert main(["status", "--json", "--config", str(config)]) == 0
        assert json.loads(capsys.readouterr().out) == answer
        assert main(["status", "--config", str(config)]) == 0
        assert "Uplink    disconnected" in capsys.readouterr().out
    finally:
        server.stop()


def test_the_queue_is_read_from_the_store_of_the_settings(config, capsys) -> None:
    Cache.open(config.parent / "cache.db").close()
    assert main(["queue", "stats", "--json", "--config", str(config)]) == 0
    assert json.loads(capsys.readouterr().out)["kiosk"] == "utopia/lane-1"


def test_a_queue_without_a_store_is_one_sentence(config, capsys) -> None:
    assert main(["queue", "stats", "--config", str(config)]) == 1
    assert capsys.readouterr().err.startswith("landfall: ")
    assert not (config.parent / "cache.db").exists()


@pytest.mark.parametrize("arguments", [[], ["dance"], ["queue"], ["read", "--nonsense"]])
def test_words_that_are_no_verb_end_with_2_and_the_usage(arguments, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: landfall" in capsys.readouterr().err


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "edge.cli", *arguments], capture_output=True, timeout=60, check=False, **options
    )


def test_a_reader_that_hangs_up_early_causes_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "edge.cli", "read", "--json", PASSPORT],
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert b"Traceback" not in ended.stderr and b"Exception ignored" not in ended.stderr


def test_reading_one_document_does_not_load_what_only_the_daemon_needs() -> None:
    code = (
        "import sys; from edge.cli import main; main(['read', '--json', 'hello'])\n"
        "assert not {'paho', 'serial', 'gpiozero', 'sqlite3', 'edge.daemon'} & set(sys.modules), 'too much is loaded'"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr.decode()


def test_bytes_from_a_pipe_are_read() -> None:
    ended = run("read", "--today", "2012-01-01", "--json", input=SPECIMEN.encode())
    assert (ended.returncode, json.loads(ended.stdout)["kind"]) == (0, "TD3")
