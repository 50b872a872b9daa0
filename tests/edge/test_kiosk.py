"""One crossing at one lane, sentence by sentence."""

from __future__ import annotations

import typing
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.documents.read import read
from edge.documents.verdict import Result, Verdict
from edge.errors import LandfallError
from edge.events import (
    CrossingDraft,
    DeadlinePassed,
    DecisionDraft,
    DecisionTaken,
    DocumentKeyed,
    Draft,
    FormKeyed,
    Guide,
    LaneEvent,
    OpenGate,
    ProbeStore,
    Record,
    Recorded,
    RecordFailed,
    Show,
    StoreClosed,
    StoreReady,
    TakePhoto,
    VoidAsked,
    VoidDraft,
)
from edge.groups import Group
from edge.kiosk import IGNORED, PROBE_S, TRANSITIONS, Kiosk, State
from edge.settings import LaneSettings, PolicySettings
from edge.wire.crossing import MAX_PHOTO_BYTES, Conveyance, ReadDocument
from edge.wire.record import Position
from hw.devices import (
    Button,
    ButtonPressed,
    DocumentRead,
    Frame,
    Guidance,
    PhotoFailed,
    PhotoGuidance,
    PhotoTaken,
    ReadFailed,
    Signal,
)
from hw.simulated.travellers import specimen
from tests.edge.lane import Lane, moment

MANUAL = Show(Signal.MANUAL)
READY, WORKING, TRY_AGAIN = Show(Signal.READY), Show(Signal.WORKING), Show(Signal.TRY_AGAIN)
PASSED, CALL_OFFICER, CLOSED = Show(Signal.PASSED), Show(Signal.CALL_OFFICER), Show(Signal.CLOSED)
EVENTS = typing.get_args(LaneEvent)


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_state_knows_what_every_event_means_once(state, event) -> None:
    assert (event in TRANSITIONS[state]) + (event in IGNORED[state]) == 1


def test_the_tables_name_nothing_that_is_no_event() -> None:
    assert set(TRANSITIONS) == set(IGNORED) == set(State)
    assert {event for row in TRANSITIONS.values() for event in row} <= set(EVENTS)
    assert {event for row in IGNORED.values() for event in row} <= set(EVENTS)


def test_something_that_is_no_event_of_a_lane_is_refused() -> None:
    with pytest.raises(LandfallError, match="lane left: str is not an event of a lane"):
        Lane().open().tell("knock")  # type: ignore[arg-type]


# --- opening and closing ----------------------------------------------------------------------------------------------


def test_a_lane_is_closed_until_the_store_is_ready() -> None:
    lane = Lane()
    assert (lane.state, lane.read("TD3 alice")) == (State.CLOSED, [])
    assert lane.tell(StoreReady()) == [READY]
    assert (lane.state, lane.kiosk.deadline_s) == (State.READY, None)


def test_a_document_that_was_shown_to_a_closed_lane_is_read_once_it_is_open() -> None:
    lane = Lane()
    lane.read("TD3 alice")
    lane.open()
    assert lane.read("TD3 alice") == [Record(lane.draft)]


def test_a_store_that_fails_closes_the_lane_and_is_probed_until_it_works() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    assert lane.record_failed() == [CLOSED]
    for _ in range(3):
        before_s = lane.now_s
        assert lane.pass_deadline() == [ProbeStore()]
        assert lane.now_s - before_s == PROBE_S
    assert lane.tell(StoreReady()) == [READY]
    assert lane.read("TD3 alice") == [Record(lane.draft)]


def test_a_lane_closes_when_room_runs_out_before_somebody_comes_and_is_probed_until_it_opens() -> None:
    lane = Lane().open()
    assert lane.tell(StoreClosed()) == [CLOSED]
    assert lane.pass_deadline() == [ProbeStore()]
    assert lane.tell(StoreReady()) == [READY]


def test_whoever_is_at_the_lane_when_room_runs_out_is_not_sent_away_by_it() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    assert lane.tell(StoreClosed()) == []
    assert lane.recorded() == [PASSED, OpenGate()]


def test_a_store_that_does_not_answer_in_time_closes_the_lane() -> None:
    lane = Lane(record_s=5.0).open()
    lane.read("TD3 alice")
    assert lane.kiosk.deadline_s == lane.now_s + 5.0
    assert lane.pass_deadline() == [CLOSED]
    assert lane.state is State.CLOSED


def test_a_record_that_comes_late_is_voided_has_the_store_asked_and_lets_nobody_pass() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    late = lane.draft
    lane.pass_deadline()
    assert lane.recorded() == [Record(VoidDraft("id-2", moment(lane.now_s), late.id)), ProbeStore()]
    assert lane.state is State.CLOSED
    assert lane.tell(StoreReady()) == [READY]
    assert lane.recorded("id-2") == []


def test_a_void_a_decision_or_a_form_that_is_on_disk_does_not_open_a_closed_lane() -> None:
    lane = Lane().open()
    lane.read("TD3 a validity=failed")
    lane.recorded()
    lane.pass_deadline()
    assert lane.tell(StoreClosed()) == [CLOSED]
    lane.tell(DecisionTaken("passed", "A-1042"))
    assert lane.recorded() == [ProbeStore()]
    lane.tell(VoidAsked("test", "A-1042"))
    assert lane.recorded() == [ProbeStore()]
    lane.key_form()
    assert lane.recorded() == [ProbeStore()]
    assert (lane.state, lane.read("TD3 bob")) == (State.CLOSED, [])


