"""Files that were carried in on a stick: taken as by MQTT, and answered with the same receipts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from central.carried import Imported, Importer, files_at
from central.database import reading
from central.tables import crossing, rejected
from edge.errors import LandfallError
from edge.seal import Signer
from edge.wire import carried
from edge.wire.messages import EXPORT_TYP, RECEIPT_TYP, Export, Receipt, decode, encode
from edge.wire.record import Record
from tests.central.centre import START, Centre
from tests.harness.kiosk_records import FakeKiosk, shared_centre_keys

SIGNER = Signer(shared_centre_keys().receipt)


@pytest.fixture
def centre(engine) -> Centre:
    return Centre(engine)


@pytest.fixture
def kiosk(centre) -> FakeKiosk:
    kiosk = FakeKiosk()
    centre.register(kiosk)
    return kiosk


def section(kiosk: FakeKiosk, records: Iterable[Record], **said: object) -> bytes:
    """Return a section as a kiosk writes it; `said` overrides what its first line says."""
    listed = list(records)
    first, last = (int(one.sequence) for one in (listed[0], listed[-1]))
    values = {"kiosk": kiosk.name, "stream": kiosk.stream, "from_": first, "to": last, "at": "2026-03-01T12:00:00Z"}
    export = Export(**values | said)
    line = carried.section_line(export.kiosk, kiosk.signer.sign(encode(export), EXPORT_TYP))
    return line + b"".join(one.encode() + b"\n" for one in listed)


def take(centre: Centre, *files: Path) -> tuple[Imported, Importer]:
    verifier_of = centre.examiner._verifier_of
    importer = Importer(centre.store, centre.examiner, verifier_of, SIGNER, lambda: START)
    return importer.take(files, lambda done, total: None), importer


def written(tmp_path: Path, content: bytes, name: str = "records_utopia_lane-1_001.jsonl") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def receipts_in(path: str) -> list[Receipt]:
    tokens = carried.decode_receipts(Path(path).read_bytes())
    return [decode(Receipt, shared_centre_keys().verifier.verify(token, RECEIPT_TYP)) for token in tokens]


def stored(centre: Centre) -> int:
    with reading(centre.engine) as connection:
        return connection.scalar(select(func.count()).select_from(crossing)) or 0


def test_a_whole_file_is_held_and_answered_with_a_receipt(centre, kiosk, tmp_path) -> None:
    records = [kiosk.start_epoch(), *kiosk.crossings(30)]
    imported, importer = take(centre, written(tmp_path, section(kiosk, records)))
    importer.write_receipts(tmp_path)
    assert imported.is_whole
    (one,) = imported.streams
    assert (one.records, one.new, one.duplicates, one.refused, one.held_up_to, one.missing) == (31, 31, 0, 0, 31, [])
    assert imported.receipts == [str(tmp_path / "receipts_utopia_lane-1.txt")]
    (receipt,) = receipts_in(imported.receipts[0])
    assert (receipt.kiosk, receipt.epoch, receipt.held_up_to, receipt.hash_at) == (
        kiosk.name, kiosk.epoch, 31, records[-1].hash,
    )  # fmt: skip
    assert not receipt.forked
    assert stored(centre) == 30


def test_what_came_by_mqtt_too_is_stored_once(centre, kiosk, tmp_path) -> None:
    records = [kiosk.start_epoch(), *kiosk.crossings(30)]
    centre.receive(kiosk, *records[:20])
    path = written(tmp_path, section(kiosk, records[10:]))
    imported, _ = take(centre, path)
    assert (imported.streams[0].new, imported.streams[0].duplicates) == (11, 10)
    imported, importer = take(centre, path)
    importer.write_receipts(tmp_path)
    assert (imported.streams[0].new, imported.streams[0].duplicates, imported.is_whole) == (0, 21, True)
    assert receipts_in(imported.receipts[0])[0].held_up_to == 31, "duplicates get their receipt too"
    centre.receive(kiosk, *records)
    assert stored(centre) == 30


def test_the_receipt_for_several_streams_and_epochs_says_how_far_each_is_held(centre, kiosk, tmp_path) -> None:
    audit = FakeKiosk(stream="audit", key=kiosk.key)
    first = [kiosk.start_epoch(), *kiosk.crossings(3)]
    second = [kiosk.start_epoch("epoch-b"), *kiosk.crossings(2)]
    content = section(kiosk, first + second) + section(audit, [audit.start_epoch()])
    imported, importer = take(centre, written(tmp_path, content))
    importer.write_receipts(tmp_path)
    said = [(one.stream, one.epoch, one.held_up_to) for one in receipts_in(imported.receipts[0])]
    assert said == [("audit", "epoch-a", 1), ("crossing", "epoch-a", 4), ("crossing", "epoch-b", 7)]
    assert imported.is_whole


@pytest.mark.parametrize("left", [0.3, 0.6, 0.95])
def test_a_file_that_was_cut_short_gives_what_is_whole_and_says_what_is_missing(centre, kiosk, tmp_path, left) -> None:
    content = section(kiosk, [kiosk.start_epoch(), *kiosk.crossings(20)])
    content = content[: int(len(content) * left)]
    whole = content.count(b"\n") - 1
    imported, importer = take(centre, written(tmp_path, content))
    importer.write_receipts(tmp_path)
    (one,) = imported.streams
    assert (one.held_up_to, one.missing) == (whole, [(whole + 1, 21)])
    assert not imported.is_whole and imported.damaged == 1
    assert f"line {whole + 2}: cut short" in imported.damages[0]
    assert receipts_in(imported.receipts[0])[0].held_up_to == whole


def test_a_damaged_line_in_the_middle_costs_that_record_and_holds_up_those_behind_it(centre, kiosk, tmp_path) -> None:
    lines = section(kiosk, [kiosk.start_epoch(), *kiosk.crossings(9)]).splitlines(keepends=True)
    lines[5] = lines[5][:40] + b"\x00\xff" + lines[5][42:]
    imported, importer = take(centre, written(tmp_path, b"".join(lines)))
    importer.write_receipts(tmp_path)
    (one,) = imported.streams
    assert (one.records, one.refused, one.held_up_to, one.missing) == (9, 1, 4, [(5, 5)])
    assert receipts_in(imported.receipts[0])[0].held_up_to == 4


def test_records_before_the_file_that_never_came_are_no_part_of_a_receipt(centre, kiosk, tmp_path) -> None:
    records = [kiosk.start_epoch(), *kiosk.crossings(9)]
    imported, importer = take(centre, written(tmp_path, section(kiosk, records[5:])))
    importer.write_receipts(tmp_path)
    assert (imported.streams[0].held_up_to, imported.receipts, imported.is_whole) == (0, [], False)
    take(centre, written(tmp_path, section(kiosk, records[:5])))
    assert centre.ends(kiosk) == {(10, records[-1].hash)}


def test_several_files_of_one_export_add_up_in_any_order(centre, kiosk, tmp_path) -> None:
    records = [kiosk.start_epoch(), *kiosk.crossings(9)]
    one = written(tmp_path, section(kiosk, records[6:]), "records_b_001.jsonl")
    two = written(tmp_path, section(kiosk, records[:6]), "records_b_002.jsonl")
    imported, _ = take(centre, one, two)
    assert imported.is_whole and imported.streams[0].held_up_to == 10


def test_a_kiosk_that_is_not_registered_is_named_and_nothing_of_it_is_kept(centre, kiosk, tmp_path) -> None:
    other = FakeKiosk("utopia/lane-9")
    content = section(other, [other.start_epoch(), *other.crossings(2)]) + section(kiosk, [kiosk.start_epoch()])
    imported, _ = take(centre, written(tmp_path, content))
    assert "utopia/lane-9 is not registered here" in imported.damages[0]
    assert [one.kiosk for one in imported.streams] == [kiosk.name], "what else is in the file is taken"
    with reading(centre.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(rejected)) == 0


def test_another_kiosks_records_behind_a_good_first_line_are_refused(centre, kiosk, tmp_path) -> None:
    other = FakeKiosk("utopia/lane-2")
    centre.register(other)
    own, others = [kiosk.start_epoch(), kiosk.crossing()], [other.start_epoch(), other.crossing()]
    imported, _ = take(centre, written(tmp_path, section(kiosk, own) + section(other, others).split(b"\n", 1)[1]))
    (one,) = imported.streams
    assert (one.records, one.refused, stored(centre)) == (2, 2, 1)
    assert ("rejected", 0, 2) in centre.incidents()


def test_a_first_line_that_another_kiosk_signed_is_refused(centre, kiosk, tmp_path) -> None:
    other = FakeKiosk("utopia/lane-2")
    centre.register(other)
    other.name = kiosk.name
    forged = section(other, [kiosk.start_epoch()])
    imported, _ = take(centre, written(tmp_path, forged))
    assert imported.streams == [] and imported.damaged == 1


@pytest.mark.parametrize("range_", [{"from_": 0}, {"to": 0}, {"from_": -5}])
def test_a_first_line_with_an_impossible_range_is_refused(centre, kiosk, tmp_path, range_) -> None:
    imported, _ = take(centre, written(tmp_path, section(kiosk, [kiosk.start_epoch()], **range_)))
    assert imported.streams == [] and imported.damaged == 1


def test_a_promise_beyond_measure_costs_no_time(centre, kiosk, tmp_path) -> None:
    imported, _ = take(centre, written(tmp_path, section(kiosk, [kiosk.start_epoch()], to=2**62)))
    assert imported.streams[0].missing == [(2, 2**62)]


def test_a_fork_on_a_stick_is_kept_and_both_branches_get_a_receipt_that_says_so(centre, kiosk, tmp_path) -> None:
    centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(4))
    twin = kiosk.clone()
    centre.receive(kiosk, *kiosk.crossings(3))
    imported, importer = take(centre, written(tmp_path, section(twin, [twin.crossing() for _ in range(2)])))
    importer.write_receipts(tmp_path)
    said = {(one.held_up_to, one.hash_at, one.forked) for one in receipts_in(imported.receipts[0])}
    assert said == {(8, kiosk.hash, True), (7, twin.hash, True)}


@pytest.mark.parametrize("content", [b"", b"hello\nyou\n", b"\x00" * 1000, b'{"export":"a.b.c","kiosk":"x/y"}\n'])
def test_what_is_no_file_of_records_is_told_once_and_changes_nothing(centre, kiosk, tmp_path, content) -> None:
    imported, importer = take(centre, written(tmp_path, content))
    importer.write_receipts(tmp_path)
    assert (imported.streams, imported.receipts) == ([], [])
    assert imported.damaged == (1 if content else 0)


def test_a_line_longer_than_any_record_is_passed_over(centre, kiosk, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(carried, "MAX_LINE_BYTES", 10_000)
    content = section(kiosk, [kiosk.start_epoch()]) + b"x" * 25_000 + b"\n" + section(kiosk, kiosk.crossings(2))
    imported, _ = take(centre, written(tmp_path, content))
    assert (imported.damaged, imported.streams[0].held_up_to) == (1, 3)


def test_a_folder_gives_its_files_of_records_and_what_a_pulled_stick_left(tmp_path) -> None:
    for name in ("records_a_b_002.jsonl", "records_a_b_001.jsonl", "records_a_b_003.jsonl.part", "receipts_a_b.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in files_at(tmp_path)] == [
        "records_a_b_001.jsonl", "records_a_b_002.jsonl", "records_a_b_003.jsonl.part",
    ]  # fmt: skip
    assert files_at(tmp_path / "receipts_a_b.txt") == [tmp_path / "receipts_a_b.txt"]


def test_nothing_to_import_is_one_sentence(tmp_path) -> None:
    with pytest.raises(LandfallError, match="no file of records is here"):
        files_at(tmp_path)
    with pytest.raises(LandfallError, match="is the stick mounted"):
        files_at(tmp_path / "stick")


def test_receipts_that_cannot_be_written_are_one_sentence(centre, kiosk, tmp_path) -> None:
    _, importer = take(centre, written(tmp_path, section(kiosk, [kiosk.start_epoch()])))
    with pytest.raises(LandfallError, match="give another folder with --receipts"):
        importer.write_receipts(tmp_path / "nowhere")
