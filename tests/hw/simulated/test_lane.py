"""Travellers at a simulated lane, served by a kiosk that is only a few lines long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw.choose import Devices, open_devices
from hw.devices import Button, ButtonPressed, DeviceError, DeviceLost, DeviceReady, DocumentRead, ReadFailed, Signal
from hw.settings import DeviceSettings, PanelSettings, ReaderSettings
from hw.simulated.travellers import specimen
from tests.hw.conftest import DEADLINE_S, Inbox

FAST = "interval_s = 0\nofficer_s = 0\nseed = 1\n"
# A traveller without patience shows the document again while a busy machine has not got round to an answer: only for
# those who must come again.
HASTY = "patience_s = 0.5\n"
DOCUMENTS = ReaderSettings(name="mrz", driver="simulated", baud=921_600)
BARCODES = ReaderSettings(name="bcbp", driver="simulated", kind="barcode", framing="access-is", baud=921_600)


@pytest.fixture
def devices(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Devices]:
    devices = lane(tmp_path, request.param)
    yield devices
    devices.stop()


def lane(folder: Path, scenario: str, *readers: ReaderSettings) -> Devices:
    (folder / "scenario.toml").write_text(f"{FAST}witness = '{folder}/witness.jsonl'\n{scenario}")
    return open_devices(
        DeviceSettings(
            readers=list(readers or (DOCUMENTS,)),
            panel=PanelSettings(driver="simulated"),
            scenario=str(folder / "scenario.toml"),
        )
    )


def with_scenario(text: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("devices", [text], indirect=True)


def start(devices: Devices, inbox: Inbox) -> None:
    """Start the devices and wait until every one is ready: what is shown to a reader before that is lost."""
    devices.start(inbox.put)
    while {event.device for event in inbox.seen if isinstance(event, DeviceReady)} != set(devices.names()):
        inbox.next()


def serve(devices: Devices, inbox: Inbox, travellers: int, answer: Signal = Signal.PASSED) -> list[bytes]:
    """Answer every whole document with a signal until so many travellers have left; return what was read."""
    payloads: list[bytes] = []
    show, witness = devices.panel.show, devices.simulation.witness
    deadline = time.monotonic() + DEADLINE_S
    start(devices, inbox)
    show(Signal.READY)
    while len(witness.sightings) < travellers:
        assert time.monotonic() < deadline
        match inbox.next_within(0.01):
            case DocumentRead(frame=frame):
                payloads.append(frame.payload)
                show(answer)
                if answer is Signal.PASSED:
                    show(Signal.READY)
            case ReadFailed():
                show(Signal.TRY_AGAIN)
            case ButtonPressed(button=button):
                show(Signal.PASSED if button is Button.ACCEPT else Signal.READY)
                show(Signal.READY)
    return payloads


def seen(devices: Devices) -> list[tuple[int, str]]:
    """Return who left after which lamp."""
    return [(sighting.traveller, sighting.saw) for sighting in devices.simulation.witness.sightings]


@with_scenario("count = 3")
def test_travellers_come_one_after_another_and_leave_after_green(devices, inbox: Inbox):
    payloads = serve(devices, inbox, 3)
    assert payloads == [specimen(1, ordinal).mrz for ordinal in (1, 2, 3)]
    assert seen(devices) == [(1, "green"), (2, "green"), (3, "green")]


@with_scenario("count = 4\ndocuments = ['TD1', 'TD2', 'MRV-A', 'MRV-B']")
def test_documents_of_each_kind_are_shown_in_turn(devices, inbox: Inbox):
    assert [payload.count(b"\n") for payload in serve(devices, inbox, 4)] == [2, 1, 1, 1]


@with_scenario(f"{HASTY}count = 1")
def test_nobody_leaves_without_a_lamp(devices, inbox: Inbox):
    devices.start(inbox.put)
    devices.panel.show(Signal.READY)
    first = inbox.wait_for(DocumentRead)
    assert inbox.wait_for(DocumentRead) == first  # patience is over
    assert devices.simulation.witness.sightings == []


@with_scenario("count = 1")
def test_nobody_comes_to_a_closed_lane(devices, inbox: Inbox):
    devices.start(inbox.put)
    devices.panel.show(Signal.CLOSED)
    devices.panel.show(Signal.READY)
    devices.panel.show(Signal.CLOSED)
    assert devices.simulation.witness.sightings == []


@pytest.mark.parametrize(
    ("devices", "saw"),
    [("count = 1\nofficer = 'accept'", "green"), ("count = 1\nofficer = 'refer'", "amber")],
    indirect=["devices"],
)
def test_a_referred_traveller_leaves_with_the_officers_word(devices, inbox: Inbox, saw: str):
    serve(devices, inbox, 1, Signal.CALL_OFFICER)
    assert seen(devices) == [(1, saw)]


@pytest.mark.parametrize("at", [0, 1, 44, 46, 89])
def test_a_traveller_comes_again_when_the_reader_was_unplugged(tmp_path: Path, inbox: Inbox, at: int):
    devices = lane(tmp_path, f"{HASTY}[[faults]]\nkind = 'unplug'\nevery = 1\nat_byte = {at}\nfor_s = 0.05\n")
    assert serve(devices, inbox, 1)[0] == specimen(1, 1).mrz
    assert any(isinstance(event, DeviceLost) for event in inbox.seen)
    devices.stop()


@pytest.mark.parametrize("fault", ["half", "noise"])
def test_a_traveller_is_read_after_half_a_message_or_noise(tmp_path: Path, inbox: Inbox, fault: str):
    devices = lane(tmp_path, f"{HASTY}[[faults]]\nkind = '{fault}'\nevery = 1\nat_byte = 60\n")
    assert serve(devices, inbox, 1)[0] == specimen(1, 1).mrz
    devices.stop()


@with_scenario("[[faults]]\nkind = 'flip'\nevery = 1\nat_byte = 60")
def test_a_flipped_character_differs_in_one_place(devices, inbox: Inbox):
    read, true = serve(devices, inbox, 1)[0], specimen(1, 1).mrz
    assert [at for at in range(len(true)) if read[at] != true[at]] == [60]


def test_after_a_restart_the_next_travellers_come(tmp_path: Path, inbox: Inbox):
    (tmp_path / "witness.jsonl").write_text('{"traveller":1,"saw":"green"}\n')
    devices = lane(tmp_path, "count = 3")
    assert serve(devices, inbox, 3) == [specimen(1, ordinal).mrz for ordinal in (2, 3)]
    devices.stop()


def test_a_boarding_pass_is_shown_after_the_passport(tmp_path: Path, inbox: Inbox):
    devices = lane(tmp_path, "count = 1", DOCUMENTS, BARCODES)
    start(devices, inbox)
    devices.panel.show(Signal.READY)
    inbox.wait_for(DocumentRead)
    assert inbox.wait_for(DocumentRead).frame.payload.startswith(b"M1")
    devices.stop()


def test_travellers_come_by_the_clock_where_nobody_can_see_the_panel(tmp_path: Path, inbox: Inbox):
    (tmp_path / "scenario.toml").write_text("count = 2\ninterval_s = 0\nseed = 1")
    devices = open_devices(DeviceSettings(readers=[DOCUMENTS], scenario=str(tmp_path / "scenario.toml")))
    devices.simulation.plug_in()
    devices.readers[0].start(inbox.put)
    inbox.wait_for(DeviceReady)
    devices.simulation.start()
    assert [inbox.wait_for(DocumentRead).frame.payload for _ in range(2)] == [specimen(1, n).mrz for n in (1, 2)]
    devices.stop()


@with_scenario(f"{HASTY}count = 2\n[[faults]]\nkind = 'early'\nevery = 1\nat_byte = 50\nfor_s = 0.02")
def test_a_passport_pulled_away_is_shown_again_by_the_same_traveller(devices, inbox: Inbox):
    assert specimen(1, 1).mrz in serve(devices, inbox, 2)
    assert [traveller for traveller, _ in seen(devices)] == [1, 2]


@with_scenario("count = 1\n[[faults]]\nkind = 'repeat'\nevery = 1\ntimes = 3")
def test_a_reader_that_repeats_itself_sends_the_same_again(devices, inbox: Inbox):
    payloads = serve(devices, inbox, 1)
    while len(payloads) < 3:
        payloads.append(inbox.wait_for(DocumentRead).frame.payload)
    assert payloads == [specimen(1, 1).mrz] * 3


@with_scenario("count = 2\n[[faults]]\nkind = 'together'\nevery = 1")
def test_the_next_passport_comes_before_the_first_lamp_and_both_leave_after_a_green_of_their_own(devices, inbox: Inbox):
    start(devices, inbox)
    devices.panel.show(Signal.READY)
    read = [inbox.wait_for(DocumentRead).frame.payload for _ in range(2)]
    assert read == [specimen(1, ordinal).mrz for ordinal in (1, 2)]
    assert seen(devices) == []
    deadline = time.monotonic() + DEADLINE_S
    for number in (1, 2):
        devices.panel.show(Signal.PASSED)
        devices.panel.show(Signal.READY)
        while len(seen(devices)) < number:
            assert time.monotonic() < deadline
            inbox.next_within(0.01)
    assert seen(devices) == [(1, "green"), (2, "green")]


@with_scenario("count = 1\n[[faults]]\nkind = 'bounce'\nevery = 1\nfor_s = 0.01")
def test_a_button_that_bounces_is_pressed_once(devices, inbox: Inbox):
    serve(devices, inbox, 1, Signal.CALL_OFFICER)
    assert [event.button for event in inbox.seen if isinstance(event, ButtonPressed)] == [Button.ACCEPT]
    assert seen(devices) == [(1, "green")]


@with_scenario("count = 1\nno_officer_every = 1")
def test_an_officer_who_does_not_come_presses_nothing(devices, inbox: Inbox):
    start(devices, inbox)
    devices.panel.show(Signal.READY)
    inbox.wait_for(DocumentRead)
    devices.panel.show(Signal.CALL_OFFICER)
    assert inbox.next_within(1.0) is None  # longer than it takes to see that an officer is called
    devices.panel.show(Signal.READY)
    deadline = time.monotonic() + DEADLINE_S
    while not seen(devices):
        assert time.monotonic() < deadline
        inbox.next_within(0.01)
    assert seen(devices) == [(1, "amber")]


def test_whom_an_officer_must_key_in_needs_a_button_for_it(tmp_path: Path):
    with pytest.raises(DeviceError, match=r"set panel\.manual to a pin"):
        lane(tmp_path, "keyed_every = 2")


def test_who_cannot_be_read_lets_the_officer_begin_to_key_in(tmp_path: Path, inbox: Inbox):
    (tmp_path / "scenario.toml").write_text(f"{FAST}no_document_every = 1\ncount = 1")
    panel = PanelSettings(driver="simulated", manual="GPIO12")
    devices = open_devices(DeviceSettings(readers=[DOCUMENTS], panel=panel, scenario=str(tmp_path / "scenario.toml")))
    start(devices, inbox)
    devices.panel.show(Signal.READY)
    assert inbox.wait_for(ButtonPressed).button is Button.MANUAL
    devices.panel.show(Signal.MANUAL)
    devices.panel.show(Signal.PASSED)
    deadline = time.monotonic() + DEADLINE_S
    while not seen(devices):
        assert time.monotonic() < deadline
        inbox.next_within(0.01)
    assert seen(devices) == [(1, "green")]
    devices.stop()


def test_nobody_comes_before_the_file_that_the_scenario_waits_for(tmp_path: Path, inbox: Inbox):
    devices = lane(tmp_path, "count = 1\nwaits_for = 'open'")
    start(devices, inbox)
    devices.panel.show(Signal.READY)
    assert inbox.next_within(0.3) is None
    (tmp_path / "open").touch()
    assert inbox.wait_for(DocumentRead).frame.payload == specimen(1, 1).mrz
    devices.stop()
