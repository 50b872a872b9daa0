"""The black box of a reader: what it keeps, what it withholds, and that it is never in the way."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.documents.read import read
from hw.black_box import LONGEST_KEPT, TOO_LONG, BlackBox, KeptMessage, load
from hw.choose import open_devices
from hw.devices import DeviceError, DeviceReady, DocumentRead, Frame, ReadFailed
from hw.framing import CUT, Family, FrameError, Framer, encode
from hw.serial_reader import SerialReader
from hw.settings import DeviceSettings, ReaderSettings
from hw.simulated.port import SimulatedPort
from hw.simulated.travellers import KINDS, specimen
from tests.hw.conftest import Inbox, eventually
from tests.hw.framing.samples import AAMVA, VDS

TRAVELLER = specimen(1, 7)
PASSPORT, BOARDING_PASS = TRAVELLER.mrz, TRAVELLER.boarding_pass
PERSONAL = (*PASSPORT.split(b"\n")[0][5:].strip(b"<").split(b"<<"), TRAVELLER.document_number.encode())


class Kept:
    """A black box that is fed by hand, as the driver would."""

    def __init__(self, folder: Path, framing: str = "auto", frames: int = 10) -> None:
        self.settings = ReaderSettings(name="passport", path="/dev/null", framing=framing, black_box=frames)
        self.box = BlackBox(self.settings, folder)
        self._framer = Framer(framing)

    def feed(self, raw: bytes, *, quiet: bool = True) -> list[Frame | FrameError]:
        """Hand in bytes, then silence, and return what the framer made of them."""
        items = self._receive(raw, self._framer.receive(raw), False)
        return items + (self._receive(b"", self._framer.flush(), True) if quiet and self._framer.is_waiting else [])

    def _receive(self, raw: bytes, items: list, is_quiet: bool) -> list[Frame | FrameError]:
        self.box.received(raw, items, is_settled=not self._framer.is_waiting, is_quiet=is_quiet)
        return items

    def written(self) -> list[KeptMessage]:
        """Let the box write what it holds, and return its lines."""
        self.box.start()
        self.box.stop()
        return list(load(self.box.path))


def results(items: list[Frame | FrameError], day) -> list:
    """Return what came of frames, without their content."""
    found = []
    for item in items:
        if isinstance(item, FrameError):
            found.append(item.reason)
            continue
        document = read(item.payload, today=day, symbology=item.symbology, unrecognised=item.unrecognised)
        verdicts = [(one.check, one.result) for one in document.verdicts]
        found.append((item.family, item.symbology, len(item.payload), item.unrecognised, document.kind, verdicts))
    return found


@pytest.mark.parametrize("family", [family for family in Family if family is not Family.AUTO])
def test_a_passport_of_every_family_is_replayed_with_the_same_verdicts_and_without_its_person(family, tmp_path):
    kept = Kept(tmp_path)
    if family is Family.BARCODE:
        items = kept.feed(encode(BOARDING_PASS, family, symbology="]z0"))
    else:
        items = kept.feed(encode(PASSPORT, family))
    (message,) = kept.written()
    assert not any(value in bytes.fromhex(message.bytes) for value in PERSONAL)
    assert results(message.replay(), message.day) == results(items, message.day)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", [Family.ELYCTIS, Family.RTE, Family.ACCESS_IS])
def test_a_frame_that_counts_its_bytes_stays_whole(kind, family, tmp_path):
    kept = Kept(tmp_path, framing=family)
    items = kept.feed(encode(specimen(3, 1, kind).mrz, family))
    (message,) = kept.written()
    assert results(message.replay(), message.day) == results(items, message.day)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_check_digit_stays_wrong(kind, tmp_path):
    kept = Kept(tmp_path)
    lines = specimen(3, 1, kind).mrz.split(b"\n")
    at = 0 if kind == "TD1" else 1
    digit = 14 if kind == "TD1" else 9
    lines[at] = lines[at][:digit] + bytes([48 + (lines[at][digit] - 47) % 10]) + lines[at][digit + 1 :]
    items = kept.feed(encode(b"\n".join(lines), Family.ACCESS_IS))
    (message,) = kept.written()
    found = results(message.replay(), message.day)
    assert found == results(items, message.day)
    assert ("document_number_check", "failed") in found[0][-1]


FAULTS = {
    "half an envelope": b"\x1c\x02" + PASSPORT[:50],
    "one line of two": PASSPORT.split(b"\n")[0] + b"\r",
    "a line too short": PASSPORT[:43] + b"\r" + PASSPORT[47:] + b"\r",
    "a wrong block check": encode(PASSPORT, Family.RTE)[:-1] + bytes([encode(PASSPORT, Family.RTE)[-1] ^ 0x40]),
    "characters not recognised": encode(PASSPORT.replace(b"7", b"?").replace(b"E", b"*", 1), Family.STX_ETX),
    "noise of a wrong speed": b"\xff\x81\x00\xfe\x06\x9f\xe0\x98\x1f",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_framing_fault_survives(fault, tmp_path):
    kept = Kept(tmp_path)
    items = kept.feed(FAULTS[fault])
    (message,) = kept.written()
    assert message.withheld == ""
    assert results(message.replay(), message.day) == results(items, message.day)
    assert not any(value in bytes.fromhex(message.bytes) for value in PERSONAL)


@pytest.mark.parametrize("signed", [VDS, b"HC1:6BFOXN*TS0BI$ZD4N9:9S6RCVN5+O30K3", b'{"data":{"a":"B"},"sig":{}}'])
def test_of_a_signed_document_only_length_and_family_are_kept(signed, tmp_path):
    kept = Kept(tmp_path)
    kept.feed(signed + b"\r")
    (message,) = kept.written()
    assert message.bytes is None and "signed" in message.withheld
    assert message.length == len(signed) + 1
    assert [(found.family, found.length) for found in message.found] == [("raw", len(signed))]


def test_a_driving_licence_is_kept_without_its_holder(tmp_path):
    kept = Kept(tmp_path)
    items = kept.feed(AAMVA)
    (message,) = kept.written()
    if message.bytes is None:  # not faithful: then nothing of it is there
        assert message.found
    else:
        assert results(message.replay(), message.day) == results(items, message.day)
    for line in AAMVA.split(b"\n"):
        if line[:3] in (b"DCS", b"DAC", b"DAQ", b"DAG"):
            # With its name: four digits alone may come out of the hex, or of the redaction's dice.
            assert line.strip() not in kept.box.path.read_bytes()
            assert message.bytes is None or line.strip() not in bytes.fromhex(message.bytes)


def test_what_is_too_long_leaves_its_length(tmp_path):
    kept = Kept(tmp_path)
    kept.feed(b"\x02" + b"A" * (3 * LONGEST_KEPT))
    (message,) = kept.written()
    assert (message.withheld, message.bytes, message.length) == (TOO_LONG, None, 3 * LONGEST_KEPT + 1)


def test_a_line_end_that_comes_late_is_not_a_message(tmp_path):
    kept = Kept(tmp_path, framing="raw")
    lines = PASSPORT.replace(b"\n", b"\r\n") + b"\r"
    for _ in range(3):
        kept.feed(lines, quiet=False)
        kept.feed(b"\n", quiet=False)
    messages = kept.written()
    assert [message.length for message in messages] == [len(lines), len(lines) + 1, len(lines) + 1]
    assert all(results(m.replay(), m.day) == results(messages[0].replay(), m.day) for m in messages)


def test_no_more_than_twice_the_frames_are_kept_and_the_last_are_there(tmp_path):
    box = Kept(tmp_path, frames=3)
    for ordinal in range(1, 12):
        box.feed(b"A" * (ordinal + 10) + b"\r")
        lengths = [message.length for message in box.written()]
        assert len(lengths) < 6
        assert lengths == list(range(12, 12 + ordinal))[-len(lengths) :]


def test_a_box_goes_on_where_the_kiosk_stopped_and_drops_half_a_line(tmp_path):
    first = Kept(tmp_path)
    first.feed(b"HELLO WORLD\r")
    assert len(first.written()) == 1
    with first.box.path.open("ab") as file:
        file.write(b'{"reader":"passp')
    second = Kept(tmp_path)
    second.feed(b"HELLO AGAIN, WORLD\r")
    assert [message.length for message in second.written()] == [12, 19]


def test_the_file_is_for_its_owner_alone(tmp_path):
    kept = Kept(tmp_path)
    for umask in (0o000, 0o022):
        before = os.umask(umask)
        try:
            kept.feed(encode(PASSPORT, Family.RAW))
            kept.written()
        finally:
            os.umask(before)
        assert stat.S_IMODE(kept.box.path.stat().st_mode) == 0o600


def test_each_line_names_the_settings_that_a_replay_needs(tmp_path):
    kept = Kept(tmp_path, framing="access-is")
    kept.feed(encode(PASSPORT, Family.ACCESS_IS))
    kept.written()
    line = json.loads(kept.box.path.read_bytes())
    assert {
        "reader": "passport",
        "framing": "access-is",
        "substitutes": "?*",
        "check_bcc": True,
    }.items() <= line.items()


def test_a_full_disk_costs_kept_frames_and_no_reading(tmp_path):
    kept = Kept(tmp_path)
    kept.box.path.unlink()
    kept.box.path.mkdir()
    kept.box.start()
    for _ in range(100):
        assert kept.feed(encode(PASSPORT, Family.RAW))
    kept.box.stop()


def test_a_redaction_that_fails_costs_one_frame_alone(tmp_path, monkeypatch):
    kept = Kept(tmp_path)
    kept.feed(b"FIRST MESSAGE\r")
    monkeypatch.setattr("hw.black_box.redact", lambda *_, **__: {}["no such thing"])
    kept.box.start()
    kept.box.stop()
    monkeypatch.undo()
    kept.feed(b"SECOND MESSAGE\r")
    messages = kept.written()
    assert [message.withheld for message in messages] == ["the redaction failed: KeyError", ""]


@given(raw=st.binary(max_size=80), quiet=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_kept_or_withheld_and_replayed_as_they_were(tmp_path, raw, quiet):
    kept = Kept(tmp_path)
    items = kept.feed(raw, quiet=quiet)
    messages = [message for message in kept.written()[-1:] if items and not message.withheld]
    for message in messages:
        assert results(message.replay(), message.day) == results(items, message.day) or kept._framer.is_waiting
    kept.box.path.unlink()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[SimulatedPort]:
    port = SimulatedPort(tmp_path / "port", baud=115_200)
    port.plug()
    yield port
    port.unplug()


def test_the_driver_keeps_what_it_reads_and_what_was_cut(port, tmp_path, inbox: Inbox):
    settings = ReaderSettings(name="passport", path=str(port.path), black_box=5, idle_gap_s=5)
    box = BlackBox(settings, tmp_path)
    reader = SerialReader(settings, box)
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    port.send(encode(PASSPORT, Family.ACCESS_IS))
    inbox.wait_for(DocumentRead)
    port.send(encode(PASSPORT, Family.ACCESS_IS)[:40])
    eventually(port.is_read)  # what was not read when a reader is unplugged never came
    port.unplug()
    assert inbox.wait_for(ReadFailed) == ReadFailed("passport", CUT)
    reader.stop()
    messages = list(load(box.path))
    assert [item.family for item in messages[0].replay()] == ["access-is"]
    assert [found.error for found in messages[-1].found] == [CUT]
    assert messages[-1].replay() == [FrameError(CUT)]


def test_a_reader_without_a_black_box_leaves_no_file(port, tmp_path, inbox: Inbox):
    devices = open_devices(
        DeviceSettings(readers=[ReaderSettings(name="mrz", path=str(port.path))], state_folder=str(tmp_path))
    )
    devices.start(inbox.put)
    inbox.wait_for(DeviceReady)
    devices.stop()
    assert not list(tmp_path.glob("*.jsonl"))


def test_the_settings_open_a_black_box_in_the_state_folder(port, tmp_path, inbox: Inbox):
    reader = ReaderSettings(name="mrz", path=str(port.path), black_box=3)
    devices = open_devices(DeviceSettings(readers=[reader], state_folder=str(tmp_path)))
    devices.start(inbox.put)
    inbox.wait_for(DeviceReady)
    port.send(encode(PASSPORT, Family.RAW))
    inbox.wait_for(DocumentRead)
    eventually(lambda: len(list(load(tmp_path / "mrz.blackbox.jsonl"))) == 1)
    devices.stop()


def test_a_folder_that_cannot_be_written_is_refused_at_the_start(tmp_path):
    reader = ReaderSettings(name="mrz", path="/dev/null", black_box=3)
    with pytest.raises(DeviceError, match=r"mrz: its black box cannot be written \(No such file or directory\)"):
        open_devices(DeviceSettings(readers=[reader], state_folder=str(tmp_path / "missing")))
