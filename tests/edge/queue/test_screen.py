"""What the verbs of the queue show: 80 columns, a word beside every colour, a sentence about what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.health import queue_figures
from edge.queue import screen
from edge.queue.chain import ChainBreak, ChainReport, StreamReport
from edge.queue.export import Exported, Section
from edge.queue.listing import details, rows
from tests.edge.test_health import Head


@pytest.fixture(autouse=True)
def _screen_of_80_columns(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def shown(capsys) -> str:
    """Return what was printed, checked to fit and to be plain."""
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    return text


def figures(**changed: object) -> dict:
    values = {
        "kiosk": "dm-portsmouth/ferry-terminal-gate-01",
        "streams": queue_figures({"crossing": Head()}),
        "oldest_unreceipted": None,
        "room": {"free_bytes": 8_100_000_000, "bytes_per_hour": 1, "hours": 310.0},
    }
    return values | changed


def oldest(**changed: object) -> dict:
    values = {"stream": "evidence", "sequence": 12_345_678, "time": "2026-03-01T12:00:00.000Z", "age_s": 260_000}
    return values | changed


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "Room for 13 days at the pace of the last days; 8.1 GB are free"),
        ({"room": {"free_bytes": 8_100_000_000, "bytes_per_hour": 1, "hours": 4.2}}, "for 4 h at the pace"),
        ({"room": {"free_bytes": 1, "bytes_per_hour": 1, "hours": 0.1}}, "for 6 min at the pace"),
        ({"room": {"free_bytes": 8**12, "bytes_per_hour": 1, "hours": 1e6}}, "for more than a year"),
        ({"room": {"free_bytes": 1, "bytes_per_hour": None, "hours": None}}, "unknown, there is too little history"),
        ({}, "Oldest nothing awaits its receipt"),
        ({"oldest_unreceipted": oldest()}, "evidence 12345678 of 2026-03-01 12:00:00 awaits its receipt for 3 days"),
        ({"oldest_unreceipted": oldest(age_s=-5)}, "(the clock was wrong)"),
        ({"oldest_unreceipted": oldest(time=None, age_s=None)}, "cannot be read: landfall queue verify"),
    ],
)
def test_the_stats_say(changed, words, capsys) -> None:
    screen.print_stats(figures(**changed))
    assert words in " ".join(shown(capsys).split())


def test_a_list_fits_and_says_held_in_words(store, reader, capsys) -> None:
    store.crossings(3, training=True, direction="transit", outcome="referred")
    store.cache.hold("crossing", 2, 1.0)
    screen.print_rows(rows(reader, "crossing"))
    lines = shown(capsys).splitlines()
    assert lines[2].split()[:4] == ["2", "crossing", "2026-03-01", "12:01:00"]
    assert lines[2].split()[4:] == ["transit", "referred", "yes", "2", "kB", "yes"]
    assert lines[3].split()[-1] == "no"


def test_an_empty_list_says_so(capsys) -> None:
    screen.print_rows([])
    assert shown(capsys) == "no such records\n"


def test_one_record_shows_each_hash_on_one_line(store, reader, capsys) -> None:
    (record,) = store.crossings(1)
    screen.print_details(details(reader, "crossing", 2))
    text = shown(capsys)
    assert record.hash in text and store.kiosks["crossing"].centre.letters.thumbprint() in text


def test_a_whole_chain_is_one_sentence_and_a_break_says_where_and_what_to_do(capsys) -> None:
    screen.print_chain(ChainReport("utopia/lane-1", {"crossing": StreamReport(1, 9, 9)}))
    assert "The chain is whole." in shown(capsys)
    broken = ChainReport("utopia/lane-1", {"crossing": StreamReport(1, 9, 8, 0, 3)}, [ChainBreak("crossing", 4, "why")])
    screen.print_chain(broken)
    text = shown(capsys)
    assert "BREAK     crossing 4: why" in text and "... and 2 more" in text
    assert "Delete nothing" in text


def test_an_export_says_what_is_where_and_what_comes_next(capsys) -> None:
    done = Exported((Path("/media/stick/records_a_b_001.jsonl"),), (Section("crossing", 5, 31, 26, 60_000),), 1, 70_000)
    screen.print_exported(done, is_own_disk=True)
    text = shown(capsys)
    assert "crossing 5 to 31: 26, 60 kB" in text and "landfall-central import" in text
    assert "1 positions cannot be read" in text and "the kiosk's own disk" in text
    screen.print_exported(Exported((), (), 0, 0), is_own_disk=False)
    assert shown(capsys) == "Nothing awaits its receipt, so nothing was written.\n"


def test_each_receipt_says_whose_it_is_and_whether_it_was_taken(capsys) -> None:
    place = {"kiosk": "utopia/lane-1", "stream": "crossing", "held_up_to": 31}
    screen.print_receipts([{"meaning": meaning, **place} for meaning in screen._MEANINGS] + [{"meaning": "not_valid"}])
    text = shown(capsys)
    assert "Receipt   utopia/lane-1 crossing up to 31: accepted" in text
    assert text.count("REFUSED") == 7


def test_no_bar_is_drawn_where_nobody_watches(capsys) -> None:
    with screen.progress_bars() as show:
        show("Verifying", 1, 2)
        show("Verifying", 2, 2)
    captured = capsys.readouterr()
    assert (captured.out, captured.err.strip()) == ("", "")
