"""Readers that play a keyboard: the kernel's events read from a descriptor, unplugging, other programs, lost keys.

A pipe does not know the grab, so it is locked instead; the device suite grabs a real one on a kiosk.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw.devices import DeviceLost, DeviceReady, DocumentRead, ReadFailed
from hw.hid_reader import EV_KEY, INPUT_EVENT, HidReader
from hw.keyboard import Layout
from hw.settings import ReaderSettings
from hw.simulated.keyboard import SimulatedKeyboard, take
from tests.hw.conftest import Inbox
from tests.hw.framing.samples import AAMVA, BCBP, DCC, TD3, VDS, VDS_NC, ended


def settings(keyboard: SimulatedKeyboard, *, idle_gap_s: float = 5.0, **more: object) -> ReaderSettings:
    """Return settings with which a pause is no end of a message: on a busy machine a typist rests between two keys."""
    return ReaderSettings(
        name="bcbp",
        driver="simulated-hid",
        kind="barcode",
        path=str(keyboard.path),
        idle_gap_s=idle_gap_s,
        **more,
    )


@pytest.fixture(params=Layout)
def keyboard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SimulatedKeyboard]:
    keyboard = SimulatedKeyboard(tmp_path / "usb-Simulated_Scanner_0001-event-kbd", layout=request.param)
    keyboard.plug()
    yield keyboard
    keyboard.unplug()


@pytest.fixture
def us_keyboard(tmp_path: Path) -> Iterator[SimulatedKeyboard]:
    keyboard = SimulatedKeyboard(tmp_path / "usb-Simulated_Scanner_0001-event-kbd")
    keyboard.plug()
    yield keyboard
    keyboard.unplug()


@pytest.fixture
def reader(us_keyboard: SimulatedKeyboard) -> Iterator[HidReader]:
    reader = HidReader(settings(us_keyboard), take=take, longest_pause_s=0.01)
    yield reader
    reader.stop()


def test_barcodes_of_every_kind_are_read_in_every_country(keyboard, request, inbox: Inbox):
    layout = request.node.callspec.params["keyboard"]
    reader = HidReader(settings(keyboard, layout=layout, idle_gap_s=1.0), take=take)
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    for symbology, payload in (("]z0", BCBP), ("]Q1", DCC), ("]Q1", VDS_NC), ("]L0", AAMVA), ("]d1", VDS), ("", BCBP)):
        keyboard.send(symbology.encode() + payload + b"\r")
        frame = inbox.wait_for(DocumentRead).frame
        assert (frame.payload, frame.symbology) == (payload, symbology[:2] or None)
    reader.stop()
    assert {type(event) for event in inbox.seen} == {DeviceReady, DocumentRead}


def test_an_mrz_typed_line_by_line_is_put_together(us_keyboard, reader, inbox: Inbox):
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    us_keyboard.send(ended(TD3, b"\r"))
    assert inbox.wait_for(DocumentRead).frame.payload == b"\n".join(TD3)


def test_silence_ends_a_message_of_a_reader_that_presses_no_enter(us_keyboard, inbox: Inbox):
    reader = HidReader(settings(us_keyboard, idle_gap_s=1.0), take=take)
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    us_keyboard.send(BCBP)
    assert inbox.wait_for(DocumentRead).frame.payload == BCBP
    reader.stop()


def test_a_reader_unplugged_in_a_message_reads_the_next_one_whole_under_another_number(us_keyboard, reader, inbox):
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    before = os.path.realpath(us_keyboard.path)
    us_keyboard.send(BCBP, unplug_at=30)
    assert inbox.wait_for(ReadFailed) == ReadFailed("bcbp", "the reader went away in the middle of a message")
    assert inbox.next() == DeviceLost("bcbp", "unplugged")
    us_keyboard.plug()
    assert os.path.realpath(us_keyboard.path) != before
    assert inbox.next() == DeviceReady("bcbp")
    us_keyboard.send(BCBP + b"\r")
    assert inbox.next().frame.payload == BCBP


def test_a_modifier_held_while_the_reader_was_unplugged_is_not_held_afterwards(us_keyboard, reader, inbox: Inbox):
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    us_keyboard._write(INPUT_EVENT.pack(0, 0, EV_KEY, 42, 1))
    us_keyboard.unplug()
    inbox.wait_for(DeviceLost)
    us_keyboard.plug()
    inbox.wait_for(DeviceReady)
    us_keyboard.send(b"abc1\r")
    assert inbox.next().frame.payload == b"abc1"


@pytest.mark.parametrize("at", [0, 1, 30, len(BCBP) - 1])
def test_a_message_of_which_keys_were_lost_is_refused(us_keyboard, reader, inbox: Inbox, at: int):
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    us_keyboard.send(BCBP[:at])
    us_keyboard.lose_events()
    us_keyboard.send(BCBP[at + 1 :] + b"\r")
    assert inbox.next() == ReadFailed("bcbp", "noise between messages")
    us_keyboard.send(BCBP + b"\r")
    assert inbox.next().frame.payload == BCBP


def test_a_key_that_is_held_down_is_typed_once(us_keyboard, reader, inbox: Inbox):
    reader.start(inbox.put)
    inbox.wait_for(DeviceReady)
    for value in (1, 2, 2, 2, 0):
        us_keyboard._write(INPUT_EVENT.pack(0, 0, EV_KEY, 30, value))
    us_keyboard.send(b"bcd\r")
    assert inbox.next().frame.payload == b"abcd"


def test_a_reader_held_by_another_program_is_lost_with_the_reason(us_keyboard, reader, inbox: Inbox):
    with open(os.open(us_keyboard.path, os.O_RDONLY | os.O_NONBLOCK), "rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        reader.start(inbox.put)
        assert inbox.next() == DeviceLost("bcbp", "another program holds it")
    assert inbox.next() == DeviceReady("bcbp")


def test_what_is_no_input_device_is_not_read(us_keyboard, inbox: Inbox):
    reader = HidReader(settings(us_keyboard))  # with the grab of real devices
    reader.start(inbox.put)
    assert inbox.next() == DeviceLost("bcbp", "the path names something that is no reader of this kind")
    reader.stop()


def test_a_thousand_unpluggings_leave_no_thread_and_no_descriptor(us_keyboard, inbox: Inbox):
    # The fixture `nothing_is_left_behind` counts both.
    reader = HidReader(settings(us_keyboard), take=take, longest_pause_s=0.001)
    reader.start(inbox.put)
    for _ in range(1000):
        assert inbox.next() == DeviceReady("bcbp")
        us_keyboard.unplug()
        assert inbox.next() == DeviceLost("bcbp", "unplugged")
        us_keyboard.plug()
    reader.stop()