def test_a_record_is_voided_even_if_it_comes_when_the_next_traveller_is_there() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    late = lane.draft
    lane.pass_deadline()
    lane.tell(StoreReady())
    lane.read("TD3 bob")
    (void,) = lane.recorded(late.id)
    assert void.draft.amends == late.id
    assert lane.state is State.RECORDING
    assert lane.recorded("id-2") == [PASSED, OpenGate()]


def test_a_record_that_was_late_and_failed_needs_no_amendment() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    lane.pass_deadline()
    assert lane.record_failed() == []
    assert lane.tell(StoreReady()) == [READY]


def test_an_amendment_that_failed_is_asked_for_again_when_the_store_is_ready() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    late = lane.draft
    lane.pass_deadline()
    lane.recorded()
    assert lane.record_failed() == []
    (again, _) = lane.tell(StoreReady())
    assert (again.draft.id, again.draft.amends) == ("id-3", late.id)
    lane.recorded("id-3")
    assert lane.tell(StoreReady()) == []


def test_a_document_that_breaks_its_reader_is_a_misread_and_names_no_one() -> None:
    lane = Lane().open()
    lane.kiosk._read = lambda payload, **about: {}[payload.decode()]
    assert lane.read("TD3 eriksson")[-1] == TRY_AGAIN
    lane.pass_deadline()
    (document,) = lane.draft.documents
    assert [verdict.detail for verdict in document.verdicts] == ["the reading failed: KeyError"]
    assert lane.draft.outcome.result == "referred"


def test_the_failure_of_another_draft_closes_nothing() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    assert lane.tell(RecordFailed("another", "disk full")) == []
    assert lane.state is State.RECORDING


# --- a good crossing --------------------------------------------------------------------------------------------------


def test_a_traveller_passes_only_after_the_crossing_is_recorded() -> None:
    lane = Lane().open()
    assert lane.read("TD3 alice") == [Record(lane.draft)]
    assert lane.recorded() == [PASSED, OpenGate()]
    assert lane.kiosk.deadline_s == lane.now_s + lane.settings.policy.show_s
    assert lane.pass_deadline() == [READY]


def test_the_record_of_another_draft_opens_nothing() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    assert lane.recorded("another") == []
    assert lane.state is State.RECORDING


def test_the_draft_says_what_the_lane_knows() -> None:
    lane = Lane(kind="desk", direction="exit", training=True).open()
    lane.read("TD3 alice validity=ok")
    draft = lane.draft
    assert isinstance(draft, CrossingDraft)
    assert (draft.id, draft.direction, draft.lane, draft.training) == ("id-1", "exit", "desk", True)
    assert (draft.outcome.result, draft.outcome.by, draft.outcome.reasons) == ("passed", "rule", ())
    assert (draft.photo, draft.photo_absent, draft.conveyance) == (None, "off", None)
    assert [(document.kind, document.source, document.reader) for document in draft.documents] == [
        ("TD3", "mrz", "passport")
    ]
    assert draft.moment == moment(lane.now_s)


def test_a_boarding_pass_that_is_wanted_is_awaited_and_names_the_flight() -> None:
    lane = Lane(required=("travel_document", "boarding_pass")).open()
    assert lane.read("TD3 alice") == [WORKING]
    assert lane.read("BCBP seat", "barcode") == [Record(lane.draft)]
    assert lane.draft.conveyance.number == "UT204"
    assert [document.reader for document in lane.draft.documents] == ["passport", "barcode"]


def test_what_is_optional_is_awaited_for_a_moment_only() -> None:
    lane = Lane(optional=("boarding_pass",), optional_s=4.0, collect_s=12.0).open()
    assert lane.read("TD3 alice") == [WORKING]
    assert lane.kiosk.deadline_s == lane.now_s + 4.0
    assert lane.pass_deadline() == [Record(lane.draft)]
    assert lane.draft.outcome.result == "passed"


def test_what_is_optional_never_makes_the_lane_wait_longer_than_for_what_is_required() -> None:
    lane = Lane(optional=("boarding_pass",), optional_s=9.0, collect_s=12.0).open()
    began_s = lane.now_s
    lane.read("VDS seal")
    lane.wait(10)
    lane.read("TD3 alice")
    assert lane.kiosk.deadline_s == began_s + 12.0


def test_the_date_is_given_to_the_checks() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    assert lane.days == [date(2026, 3, 1)]


def test_no_date_is_given_to_the_checks_while_the_clock_is_unset() -> None:
    lane = Lane(clock="unset").open()
    lane.read("TD3 alice validity=not_done")
    assert lane.days == [None]
    assert lane.draft.outcome.result == "passed"


# --- referrals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "reasons"),
    [
        ("TD3 a validity=failed", ("mrz.validity_failed",)),
        ("TD3 a validity=doubtful", ("mrz.validity_doubtful",)),
        ("TD3 a validity=not_done", ()),
        ("TD3 a validity=failed sex=doubtful names=ok", ("mrz.validity_failed", "mrz.sex_doubtful")),
        ("TD3 a specimen=doubtful", ("mrz.specimen_doubtful",)),
    ],
)
def test_a_check_refers_with_its_name(payload, reasons) -> None:
    lane = Lane().open()
    lane.read(payload)
    assert lane.draft.outcome.reasons == reasons
    assert lane.draft.outcome.result == ("referred" if reasons else "passed")


