"""What is told of a moment ago: devices, kinds and checks, and nothing of a traveller."""

from __future__ import annotations

from edge.documents.read import read
from edge.recent import MOST_KEPT, Recent
from hw.devices import Button, ButtonPressed, CaseOpened, DocumentRead, Frame, Guidance, PhotoTaken
from hw.simulated.travellers import specimen
from tests.edge.lane import moment

TRAVELLER = specimen(7, 1)


def test_a_read_tells_its_kind_and_checks_and_how_long_it_took() -> None:
    recent = Recent()
    frame = Frame(TRAVELLER.mrz, "raw")
    recent.take(DocumentRead("passport", frame, 0.0921), moment(5))
    recent.watched(read)(frame.payload, today=moment().today, symbology=None, unrecognised=())
    (told,) = recent.after(0)["happenings"]
    assert (told["device"], told["kind"], told["source"], told["took_ms"]) == ("passport", "TD3", "mrz", 92.1)
    assert told["checks"]["composite_check"] == "ok"


def test_nothing_of_a_document_or_a_face_is_told() -> None:
    recent = Recent()
    recent.take(DocumentRead("passport", Frame(TRAVELLER.mrz, "raw")), moment())
    recent.watched(read)(TRAVELLER.mrz, today=moment().today, symbology=None, unrecognised=())
    recent.take(PhotoTaken("camera", "r", b"\xff\xd8face", (Guidance.HOLD_STILL,)), moment())
    told = str(recent.after(0))
    words = [word for word in TRAVELLER.mrz.decode().replace("<", " ").split() if len(word) > 3]
    assert words
    assert not [word for word in words if word in told]
    assert "face" not in told
    assert "'bytes': 6" in told


def test_who_asks_again_gets_what_is_new_in_its_order() -> None:
    recent = Recent()
    recent.take(ButtonPressed("panel", Button.ACCEPT), moment(1))
    last = recent.after(0)["last"]
    recent.take(CaseOpened("panel"), moment(2))
    assert [(one["what"], one["at_s"]) for one in recent.after(last)["happenings"]] == [("case_opened", 2)]


def test_only_so_much_is_remembered() -> None:
    recent = Recent()
    for _ in range(MOST_KEPT + 5):
        recent.take(CaseOpened("panel"), moment())
    assert [one["number"] for one in recent.after(0)["happenings"]] == list(range(6, MOST_KEPT + 6))
