"""Every family whole, byte by byte, in pieces, after noise and after halves."""

from __future__ import annotations

import tracemalloc
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.devices import Frame
from hw.framing import Family, FrameError, Framer
from hw.framing.findings import TOO_LONG
from hw.framing.framer import LONGEST_FRAME
from tests.hw.framing.samples import AAMVA, BCBP, MRV_A, SAMPLES, TD1, TD2, TD3, VDS, ended, inquired, mrz, rte

EVERY_SAMPLE = pytest.mark.parametrize(("wire", "frame", "needs_silence"), SAMPLES.values(), ids=SAMPLES)
NOISES = [b"\xff", b"\xfe\xff\x80\x9d\xf0", b"\x00\x00\x00\x00", b"\x0d\x0a\x0d", b"\xff\xff\r\xff\xff\xff\r"]


def frames(items: list[Frame | FrameError]) -> list[Frame]:
    return [item for item in items if isinstance(item, Frame)]


def read(framer: Framer, *pieces: bytes) -> list[Frame | FrameError]:
    items = [item for piece in pieces for item in framer.receive(piece)]
    return items + framer.flush()


def is_self_contained(name: str) -> bool:
    # A trail byte of one reader and the raw text of another cannot be told apart without a pause.
    return not SAMPLES[name][2] and "trail" not in name


@EVERY_SAMPLE
def test_a_whole_message_is_one_frame(wire, frame, needs_silence):
    framer = Framer()
    at_once = framer.receive(wire)
    assert at_once == ([] if needs_silence else [frame])
    assert at_once + framer.flush() == [frame]
    assert not framer.is_waiting


@EVERY_SAMPLE
def test_a_message_byte_by_byte_is_the_same_frame(wire, frame, needs_silence):
    assert read(Framer(), *(bytes([byte]) for byte in wire)) == [frame]


@EVERY_SAMPLE
def test_the_next_message_is_read_after_each(wire, frame, needs_silence):
    framer = Framer()
    assert read(framer, wire) + read(framer, wire) == [frame, frame]


@EVERY_SAMPLE
@pytest.mark.parametrize("noise", NOISES)
def test_noise_around_a_message_costs_no_frame(wire, frame, needs_silence, noise):
    framer = Framer()
    before, after = read(framer, noise + wire), read(framer, noise)
    assert frames(before + after) == [frame]


@EVERY_SAMPLE
def test_the_first_half_of_a_message_does_not_spoil_the_next(wire, frame, needs_silence):
    for cut in range(1, len(wire), 7):
        framer = Framer()
        read(framer, wire[:cut])
        assert read(framer, wire)[-1] == frame, cut


@EVERY_SAMPLE
def test_the_second_half_of_a_message_does_not_spoil_the_next(wire, frame, needs_silence):
    for cut in range(1, len(wire), 7):
        framer = Framer()
        read(framer, wire[cut:])
        assert read(framer, wire)[-1] == frame, cut


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([name for name in SAMPLES if is_self_contained(name)]), min_size=1, max_size=5),
    st.data(),
)
def test_messages_of_mixed_families_without_a_pause_survive_any_split(names, data):
    wire = b"".join(SAMPLES[name][0] for name in names)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    pieces = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert read(Framer(), *pieces) == [SAMPLES[name][1] for name in names]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(sorted(SAMPLES)))
def test_any_rubbish_then_silence_leaves_the_next_message_readable(rubbish, name):
    wire, frame, _ = SAMPLES[name]
    framer = Framer()
    read(framer, rubbish)
    assert read(framer, wire) == [frame]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60) | st.sampled_from([sample[0][:50] for sample in SAMPLES.values()]), max_size=8))
def test_any_bytes_end_as_frames_or_errors_and_nothing_is_kept(pieces):
    framer = Framer()
    for item in read(framer, *pieces):
        assert isinstance(item, Frame | FrameError)
    assert not framer.is_waiting


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """One message that lost an end or had one byte changed."""
    wire = draw(st.sampled_from([sample[0] for sample in SAMPLES.values()]))
    at = draw(st.integers(0, len(wire) - 1))
    match draw(st.sampled_from(["head", "tail", "flip", "whole"])):
        case "head":
            return wire[:at]
        case "tail":
            return wire[at:]
        case "flip":
            return wire[:at] + bytes([draw(st.integers(0, 255))]) + wire[at + 1 :]
        case _:
            return wire


@st.composite
def cut(draw: st.DrawFn) -> list[bytes]:
    """Messages and rubbish behind one another, in pieces."""
    wire = b"".join(draw(st.lists(damaged() | st.binary(max_size=20), max_size=5)))
    cuts = sorted(draw(st.lists(st.integers(0, len(wire)), max_size=12)))
    return [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(Family), cut(), st.sampled_from([100, LONGEST_FRAME]))
