"""`landfall read`: where the bytes come from, and what the exit status says."""

from __future__ import annotations

import io
import json
import sys

import pytest

from edge.errors import LandfallError
from edge.reading import MAX_PAYLOAD_BYTES, read_once

SPECIMEN = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"


class StandardInput:
    """Standard input with some bytes in it."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


def read(payload: str | None = SPECIMEN, *, today: str | None = "2012-01-01", file=None) -> int:
    """Read one document as JSON and return the exit status."""
    return read_once(payload, file=file, symbology=None, today=today, as_json=True)


def printed(capsys) -> dict:
    """Return the JSON that was printed."""
    return json.loads(capsys.readouterr().out)


def result_of(capsys, check: str) -> str:
    """Return the result of one check of what was printed."""
    return next(verdict["result"] for verdict in printed(capsys)["verdicts"] if verdict["check"] == check)


def test_a_good_document_is_0(capsys) -> None:
    assert read() == 0
    assert printed(capsys)["kind"] == "TD3"


def test_a_failed_check_is_1(capsys) -> None:
    assert read(today="2030-01-01") == 1
    assert result_of(capsys, "validity") == "failed"


def test_what_is_not_understood_is_2(capsys) -> None:
    assert read("hello") == 2
    assert printed(capsys)["kind"] == "unknown"


def test_no_date_leaves_the_checks_of_dates_undone(capsys) -> None:
    assert read(today="unset") == 0
    assert result_of(capsys, "validity") == "not_done"


def test_without_a_date_today_counts(capsys) -> None:
    assert read(today=None) == 1
    assert result_of(capsys, "validity") == "failed"


def test_line_ends_may_be_typed_as_two_characters(capsys) -> None:
    assert read(SPECIMEN.replace("\n", "\\n")) == 0
    assert read(SPECIMEN.replace("\n", "\\r\\n")) == 0


@pytest.mark.parametrize("payload", [None, "-"])
def test_standard_input_is_read(payload, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "stdin", StandardInput(SPECIMEN.encode()))
    assert read(payload) == 0


def test_a_file_is_read_as_it_is(tmp_path, capsys) -> None:
    (tmp_path / "mrz.txt").write_bytes(SPECIMEN.encode() + b"\r\n")
    assert read(None, file=tmp_path / "mrz.txt") == 0


def test_bytes_that_are_no_text_are_not_understood_and_no_error(tmp_path, capsys) -> None:
    (tmp_path / "noise").write_bytes(bytes(range(256)))
    assert read(None, file=tmp_path / "noise") == 2


def test_a_payload_and_a_file_are_one_too_many(tmp_path) -> None:
    with pytest.raises(LandfallError, match="give a payload or --file, not both"):
        read(SPECIMEN, file=tmp_path / "mrz.txt")


def test_a_file_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(LandfallError, match=r"mrz\.txt: cannot be read \(No such file or directory\)"):
        read(None, file=tmp_path / "mrz.txt")


@pytest.mark.parametrize("today", ["yesterday", "2026-13-01", ""])
def test_a_day_that_is_none_is_refused(today) -> None:
    with pytest.raises(LandfallError, match="--today takes a day"):
        read(today=today)


def test_what_is_larger_than_any_document_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", StandardInput(b"x" * (MAX_PAYLOAD_BYTES + 1)))
    with pytest.raises(LandfallError, match="larger than"):
        read(None)


def test_a_screen_shows_words_in_place_of_json(capsys) -> None:
    assert read_once(SPECIMEN, file=None, symbology=None, today="2012-01-01", as_json=False) == 0
    assert "Document  TD3" in capsys.readouterr().out
