"""What the command line shows: 80 columns, nothing by colour alone, nothing that steers a terminal."""

from __future__ import annotations

from datetime import date

import pytest

from edge.documents.read import read
from edge.documents.verdict import Document, Result, Verdict
from edge.health import queue_figures
from edge.screen import print_document, print_json, print_queue, print_replayed
from hw.black_box import Found, KeptMessage
from hw.framing import FrameError
from tests.edge.test_health import Head

SPECIMEN = b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"


@pytest.fixture(autouse=True)
def _screen_of_80_columns(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def shown(capsys) -> str:
    """Return what was printed, checked to fit."""
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    return text


def test_a_document_is_shown_field_by_field_and_check_by_check(capsys) -> None:
    print_document(read(SPECIMEN, today=date(2012, 1, 1), symbology=None, unrecognised=()))
    text = shown(capsys)
    assert "TD3 (source mrz)" in text and "ERIKSSON" in text
    assert "composite_check" in text and "ok" in text and "doubtful" in text


def test_what_is_not_understood_says_so(capsys) -> None:
    print_document(read(b"hello", today=None, symbology=None, unrecognised=()))
    text = " ".join(shown(capsys).split())
    assert text.startswith("Not understood: neither a machine readable zone (2 lines of 44 or 36 characters, 3 of 30)")


def test_a_summary_counts_the_checks_the_gravest_first(capsys) -> None:
    print_document(read(SPECIMEN, today=date(2030, 1, 1), symbology=None, unrecognised=()))
    assert "Checks    1 FAILED, 1 doubtful, 17 ok" in shown(capsys)


def test_a_replayed_message_shows_what_is_not_ok_and_no_fields(capsys) -> None:
    message = KeptMessage(
        reader="passport", framing="auto", substitutes="?*", check_bcc=True, day=date(2030, 1, 1), length=93
    )
    document = read(SPECIMEN, today=date(2030, 1, 1), symbology=None, unrecognised=())
    print_replayed(message, [FrameError("half a message"), document], number=2, of=3)
    text = shown(capsys)
    assert text.startswith("Message 2 of 3  passport, 2030-01-01, 93 bytes, framing auto, ended by itself")
    assert "No frame  half a message" in text and "validity  FAILED    expired" in text
    assert "ERIKSSON" not in text and "composite_check" not in text


def test_a_withheld_message_says_why_and_what_it_was(capsys) -> None:
    message = KeptMessage(
        reader="qr", framing="raw", substitutes="", check_bcc=True, day=date(2030, 1, 1), length=400,
        found=(Found("raw", "]Q", 399), Found(error="noise between messages")), withheld="a signed seal", is_quiet=True,
    )  # fmt: skip
    print_replayed(message, [], number=1, of=1)
    text = " ".join(shown(capsys).split())
    assert "Withheld a signed seal; it was a frame of 399 bytes (raw), noise between messages" in text


def test_every_result_has_a_word_of_its_own_and_the_gravest_comes_first(capsys) -> None:
    print_document(Document("TD3", "mrz", {}, tuple(Verdict(f"c{n}", result) for n, result in enumerate(Result))))
    words = [line.split(maxsplit=1)[1].strip() for line in shown(capsys).splitlines() if line.startswith("c")]
    assert words == ["FAILED", "doubtful", "not done", "ok"]


def test_nested_fields_are_named_by_their_path(capsys) -> None:
    print_document(Document("BCBP", "bcbp", {"legs": [{"seat_number": "12A"}], "empty": None}, ()))
    text = shown(capsys)
    assert "legs[0].seat_number" in text and "12A" in text


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J\x1b[31mred", "[red]x[/red]", "[/]", "[bold", "a\nb\tc", "\x9b2J", "\u202eabc"]
)
def test_a_hostile_document_cannot_steer_the_terminal(hostile, capsys) -> None:
    verdicts = (Verdict("c", Result.FAILED, hostile),)
    print_document(Document("AAMVA", "aamva", {hostile: hostile, "last": "x"}, verdicts))
    text = shown(capsys)
    assert "\x9b" not in text and "\u202e" not in text
    if hostile.isprintable():
        assert text.count(hostile) == 3


def test_long_values_are_wrapped(capsys) -> None:
    print_document(Document("DCC", "dcc", {"name": "A" * 500}, (Verdict("c", Result.OK, "why " * 60),)))
    assert shown(capsys).count("A") == 500


def test_the_queue_says_what_awaits_its_receipt(capsys) -> None:
    print_queue({"kiosk": "utopia/lane-1", "streams": queue_figures({"crossing": Head()})})
    lines = shown(capsys).splitlines()
    assert lines[0] == "Kiosk utopia/lane-1"
    assert lines[2].split() == ["crossing", "2", "4", "1", "kB", "8", "5"]


def test_json_is_one_document_on_one_line(capsys) -> None:
    print_json({"a": "x\ny", "b": [1, None]})
    assert capsys.readouterr().out == '{"a":"x\\ny","b":[1,null]}\n'