def test_a_referred_traveller_waits_for_the_officer_after_the_record() -> None:
    lane = Lane(refer_s=10.0).open()
    assert lane.read("TD3 a validity=failed") == [Record(lane.draft)]
    assert lane.recorded() == [CALL_OFFICER]
    assert lane.kiosk.deadline_s == lane.now_s + 10.0
    assert lane.pass_deadline() == [READY]


def test_specimens_pass_where_they_are_accepted() -> None:
    lane = Lane(specimens="accept").open()
    lane.read("TD3 a specimen=doubtful")
    assert lane.draft.outcome.result == "passed"


def test_two_travel_documents_are_one_too_many() -> None:
    lane = Lane(required=("travel_document", "boarding_pass")).open()
    lane.read("TD3 alice")
    lane.read("TD1 bob")
    lane.read("BCBP seat")
    assert lane.draft.outcome.reasons == ("more_than_one_travel_document",)


@pytest.mark.parametrize("decision", ["rules", "officer"])
def test_the_passport_of_whoever_stands_too_close_behind_becomes_a_crossing_of_its_own(decision: str) -> None:
    lane = Lane(photo="wanted", decision=decision).open()
    lane.read("TD3 alice born:1974-08-12")
    assert lane.read("TD3 bob born:1969-02-02") == []
    assert lane.read("TD3 bob born:1969-02-02") == []  # and the reader repeats itself
    lane.photo()
    if decision == "officer":
        lane.press(Button.ACCEPT)
    assert len(lane.draft.documents) == 1
    assert lane.draft.outcome.result == "passed"
    lane.recorded()
    lane.pass_deadline()
    lane.photo("id-2")
    if decision == "officer":
        lane.press(Button.ACCEPT)
    assert [draft.documents[0].fields["date_of_birth"] for draft in lane.drafts] == ["1974-08-12", "1969-02-02"]


def test_while_an_officer_decides_the_next_passport_is_kept_for_a_crossing_of_its_own() -> None:
    lane = Lane(decision="officer").open()
    lane.read("TD3 alice born:1974-08-12")
    assert lane.state is State.DECIDING
    lane.read("TD3 bob born:1969-02-02")
    lane.press(Button.ACCEPT)
    assert [document.fields["date_of_birth"] for document in lane.draft.documents] == ["1974-08-12"]
    lane.recorded()
    lane.pass_deadline()
    assert lane.state is State.DECIDING


@pytest.mark.parametrize("born", ["1974-08-12", "1974-08-XX", "19XX-XX-XX"])
def test_two_passports_of_one_person_are_one_crossing_and_an_officer_looks(born: str) -> None:
    lane = Lane(photo="wanted").open()
    lane.read("TD3 alice born:1974-08-12")
    lane.read(f"TD3 alicia born:{born}")
    lane.photo()
    assert lane.draft.outcome.reasons == ("more_than_one_travel_document",)


def test_a_misread_passport_is_never_taken_for_that_of_the_next() -> None:
    lane = Lane(photo="wanted").open()
    lane.read("TD3 alice born:1974-08-12")
    assert lane.read("TD3 alice born:1974-08-17 date_of_birth_check=failed") == [TRY_AGAIN]


def test_what_is_required_and_does_not_come_refers() -> None:
    lane = Lane(required=("travel_document", "visa")).open()
    lane.read("TD3 alice")
    assert lane.pass_deadline() == [Record(lane.draft)]
    assert (lane.draft.outcome.result, lane.draft.outcome.reasons) == ("referred", ("visa_missing",))


# --- reading again ----------------------------------------------------------------------------------------------------


def test_a_misread_asks_for_another_try_and_the_good_read_counts() -> None:
    lane = Lane().open()
    assert lane.read("TD3 alice document_number_check=failed") == [TRY_AGAIN]
    assert lane.read("TD3 alice document_number_check=ok") == [Record(lane.draft)]
    assert (len(lane.draft.documents), lane.draft.outcome.result) == (1, "passed")


@pytest.mark.parametrize("garbage", ["%$#", "", "TD9 x"])
def test_garbage_until_the_deadline_is_referred_and_says_why(garbage) -> None:
    lane = Lane(collect_s=12.0).open()
    assert lane.read(garbage) == [TRY_AGAIN]
    assert lane.kiosk.deadline_s == lane.now_s + 12.0
    lane.wait(5)
    assert lane.read(garbage + "!") == [TRY_AGAIN]
    assert lane.pass_deadline() == [Record(lane.draft)]
    assert lane.draft.outcome.reasons == ("travel_document_missing", "document_unreadable")
    assert [document.kind for document in lane.draft.documents] == ["unknown"]


def test_a_boarding_pass_does_not_take_the_place_of_a_passport_that_must_be_shown_again() -> None:
    lane = Lane(required=("travel_document", "boarding_pass")).open()
    lane.fail_read()
    assert lane.read("BCBP") == [TRY_AGAIN]
    assert isinstance(lane.read("TD3 alice")[-1], Record)


def test_noise_alone_is_referred_with_no_document() -> None:
    lane = Lane().open()
    assert lane.fail_read() == [TRY_AGAIN]
    lane.pass_deadline()
    assert lane.draft.documents == ()
    assert lane.draft.outcome.reasons == ("travel_document_missing", "document_unreadable")


