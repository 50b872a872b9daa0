"""The serial driver against a pty: reading, unplugging at any byte, coming back, and leaving nothing behind."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from hw.devices import DeviceLost, DeviceReady, DocumentRead, ReadFailed
from hw.serial_reader import SerialReader
from hw.settings import ReaderSettings
from hw.simulated.port import SimulatedPort
from tests.hw.conftest import Inbox, eventually
from tests.hw.framing.samples import BCBP, TD1, TD3, ended

FAST_BAUD = 115_200
PASSPORT = ended(TD3, b"\r")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[SimulatedPort]:
    port = SimulatedPort(tmp_path / "usb-Simulated_Reader_0001-if00", baud=FAST_BAUD)
    port.plug()
    yield port
    port.unplug()


@pytest.fixture
def reader(port: SimulatedPort) -> Iterator[SerialReader]:
    reader = SerialReader(ReaderSettings(name="mrz", path=str(port.path), baud=FAST_BAUD))
    yield reader
    reader.stop()


def test_a_document_is_emitted_as_read(port, reader, inbox: Inbox):
    reader.start(inbox.put)
    assert inbox.next() == DeviceReady("mrz")
    port.send(PASSPORT)
    read = inbox.next()
    assert isinstance(read, DocumentRead)
    assert (read.device, read.frame.payload) == ("mrz", b"\n".join(TD3))


def test_a_message_without_terminator_is_emitted_once_the_line_is_quiet(port, inbox: Inbox):
    reader = SerialReader(ReaderSettings(name="bcbp", path=str(port.path), idle_gap_s=0.02, kind="barcode"))
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    port.send(BCBP)
    assert inbox.wait_for(DocumentRead).frame.payload == BCBP
    reader.stop()


def test_a_read_tells_how_long_it_took_from_its_first_byte_to_its_end(port, inbox: Inbox):
    gap_s = 0.05
    reader = SerialReader(ReaderSettings(name="bcbp", path=str(port.path), idle_gap_s=gap_s, kind="barcode"))
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    port.send(BCBP)  # has no end of its own, so the silence after it belongs to it
    took_s = inbox.wait_for(DocumentRead).took_s
    reader.stop()
    assert took_s is not None
    assert took_s >= 0.9 * gap_s


def test_what_is_no_message_is_a_failed_read(port, reader, inbox: Inbox):
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    port.send(TD3[0] + b"\r\r")
    assert inbox.next() == ReadFailed("mrz", "1 of 2 MRZ lines")


def test_a_reader_that_is_not_there_is_lost_once_and_ready_when_it_is_plugged_in(port, reader, inbox: Inbox):
    port.unplug()
    reader.start(inbox.put)
    assert inbox.next() == DeviceLost("mrz", "not plugged in")
    port.plug()
    assert inbox.next() == DeviceReady("mrz")


def test_an_idle_reader_that_is_unplugged_is_lost_once_and_found_again_by_its_id(port, reader, inbox: Inbox):
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    port.unplug()
    assert inbox.next() == DeviceLost("mrz", "unplugged")
    port.plug()
    assert inbox.next() == DeviceReady("mrz")
    port.send(PASSPORT)
    assert inbox.next().frame.payload == b"\n".join(TD3)


@pytest.mark.parametrize("at", [1, 3, 44, 45, 46, len(PASSPORT) - 1])
def test_a_reader_unplugged_in_a_message_reads_the_next_one_whole(port, reader, inbox: Inbox, at: int):
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    assert not port.send(PASSPORT, unplug_at=at)
    inbox.wait_for(DeviceLost)
    port.plug()
    inbox.wait_for(DeviceReady)
    port.send(PASSPORT)
    assert inbox.wait_for(DocumentRead).frame.payload == b"\n".join(TD3)
    assert not any(isinstance(event, DocumentRead) for event in inbox.seen[:-1])


def test_a_reader_is_found_by_a_pattern(port, inbox: Inbox):
    reader = SerialReader(ReaderSettings(name="mrz", path=str(port.path.parent / "usb-Simulated_*-if00")))
    reader.start(inbox.put)
    assert inbox.next() == DeviceReady("mrz")
    reader.stop()


def test_a_port_held_by_another_program_is_lost_with_the_reason(port, reader, inbox: Inbox):
    with serial.Serial(str(port.path), exclusive=True):
        reader.start(inbox.put)
        assert inbox.next() == DeviceLost("mrz", "another program holds it")
    assert inbox.next() == DeviceReady("mrz")


def test_the_port_is_held_exclusively(port, reader, inbox: Inbox):
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    with port.path.open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("path", ["/dev/null", __file__])
def test_what_is_no_serial_port_is_lost_with_the_reason(path: str, inbox: Inbox):
    reader = SerialReader(ReaderSettings(name="mrz", path=path))
    reader.start(inbox.put)
    assert inbox.next() == DeviceLost("mrz", "the path names something that is no reader of this kind")
    reader.stop()
    assert inbox.rest() == []


def test_a_reader_that_takes_commands_is_armed_again_after_each_document(port, inbox: Inbox):
    reader = SerialReader(ReaderSettings(name="idbox", path=str(port.path), framing="elyctis"))
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    lines = ended(TD1, b"\r")
    for _ in range(2):
        port.send(b"\x49" + len(lines).to_bytes(2, "big") + lines)
        assert inbox.wait_for(DocumentRead).frame.family == "elyctis"
    eventually(lambda: (port.send(b"\r"), bytes(port.written) == b"\x43\x00\x01\x01" * 3)[1])
    reader.stop()


def test_stop_may_be_called_twice_and_before_start(reader):
    reader.stop()
    reader.stop()


def test_a_stopped_reader_can_be_started_again(port, reader, inbox: Inbox):
    for _ in range(3):
        reader.start(inbox.put)
        assert inbox.next() == DeviceReady("mrz")
        reader.stop()


def test_a_thousand_reopenings_leave_no_thread_and_no_descriptor(port, reader, inbox: Inbox):
    # The fixture `nothing_is_left_behind` counts both.
    for _ in range(1000):
        reader.start(inbox.put)
        assert inbox.next() == DeviceReady("mrz")
        reader.stop()


def test_an_unknown_framing_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="carrier-pigeon"):
        SerialReader(ReaderSettings(name="mrz", path="/dev/null", framing="carrier-pigeon"))