def test_however_the_line_cuts_the_bytes_the_verdicts_are_the_same(family, pieces, longest):
    wire = b"".join(pieces)
    with mock.patch("hw.framing.framer.LONGEST_FRAME", longest):
        assert read(Framer(family), *pieces) == read(Framer(family), wire)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(Family), st.lists(damaged(), max_size=4).map(b"".join))
def test_damaged_messages_give_the_same_byte_by_byte_as_whole(family, wire):
    assert read(Framer(family), *(bytes([byte]) for byte in wire)) == read(Framer(family), wire)


@pytest.mark.parametrize("length", [b"\x02\x00", b"\x0d\x00", b"\x8c\x02", b"\x8c\x0a", b"\x03\x00"])
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_a_damaged_length_does_not_get_a_3m_message_around_its_block_check_character(length, size):
    wire = rte(b"", *TD3)
    wire = wire[:1] + length + wire[3:]
    pieces = [wire[at : at + size] for at in range(0, len(wire), size)]
    assert read(Framer(), *pieces) == [FrameError("the block check character does not match")]


@pytest.mark.parametrize(
    ("opening", "filling"),
    [(b"", filling) for filling in (b"A", b"<", b"\xff", b"\x00", b"M1ABC ", b"\xdc\x03", b"\x02", b"]")]
    + [(opening, b"9") for opening in (b"\x02", b"\x1c\x02", b"\x1e\x02a", b"\xdc\x03", b"@\n\x1e\rANSI ", b"\x01")],
)
def test_a_mebibyte_without_an_end_is_one_error_and_little_memory(filling, opening):
    stream = opening + filling * (2**20 // len(filling))
    framer = Framer()
    tracemalloc.start()
    items = framer.receive(stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frames(items) == []
    assert items.count(FrameError(TOO_LONG)) <= 1
    assert peak < 4 * LONGEST_FRAME
    framer.flush()
    assert read(framer, b"\r", ended(TD3, b"\r"))[-1] == mrz(TD3, "raw")


def test_a_good_envelope_is_found_in_an_endless_stream_without_a_pause():
    framer = Framer()
    assert framer.receive(b"A" * 100_000) == [FrameError(TOO_LONG)]
    assert framer.receive(b"\x1c\x02" + ended(TD3, b"\r") + b"\x03\x1d") == [mrz(TD3, "access-is")]


def test_half_an_envelope_then_a_whole_one_without_a_pause():
    wire = b"\x1c\x02" + ended(TD3, b"\r") + b"\x03\x1d"
    assert Framer().receive(wire[:30] + wire) == [FrameError("half a message"), mrz(TD3, "access-is")]


def test_a_stray_stx_before_raw_lines_gives_them_back_when_the_line_is_quiet():
    assert read(Framer(), b"\x02" + ended(TD3, b"\r")) == [FrameError("half a message"), mrz(TD3, "raw")]


def test_an_upper_line_alone_gives_way_to_the_next_document():
    items = Framer().receive(ended(TD3[:1], b"\r") + ended(TD3, b"\r"))
    assert items == [FrameError("1 of 2 MRZ lines"), mrz(TD3, "raw")]


def test_a_lower_line_alone_gives_way_to_the_next_document():
    items = Framer().receive(ended(TD3[1:], b"\r") + ended(TD3, b"\r"))
    assert items == [FrameError("1 of 2 MRZ lines"), mrz(TD3, "raw")]


@pytest.mark.parametrize("kept", [TD1[:1], TD1[:2], TD1[1:2]])
def test_lines_of_a_card_give_way_to_the_next_card(kept):
    items = Framer().receive(ended(kept, b"\r") + ended(TD1, b"\r"))
    assert items == [FrameError(f"{len(kept)} of 3 MRZ lines"), mrz(TD1, "raw")]


def test_lines_of_another_size_begin_another_document():
    assert Framer().receive(ended(TD1[:1], b"\r") + ended(TD2, b"\r"))[-1] == mrz(TD2, "raw")


def test_blanks_around_lines_are_no_part_of_them():
    assert Framer().receive(b" " + TD3[0] + b" \r" + TD3[1] + b"  \r") == [mrz(TD3, "raw")]


def test_a_piece_of_the_second_line_is_no_barcode():
    assert read(Framer(), TD3[0] + b"\r" + TD3[1][:14]) == [FrameError("1 of 2 MRZ lines")]


def test_a_blank_line_ends_a_document():
    assert Framer().receive(TD3[0] + b"\r\r") == [FrameError("1 of 2 MRZ lines")]


def test_a_line_that_lost_a_character_still_belongs_to_its_document():
    lines = (TD3[0][:-1], TD3[1])
    assert Framer().receive(ended(lines, b"\r")) == [mrz(lines, "raw")]


def test_a_visa_after_a_passport_is_a_document_of_its_own():
    assert Framer().receive(ended(TD3 + MRV_A, b"\r")) == [mrz(TD3, "raw"), mrz(MRV_A, "raw")]


@pytest.mark.parametrize("mark", [b"?", b"*"])
def test_characters_that_the_reader_could_not_read_are_counted_by_offset(mark):
    upper, lower = TD3[0][:10] + mark + TD3[0][11:], mark + TD3[1][1:]
    assert Framer().receive(ended((upper, lower), b"\r")) == [mrz((upper, lower), "raw", unrecognised=(10, 45))]


def test_the_substitute_character_can_be_set():
    line = TD3[0][:10] + b"#" + TD3[0][11:]
    framer = Framer(Family.STX_ETX, substitutes=b"#")
    assert framer.receive(b"\x02" + line + b"\r\x03") == [Frame(line, "stx-etx", None, (10,))]


def test_a_question_mark_in_a_barcode_is_no_substitute():
    assert Framer().receive(b"HTTPS://EXAMPLE.ORG/?A=1\r") == [Frame(b"HTTPS://EXAMPLE.ORG/?A=1", "raw")]


def test_a_wrong_block_check_character_is_an_error_unless_told_otherwise():
    wire = rte(b"", *TD3)
    wire = wire[:-1] + bytes([wire[-1] ^ 0x55])
    assert Framer().receive(wire) == [FrameError("the block check character does not match")]
    assert Framer(Family.RTE, check_bcc=False).receive(wire) == [mrz(TD3, "3m-rte")]


def test_an_empty_answer_of_an_elyctis_reader_is_no_event():
    assert read(Framer(), inquired(b"")) == []


def test_answers_to_commands_of_an_elyctis_reader_are_passed_over():
    assert read(Framer(Family.ELYCTIS), b"V\x00\x031.2C\x00\x00" + inquired(ended(TD1, b"\r"))) == [mrz(TD1, "elyctis")]


def test_an_empty_envelope_is_an_error():
    assert Framer().receive(b"\x02\x03") == [FrameError("an empty message")]


def test_a_barcode_follows_an_aamva_barcode_without_a_pause():
    items = Framer().receive(AAMVA + b"\r\n" + BCBP + b"\r")
    assert items == [Frame(AAMVA, "raw"), Frame(BCBP, "raw")]


def test_two_aamva_barcodes_without_a_pause_are_two():
    assert read(Framer(), AAMVA + AAMVA) == [Frame(AAMVA, "raw"), Frame(AAMVA, "raw")]


def test_an_aamva_barcode_longer_than_its_header_says_is_not_cut():
    longer = AAMVA.replace(b"ZVZVA01\nZVB02\n\r", b"ZVZVA01\nZVB02\nZVCLONGER\nZVD\n\r")
    assert read(Framer(), longer) == [Frame(longer, "raw")]


def test_a_line_of_thirty_digits_is_a_barcode_once_nothing_follows():
    framer = Framer()
    assert framer.receive(b"1" * 30 + b"\r") == []
    assert framer.flush() == [Frame(b"1" * 30, "raw")]


def test_a_barcode_reader_takes_each_line_for_itself():
    assert Framer(Family.BARCODE).receive(b"1" * 30 + b"\r") == [Frame(b"1" * 30, "raw")]


def test_text_outside_the_envelope_is_noise_for_a_reader_that_always_sends_one():
    items = Framer(Family.ACCESS_IS).receive(b"hello\r\x1c\x02" + ended(TD3, b"\r") + b"\x03\x1d")
    assert items == [FrameError("noise between messages"), mrz(TD3, "access-is")]


def test_a_burst_of_noise_is_one_error():
    assert read(Framer(), b"\xff\x81\x82\r" * 50) == [FrameError("noise between messages")]


def test_reset_forgets_a_half_and_says_so():
    framer = Framer()
    framer.receive(ended(TD3[:1], b"\r"))
    assert framer.reset()
    assert not framer.reset()
    assert framer.receive(ended(TD3, b"\r")) == [mrz(TD3, "raw")]


def test_no_error_and_no_repr_quotes_what_was_read():
    shown = repr(read(Framer(), TD3[0] + b"\r" + VDS + BCBP))
    assert "ERIKSSON" not in shown
    assert "DESMARAIS" not in shown


def test_an_unknown_family_is_refused():
    with pytest.raises(ValueError, match="carrier-pigeon"):
        Framer("carrier-pigeon")