def test_the_best_of_several_misreads_is_kept() -> None:
    lane = Lane().open()
    lane.read("TD3 a document_number_check=failed composite_check=failed")
    lane.read("TD3 a document_number_check=failed")
    lane.read("noise")
    lane.pass_deadline()
    assert [len(document.verdicts) for document in lane.draft.documents] == [1]


def test_a_read_that_is_repeated_is_not_a_second_document() -> None:
    lane = Lane(required=("travel_document", "boarding_pass"), repeat_s=3.0).open()
    lane.read("TD3 alice")
    lane.wait(1)
    assert lane.read("TD3 alice") == []
    lane.read("BCBP seat")
    assert len(lane.draft.documents) == 2


def test_a_document_that_lies_on_its_reader_is_one_crossing_however_long_it_lies() -> None:
    lane = Lane(show_s=2.0, repeat_s=3.0).open()
    lane.read("TD3 alice")
    lane.recorded()
    for _ in range(20):
        lane.wait(1)
        assert lane.read("TD3 alice") == []
        if lane.state is State.SHOWING and lane.kiosk.deadline_s <= lane.now_s:
            lane.pass_deadline()
    assert (lane.state, len(lane.drafts)) == (State.READY, 1)


def test_the_same_document_is_another_crossing_when_it_comes_again_later() -> None:
    lane = Lane(show_s=2.0, repeat_s=3.0).open()
    lane.read("TD3 alice")
    lane.recorded()
    lane.pass_deadline()
    lane.wait(1.1)
    assert lane.read("TD3 alice") == [Record(lane.draft)]
    assert lane.draft.id == "id-2"


# --- the next traveller -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_recorded", [False, True])
def test_the_next_travellers_document_is_held_until_this_one_has_seen_the_lamp(is_recorded) -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    if is_recorded:
        lane.recorded()
        assert lane.read("TD3 bob") == []
    else:
        assert lane.read("TD3 bob") == []
        lane.recorded()
    assert lane.pass_deadline() == [READY, Record(lane.draft)]
    assert lane.draft.id == "id-2"


def test_a_misread_of_the_next_traveller_asks_for_another_try_when_the_turn_comes() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    lane.recorded()
    lane.read("noise")
    assert lane.pass_deadline() == [READY, TRY_AGAIN]


def test_an_optional_document_that_comes_too_late_is_not_the_next_travellers() -> None:
    lane = Lane(optional=("boarding_pass",)).open()
    lane.read("TD3 alice")
    lane.pass_deadline()
    lane.recorded()
    assert lane.read("BCBP seat") == []
    assert lane.pass_deadline() == [READY]


def test_what_was_held_is_forgotten_when_the_lane_closes() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    lane.read("TD3 bob")
    lane.record_failed()
    assert lane.tell(StoreReady()) == [READY]


# --- photos -----------------------------------------------------------------------------------------------------------


def test_the_photo_is_taken_at_the_first_read_and_awaited() -> None:
    lane = Lane(photo="wanted").open()
    assert lane.read("TD3 alice") == [TakePhoto("id-1"), WORKING]
    assert lane.photo() == [Record(lane.draft)]
    assert (lane.draft.photo, lane.draft.photo_absent) == (b"jpeg", "")


def test_a_crossing_goes_on_without_a_photo_that_failed_and_says_so() -> None:
    lane = Lane(photo="wanted").open()
    lane.read("TD3 alice")
    assert lane.no_photo(reason="camera lost") == [Record(lane.draft)]
    assert (lane.draft.photo, lane.draft.photo_absent) == (None, "camera lost")
    assert lane.draft.outcome.result == "passed"


def test_a_photo_that_no_letter_holds_is_left_out_and_the_crossing_says_so() -> None:
    lane = Lane(photo="wanted").open()
    lane.read("TD3 alice")
    lane.tell(PhotoTaken("camera", "id-1", b"x" * (MAX_PHOTO_BYTES + 1)))
    assert (lane.draft.photo, lane.draft.photo_absent) == (None, "too_large")


def test_a_crossing_goes_on_without_a_photo_that_is_late_and_says_so() -> None:
    lane = Lane(photo="wanted").open()
    lane.read("TD3 alice")
    assert lane.pass_deadline() == [Record(lane.draft)]
    assert lane.draft.photo_absent == "deadline passed"
    assert lane.photo() == []


def test_the_photo_of_the_traveller_before_is_not_taken_for_this_one() -> None:
    lane = Lane(photo="wanted").open()
    lane.read("TD3 alice")
    lane.pass_deadline()
    lane.recorded()
    lane.pass_deadline()
    lane.wait(10)
    lane.read("TD3 bob")
    assert lane.photo("id-1") == []
    assert lane.photo("id-2") == [Record(lane.draft)]


def test_what_would_make_a_better_photo_is_shown_until_the_photo_is_there() -> None:
    lane = Lane(photo="wanted", optional=("boarding_pass",)).open()
    lane.read("TD3 alice")
    assert lane.guide(Guidance.CLOSER) == [Guide(Guidance.CLOSER)]
    assert lane.guide(Guidance.HOLD_STILL) == [Guide(Guidance.HOLD_STILL)]
    assert lane.photo() == [Guide(None)]
    assert lane.guide(Guidance.CLOSER) == []


