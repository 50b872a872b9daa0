"""Files that are carried: their names, their lines, and what is no line of theirs."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ContractError
from edge.wire import carried

TOKEN = "eyJ0.eyJr-_.c2ln"


def test_the_first_line_of_a_section_says_whose_records_follow() -> None:
    line = carried.section_line("utopia/lane-1", TOKEN)
    assert line == b'{"export":"' + TOKEN.encode() + b'","kiosk":"utopia/lane-1"}\n'
    assert carried.is_section_line(line)
    assert carried.decode_section_line(line) == carried.SectionLine(TOKEN, "utopia/lane-1")


def test_a_record_never_looks_like_the_first_line_of_a_section() -> None:
    assert not carried.is_section_line(b'{"specversion":"1.0","id":"x"}')


@pytest.mark.parametrize(
    "line",
    [
        b'{"export":"a.b.c"}',
        b'{"export":1,"kiosk":"utopia/lane-1"}',
        b'{"export":"a.b.c","kiosk":"Utopia"}',
        b'{"export":"a.b.c","kiosk":"utopia/lane-1"',
        b'{"export":"\xff","kiosk":"utopia/lane-1"}',
        b'{"export":' + b"[" * 100_000,
    ],
)
def test_a_damaged_first_line_is_refused(line) -> None:
    with pytest.raises(ContractError):
        carried.decode_section_line(line)


def test_names_of_two_kiosks_never_meet() -> None:
    assert carried.records_name("a-b/c", 1) != carried.records_name("a/b-c", 1)
    assert carried.receipts_name("a-b/c") != carried.receipts_name("a/b-c")
    assert carried.records_name("dm-roseau/ferry-01", 7) == "records_dm-roseau_ferry-01_007.jsonl"


def test_receipts_come_back_from_their_file_also_with_the_line_ends_of_another_system() -> None:
    content = carried.encode_receipts([TOKEN, TOKEN + "x"])
    assert carried.decode_receipts(content) == [TOKEN, TOKEN + "x"]
    assert carried.decode_receipts(b"\n" + content.replace(b"\n", b"\r\n") + b"\r\n") == [TOKEN, TOKEN + "x"]


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"hello", b"a.b", b"a.b.c.d.e", b"a.b.c\n\x00", b"x" * 5000 + b".a.b"]
)
def test_what_is_no_file_of_receipts_is_refused(content) -> None:
    with pytest.raises(ContractError, match="not a file of receipts"):
        carried.decode_receipts(content)


@given(st.binary(max_size=200))
def test_any_bytes_are_receipts_or_refused(content) -> None:
    with contextlib.suppress(ContractError):
        assert all(token.count(".") == 2 for token in carried.decode_receipts(content))
