"""`landfall read`: where the bytes come from, and what the exit status says."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from edge.errors import LandfallError, SettingError
from edge.reading import MAX_PAYLOAD_BYTES, read_once, read_picture, replay
from hw.black_box import BlackBox
from hw.framing import Family, Framer, encode
from hw.settings import ReaderSettings
from hw.simulated.travellers import specimen
from tests.edge.documents.pki import trust_list
from tests.hw.test_picture import drawn, file_of

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


# --- signatures and health --------------------------------------------------------------------------------------------

CERTIFICATE = json.loads((Path(__file__).parents[1] / "vectors" / "dcc-public.jsonl").read_text().splitlines()[0])[
    "input"
]


@pytest.fixture
def trust(tmp_path) -> Path:
    """A trust list with the signer of `CERTIFICATE`."""
    path = tmp_path / "trust.json"
    path.write_bytes(trust_list({"certificate": CERTIFICATE["certificate"]}))
    return path


def read_certificate(**more) -> int:
    """Read the EU certificate as JSON."""
    return read_once(CERTIFICATE["prefix"], file=None, symbology=None, today="2021-06-01", as_json=True, **more)


def test_without_a_trust_list_no_signature_is_checked(capsys) -> None:
    assert read_certificate() == 0
    assert result_of(capsys, "signature") == "not_done"


def test_a_signature_is_checked_against_the_trust_list(trust, capsys) -> None:
    assert read_certificate(trust=trust) == 0
    assert result_of(capsys, "signature") == "ok"


@pytest.mark.parametrize("health", [True, False])
def test_health_content_shows_only_with_the_switch_on(health, capsys) -> None:
    read_certificate(health=health)
    assert ("health" in printed(capsys)["fields"]) == health


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"{", "is no trust list: "), (b"[]", "is no trust list: "), (None, "trust list cannot be read")],
)
def test_a_trust_list_that_cannot_be_read_is_named(content, sentence, tmp_path) -> None:
    path = tmp_path / "trust.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingError, match=rf"trust\.json: {sentence}"):
        read_certificate(trust=path)


# --- pictures ---------------------------------------------------------------------------------------------------------

PASS = specimen(1, 7, flight_day=60).boarding_pass


def look_at(picture: Path, *, as_json: bool = True) -> int:
    """Read a picture."""
    return read_picture(picture, today="2026-03-01", as_json=as_json, trust=None, health=False)


def test_a_boarding_pass_is_read_from_a_picture(tmp_path, capsys) -> None:
    (tmp_path / "pass.png").write_bytes(file_of(drawn(PASS, "Aztec"), 4))
    assert look_at(tmp_path / "pass.png") == 0
    assert printed(capsys)["kind"] == "BCBP"


def test_of_a_barcode_that_is_no_document_the_status_says_so(tmp_path, capsys) -> None:
    (tmp_path / "page.jpg").write_bytes(file_of(drawn(b"https://example.org/", "QRCode"), form="JPEG"))
    assert look_at(tmp_path / "page.jpg", as_json=False) == 2
    assert "Not understood" in capsys.readouterr().out


def test_a_picture_without_a_document_says_how_to_take_a_better_one(tmp_path) -> None:
    (tmp_path / "blank.png").write_bytes(file_of(drawn(PASS, "Aztec").point(lambda _: 255)))
    with pytest.raises(LandfallError, match=r"blank\.png: no machine readable zone and no barcode was found; hold"):
        look_at(tmp_path / "blank.png")


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_picture_is_named(content, tmp_path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(LandfallError, match=r"file: is .*; give a PNG or JPEG"):
        look_at(tmp_path / "file")


def test_without_the_libraries_for_pictures_it_says_what_to_install(monkeypatch, tmp_path) -> None:
    monkeypatch.setitem(sys.modules, "hw.picture", None)
    with pytest.raises(LandfallError, match="install landfall with the extra `pi`"):
        look_at(tmp_path / "pass.png")


# --- black boxes ------------------------------------------------------------------------------------------------------

GOOD = encode(specimen(1, 7).mrz, Family.ACCESS_IS)
SEAL = encode(b"HC1:6BFOXN", Family.ACCESS_IS)


def black_box(folder: Path, *messages: bytes) -> Path:
    """Return the black box of a reader that sent these messages, each followed by silence."""
    box, framer = BlackBox(ReaderSettings(name="passport", black_box=20), folder), Framer()
    for raw in messages:
        for received, is_quiet in ((raw, False), (b"", True)):
            if received or framer.is_waiting:
                items = framer.receive(received) if received else framer.flush()
                box.received(received, items, is_settled=not framer.is_waiting, is_quiet=is_quiet)
    box.start()
    box.stop()
    return box.path


def look_into(box: Path, *, as_json: bool = True, today: str | None = None) -> int:
    """Replay a black box."""
    return replay(box, today=today, as_json=as_json, trust=None, health=False)


@pytest.mark.parametrize(
    ("messages", "exit_status"),
    [
        ([GOOD], 0),
        ([GOOD, GOOD.replace(b"UTO", b"QQQ")], 1),
        ([GOOD, b"HELLO WORLD\r"], 2),
        ([GOOD[:60], GOOD], 2),
        ([GOOD, SEAL], 0),
    ],
)
def test_the_worst_message_of_a_black_box_counts(messages, exit_status, tmp_path, capsys) -> None:
    box = black_box(tmp_path, *messages)
    assert look_into(box) == exit_status
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines] == list(range(1, len(messages) + 1))
    assert look_into(box, as_json=False) == exit_status


def test_a_replay_says_what_came_of_each_message(tmp_path, capsys) -> None:
    look_into(black_box(tmp_path, GOOD, GOOD[:60], SEAL))
    whole, half, sealed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert whole["replayed"][0]["document"]["kind"] == "TD3"
    assert half["replayed"] == [{"error": "half a message"}, {"error": "1 of 2 MRZ lines"}]
    assert sealed["replayed"] == [] and "signed" in sealed["kept"]["withheld"]


def test_a_replay_is_checked_as_of_the_day_it_came_unless_another_is_given(tmp_path, capsys) -> None:
    box = black_box(tmp_path, GOOD)
    assert look_into(box) == 0
    assert look_into(box, today="2045-01-01") == 1


@pytest.mark.parametrize("content", [b"", b"hello\n", b'{"reader": 1}\n'])
def test_a_file_without_a_message_is_named(content, tmp_path) -> None:
    (tmp_path / "x.jsonl").write_bytes(content)
    with pytest.raises(LandfallError, match=r"x\.jsonl: holds no message"):
        look_into(tmp_path / "x.jsonl")


@pytest.mark.parametrize(("was", "now"), [('"bytes":"1c', '"bytes":"zz'), ('"framing":"auto"', '"framing":"morse"')])
def test_a_message_that_somebody_altered_is_named(was, now, tmp_path) -> None:
    box = black_box(tmp_path, GOOD)
    box.write_text(box.read_text().replace(was, now))
    with pytest.raises(LandfallError, match="message 1 has bytes or settings that are none"):
        look_into(box)