def test_guidance_ends_with_the_wait_when_no_photo_comes() -> None:
    lane = Lane(photo="wanted").open()
    lane.read("TD3 alice")
    lane.guide(Guidance.NOBODY_THERE)
    assert lane.pass_deadline() == [Guide(None), Record(lane.draft)]
    assert lane.guide(Guidance.NOBODY_THERE) == []


def test_guidance_for_the_traveller_before_is_not_shown_to_this_one() -> None:
    lane = Lane(photo="wanted").open()
    lane.read("TD3 alice")
    assert lane.guide(Guidance.CLOSER, request="id-0") == []


def test_a_photo_that_is_not_good_is_kept_and_says_what_is_not_right_with_it() -> None:
    lane = Lane(photo="wanted").open()
    lane.read("TD3 alice")
    lane.photo(quality=(Guidance.BACKLIGHT, Guidance.HOLD_STILL))
    assert (lane.draft.photo, lane.draft.photo_quality) == (b"jpeg", ("backlight", "hold_still"))


def test_no_photo_is_asked_for_where_photos_are_off() -> None:
    lane = Lane(photo="off", required=("travel_document", "visa")).open()
    assert lane.read("TD3 alice") == [WORKING]


# --- the officer ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("button", "result", "shown"),
    [(Button.ACCEPT, "passed", [PASSED, OpenGate()]), (Button.REFER, "referred", [CALL_OFFICER])],
)
def test_the_officer_decides_and_the_reasons_stay(button, result, shown) -> None:
    lane = Lane(decision="officer").open()
    assert lane.read("TD3 a validity=failed") == [CALL_OFFICER]
    assert lane.state is State.DECIDING
    assert lane.press(button) == [Record(lane.draft)]
    outcome = lane.draft.outcome
    assert (outcome.result, outcome.by, outcome.reasons) == (result, "officer", ("mrz.validity_failed",))
    assert lane.recorded() == shown


def test_an_officer_who_does_not_decide_leaves_the_traveller_referred() -> None:
    lane = Lane(decision="officer", officer_s=60.0).open()
    lane.read("TD3 alice")
    assert lane.kiosk.deadline_s == lane.now_s + 60.0
    assert lane.pass_deadline() == [Record(lane.draft)]
    assert (lane.draft.outcome.result, lane.draft.outcome.by) == ("referred", "rule")
    assert lane.draft.outcome.reasons == ("officer_did_not_decide",)


def test_an_officer_may_decide_before_everything_is_there() -> None:
    lane = Lane(required=("travel_document", "visa")).open()
    lane.read("TD3 alice")
    assert lane.press(Button.ACCEPT) == [Record(lane.draft)]
    assert (lane.draft.outcome.by, lane.draft.outcome.reasons) == ("officer", ("visa_missing",))


def test_a_document_that_is_shown_while_the_officer_looks_is_added() -> None:
    lane = Lane(decision="officer").open()
    lane.read("TD3 alice")
    assert lane.read("VDS seal") == []
    assert lane.read("noise") == []
    lane.press(Button.ACCEPT)
    assert [document.kind for document in lane.draft.documents] == ["TD3", "VDS"]


@pytest.mark.parametrize(
    ("button", "result", "shown"),
    [(Button.ACCEPT, "passed", [PASSED, OpenGate()]), (Button.REFER, "referred", [CALL_OFFICER])],
)
def test_a_decision_after_a_referral_is_an_amendment_of_it(button, result, shown) -> None:
    lane = Lane().open()
    lane.read("TD3 a validity=failed")
    lane.recorded()
    assert lane.press(button) == [Record(lane.draft)]
    assert lane.draft == DecisionDraft("id-2", moment(lane.now_s), "id-1", result)
    assert lane.recorded() == shown
    assert lane.press(Button.ACCEPT) == []


def test_a_decision_that_cannot_be_recorded_closes_the_lane_and_opens_no_gate() -> None:
    lane = Lane().open()
    lane.read("TD3 a validity=failed")
    lane.recorded()
    lane.press(Button.ACCEPT)
    assert lane.record_failed() == [CLOSED]


def test_nobody_decides_again_about_a_traveller_who_passed_or_whom_an_officer_referred() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    lane.recorded()
    assert lane.press(Button.REFER) == []
    officers = Lane(decision="officer").open()
    officers.read("TD3 alice")
    officers.press(Button.REFER)
    officers.recorded()
    assert officers.press(Button.ACCEPT) == []


def test_the_direction_button_toggles_entry_and_exit_where_the_policy_says_so() -> None:
    lane = Lane(direction="button").open()
    assert lane.press(Button.DIRECTION) == []
    lane.read("TD3 alice")
    assert lane.draft.direction == "exit"
    lane.recorded()
    lane.press(Button.DIRECTION)
    lane.pass_deadline()
    lane.read("TD3 bob")
    assert lane.draft.direction == "entry"


def test_the_direction_button_does_nothing_where_the_direction_is_fixed() -> None:
    lane = Lane(direction="entry").open()
    lane.press(Button.DIRECTION)
    lane.read("TD3 alice")
    assert lane.draft.direction == "entry"


def test_the_officers_buttons_do_nothing_while_nobody_is_there() -> None:
    lane = Lane().open()
    assert lane.press(Button.ACCEPT) == lane.press(Button.REFER) == []
    assert lane.state is State.READY


# --- manual mode ------------------------------------------------------------------------------------------------------


def test_one_press_lets_an_officer_key_the_document_in_and_the_lamp_turns_green_after_the_record() -> None:
    lane = Lane(photo="wanted").open()
    assert lane.press(Button.MANUAL) == [TakePhoto("id-1"), MANUAL]
    assert lane.photo() == []
    assert lane.key_in() == [Record(lane.draft)]
    assert [(document.source, document.reader) for document in lane.draft.documents] == [("manual", "keyed")]
    assert (lane.draft.outcome.result, lane.draft.outcome.officer) == ("passed", "A-1042")
    assert lane.recorded() == [PASSED, OpenGate()]


def test_a_document_may_be_keyed_in_at_a_ready_lane_without_a_press() -> None:
    lane = Lane().open()
    assert lane.key_in() == [Record(lane.draft)]


def test_what_is_keyed_in_follows_the_same_rules() -> None:
    lane = Lane().open()
    lane.key_in("TD", Verdict("validity", Result.FAILED, "expired"))
    assert lane.draft.outcome.reasons == ("manual.validity_failed",)
    assert lane.recorded() == [CALL_OFFICER]


def test_a_person_without_any_document_is_a_record_and_an_officers_to_decide() -> None:
    lane = Lane(optional=("boarding_pass",)).open()
    assert lane.key_in("none") == [Record(lane.draft)]
    assert (lane.draft.outcome.result, lane.draft.outcome.reasons) == ("referred", ("travel_document_missing",))


def test_manual_mode_keeps_what_the_reader_and_the_camera_have_delivered() -> None:
    lane = Lane(photo="wanted").open()
    lane.read("TD3 alice document_number_check=failed")
    lane.photo()
    assert lane.press(Button.MANUAL) == [MANUAL]
    assert lane.key_in() == [Record(lane.draft)]
    assert (lane.draft.id, lane.draft.photo) == ("id-1", b"jpeg")


def test_no_reader_is_heard_in_manual_mode() -> None:
    lane = Lane().open()
    lane.press(Button.MANUAL)
    assert lane.read("TD3 bob") == lane.fail_read() == []
    assert lane.key_in() == [Record(lane.draft)]
    assert [document.source for document in lane.draft.documents] == ["manual"]


@pytest.mark.parametrize("leave", [lambda lane: lane.press(Button.MANUAL), lambda lane: lane.pass_deadline()])
def test_manual_mode_without_anybody_ends_without_a_record(leave) -> None:
    lane = Lane(manual_s=300.0).open()
    lane.press(Button.MANUAL)
    assert lane.kiosk.deadline_s == lane.now_s + 300.0
    assert lane.press(Button.ACCEPT) == []
    assert leave(lane) == [READY]


def test_whoever_was_misread_before_manual_mode_is_referred_when_nobody_keys_in() -> None:
    lane = Lane().open()
    lane.fail_read()
    lane.press(Button.MANUAL)
    assert lane.pass_deadline() == [Record(lane.draft)]
    assert lane.draft.outcome.reasons == ("travel_document_missing", "document_unreadable")


@pytest.mark.parametrize("state", [State.CLOSED, State.COLLECTING, State.DECIDING, State.RECORDING, State.SHOWING])
def test_nothing_that_is_keyed_in_is_put_to_another_traveller(state) -> None:
    assert DocumentKeyed in IGNORED[state]


# --- groups -----------------------------------------------------------------------------------------------------------

FERRY = Group("group-1", "2026-03-01T12:00:00.000Z", 120, Conveyance("vessel", "9074729", "L'Express des Iles"))


def test_the_next_crossings_belong_to_the_open_group_and_its_conveyance() -> None:
    lane = Lane().open()
    lane.kiosk.group.open(FERRY, moment(lane.now_s))
    lane.read("TD3 alice")
    assert (lane.draft.group, lane.draft.conveyance) == ("group-1", FERRY.conveyance)
    assert lane.kiosk.group.count == 0
    lane.recorded()
    assert lane.kiosk.group.count == 1
    lane.pass_deadline()
    assert lane.kiosk.group.close() == FERRY
    lane.read("TD3 bob")
    assert (lane.draft.group, lane.draft.conveyance) == (None, None)


def test_a_boarding_pass_says_more_of_the_conveyance_than_the_group() -> None:
    lane = Lane(required=("travel_document", "boarding_pass")).open()
    lane.kiosk.group.open(FERRY, moment(lane.now_s))
    lane.read("TD3 alice")
    lane.read("BCBP seat")
    assert (lane.draft.group, lane.draft.conveyance.number) == ("group-1", "UT204")


def test_a_crossing_that_is_voided_leaves_its_group() -> None:
    lane = Lane().open()
    lane.kiosk.group.open(FERRY, moment(lane.now_s), count=5)
    lane.read("TD3 alice")
    lane.recorded()
    lane.tell(VoidAsked("entered_twice", "A-1042"))
    assert lane.kiosk.group.count == 6
    lane.recorded()
    assert lane.kiosk.group.count == 5


def test_a_record_that_comes_late_counts_for_no_group_and_its_void_names_the_group() -> None:
    lane = Lane().open()
    lane.kiosk.group.open(FERRY, moment(lane.now_s))
    lane.read("TD3 alice")
    lane.pass_deadline()
    (void, _) = lane.recorded()
    assert (void.draft.group, lane.kiosk.group.count) == ("group-1", 0)


# --- what an officer says later ---------------------------------------------------------------------------------------


def test_the_last_crossing_is_voided_by_an_amendment_once() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    lane.recorded()
    (void,) = lane.tell(VoidAsked("entered_twice", "A-1042"))
    assert void.draft == VoidDraft("id-2", moment(lane.now_s), "id-1", "entered_twice", "A-1042")
    assert lane.tell(VoidAsked("other", "")) == []
    lane.recorded()
    assert lane.tell(VoidAsked("other", "")) == []
    assert lane.state is State.SHOWING


def test_a_void_that_the_disk_did_not_take_may_be_asked_for_again() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    lane.recorded()
    lane.tell(VoidAsked("other", ""))
    lane.record_failed()
    assert [type(action.draft) for action in lane.tell(VoidAsked("other", ""))] == [VoidDraft]


def test_nothing_is_voided_that_was_long_ago_or_is_not_on_disk() -> None:
    lane = Lane(amend_s=900.0).open()
    assert lane.tell(VoidAsked("other", "")) == []
    lane.read("TD3 alice")
    assert lane.tell(VoidAsked("other", "")) == []
    lane.recorded()
    lane.pass_deadline()
    lane.wait(901)
    assert lane.tell(VoidAsked("other", "")) == []


def test_a_referral_that_is_being_voided_opens_no_gate() -> None:
    lane = Lane().open()
    lane.read("TD3 a validity=failed")
    lane.recorded()
    lane.tell(VoidAsked("turned_back", ""))
    assert lane.press(Button.ACCEPT) == []
    lane.recorded()
    assert lane.press(Button.ACCEPT) == []


def test_a_decision_on_somebody_who_has_stepped_aside_lights_no_lamp() -> None:
    lane = Lane().open()
    lane.read("TD3 a validity=failed")
    lane.recorded()
    lane.pass_deadline()
    lane.read("TD3 bob validity=failed")
    bob = lane.draft
    (decision,) = lane.tell(DecisionTaken("passed", "A-1042"))
    assert decision.draft == DecisionDraft("id-3", moment(lane.now_s), "id-1", "passed", "A-1042")
    assert lane.recorded("id-3") == []
    assert lane.state is State.RECORDING
    assert lane.recorded(bob.id) == [CALL_OFFICER]


def test_a_decision_from_the_terminal_says_who_took_it() -> None:
    lane = Lane(decision="officer").open()
    lane.read("TD3 alice")
    lane.tell(DecisionTaken("passed", "A-1042"))
    assert (lane.draft.outcome.by, lane.draft.outcome.officer) == ("officer", "A-1042")
    assert lane.recorded() == [PASSED, OpenGate()]


def test_a_decision_that_was_late_may_be_taken_again() -> None:
    lane = Lane().open()
    lane.read("TD3 a validity=failed")
    lane.recorded()
    lane.press(Button.ACCEPT)
    lane.pass_deadline()
    assert [action.draft.amends for action in lane.tell(DecisionTaken("passed", ""))] == ["id-1"]


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_form_is_a_crossing_of_its_own_with_the_time_on_it_and_no_lamp(is_closed) -> None:
    lane = Lane(direction="entry")
    if not is_closed:
        lane.open()
        lane.read("TD3 alice")
    lane.key_form()
    form = lane.draft
    assert (form.direction, form.written_at, form.photo_absent) == ("exit", "2026-03-01T09:00:00Z", "paper")
    assert (form.outcome.result, form.outcome.by, form.outcome.officer) == ("passed", "officer", "A-1042")
    assert form.moment == moment(lane.now_s)
    assert PASSED not in lane.recorded(form.id)


def test_a_form_is_voided_by_itself() -> None:
    lane = Lane().open()
    lane.read("TD3 alice")
    lane.recorded()
    lane.key_form()
    lane.recorded()
    (void,) = lane.tell(VoidAsked("entered_twice", "", is_form=True))
    assert void.draft.amends == "id-2"
    (void,) = lane.tell(VoidAsked("other", ""))
    assert void.draft.amends == "id-1"


# --- with the real standards ------------------------------------------------------------------------------------------

SPECIMEN = b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"


def read_for_real(payload: bytes, unrecognised: tuple[int, ...] = (), **policy: object) -> tuple[list, Kiosk]:
    """Show one payload to a lane that reads it with `edge.documents`."""
    settings = Lane(**policy).settings
    kiosk = Kiosk(LaneSettings(name="left", policy=settings.policy), new_id=lambda: "id", read=read, memory_key=b"k")
    kiosk.handle(StoreReady(), moment())
    event = DocumentRead("passport", Frame(payload, "raw", unrecognised=unrecognised))
    return kiosk.handle(event, moment(1)), kiosk


def test_the_specimen_of_doc_9303_is_referred_because_it_expired_and_is_a_specimen() -> None:
    (action,), _ = read_for_real(SPECIMEN)
    assert action.draft.outcome.reasons == ("mrz.validity_failed", "mrz.specimen_doubtful")


def test_the_specimen_with_one_wrong_digit_is_read_again() -> None:
    actions, kiosk = read_for_real(SPECIMEN.replace(b"7408122", b"7408132"))
    assert (actions, kiosk.state) == ([TRY_AGAIN], State.COLLECTING)


@pytest.mark.parametrize(
    "payload", [b"", b"\xff" * 100, b"M1", b"{", b"@\n\x1e\rANSI ", b"\xdc\x03", b"HC1:", b"[" * 9999]
)
def test_no_payload_stops_the_lane(payload) -> None:
    actions, kiosk = read_for_real(payload)
    assert kiosk.state in (State.COLLECTING, State.RECORDING)
    assert actions


# --- whatever happens -------------------------------------------------------------------------------------------------

PAYLOADS = [
    "TD3 alice",
    "TD3 bob validity=failed",
    "TD1 carol composite_check=failed",
    "BCBP seat",
    "noise",
    "VDS x=ok",
]
KEYED = [ReadDocument("manual", kind, "keyed", {}, ()) for kind in ("TD", "none")]
IDS = st.sampled_from([f"id-{n}" for n in range(1, 5)])
STEPS = st.one_of(
    st.sampled_from(PAYLOADS).map(lambda payload: DocumentRead("reader", Frame(payload.encode(), "raw"))),
    st.just(ReadFailed("reader", "noise")),
    st.builds(PhotoTaken, st.just("camera"), IDS, st.just(b"jpeg")),
    st.builds(PhotoFailed, st.just("camera"), IDS, st.just("lost")),
    st.builds(PhotoGuidance, st.just("camera"), IDS, st.sampled_from(Guidance)),
    st.builds(ButtonPressed, st.just("panel"), st.sampled_from(Button)),
    st.just(DeadlinePassed()),
    st.builds(Recorded, IDS, st.just(Position("utopia/lane-1", "e", "crossing", 1))),
    st.builds(RecordFailed, IDS, st.just("disk full")),
    st.just(StoreReady()),
    st.just(StoreClosed()),
    st.builds(DocumentKeyed, st.sampled_from(KEYED)),
    st.builds(FormKeyed, st.just(KEYED[0]), st.just("t"), st.just("entry"), st.just("passed"), st.just("")),
    st.builds(DecisionTaken, st.sampled_from(["passed", "referred"]), st.just("")),
    st.builds(VoidAsked, st.just("other"), st.just(""), st.booleans()),
    st.floats(0, 20),
    st.sampled_from(["answer", "refuse"]),
)
POLICIES = st.fixed_dictionaries(
    {
        "required": st.sampled_from([("travel_document",), ("travel_document", "boarding_pass")]),
        "optional": st.sampled_from([(), ("seal",)]),
        "photo": st.sampled_from(["wanted", "off"]),
        "decision": st.sampled_from(["rules", "officer"]),
        "direction": st.sampled_from(["entry", "button"]),
    }
)


def green_is_earned(event: LaneEvent, actions: list, drafts: list[Draft]) -> bool:
    """Tell whether green was shown, and the gate opened, only for a recorded draft whose result is passed."""
    if PASSED not in actions and OpenGate() not in actions:
        return True
    draft = next((draft for draft in drafts if isinstance(event, Recorded) and draft.id == event.id), None)
    result = draft.outcome.result if isinstance(draft, CrossingDraft) else getattr(draft, "result", None)
    return actions == [PASSED, OpenGate()] and result == "passed"


@settings(max_examples=150, deadline=None)
@given(POLICIES, st.lists(STEPS, max_size=40))
def test_whatever_happens_green_is_earned_nobody_is_lost_and_the_lane_comes_back(policy, steps) -> None:
    lane = Lane(**policy).open()
    for step in steps:
        if isinstance(step, float):
            lane.wait(step)
            continue
        if step in ("answer", "refuse"):
            if not lane.drafts:
                continue
            id = lane.draft.id
            step = Recorded(id, Position("k/k", "e", "s", 1)) if step == "answer" else RecordFailed(id, "x")
        before = lane.state
        actions = lane.tell(step)
        assert green_is_earned(step, actions, lane.drafts)
        assert before is State.RECORDING or PASSED not in actions
        assert sum(isinstance(action, Record) for action in actions) <= 1 + isinstance(step, Recorded)
        assert (lane.kiosk.deadline_s is None) <= (lane.state is State.READY)
        if before in (State.COLLECTING, State.DECIDING):  # whoever is at the lane leaves it by a record alone
            assert lane.state in (State.COLLECTING, State.MANUAL, State.DECIDING, State.RECORDING)
    for _ in range(8):
        if lane.state in (State.READY, State.CLOSED):
            break
        lane.pass_deadline()
    assert lane.state in (State.READY, State.CLOSED)


@pytest.mark.parametrize(("of", "result"), [(1, "passed"), (2, "referred")])
def test_another_travellers_boarding_pass_is_recorded_with_its_verdict_and_calls_an_officer(of, result) -> None:
    policy = PolicySettings(optional=("boarding_pass",), specimens="accept")
    kiosk = Kiosk(LaneSettings(name="left", policy=policy), new_id=lambda: "id", read=read, memory_key=b"k" * 32)
    kiosk.handle(StoreReady(), moment())
    kiosk.handle(DocumentRead("passport", Frame(specimen(1, 1).mrz, "raw")), moment(1))
    actions = kiosk.handle(DocumentRead("pass", Frame(specimen(1, of, flight_day=60).boarding_pass, "raw")), moment(2))
    draft = actions[0].draft
    agreement = draft.documents[1].verdicts[-1]
    assert (draft.outcome.result, agreement.check) == (result, "boarding_pass_name")
    assert draft.outcome.reasons == (() if of == 1 else ("bcbp.boarding_pass_name_failed",))
