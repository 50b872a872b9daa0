"""The uplink's thread on a real store, at a broker and a centre that do what the test says; time is the test's."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.cache import CacheReader, Unreadable
from edge.events import (
    CommandArrived,
    EpochEnded,
    ReceiptAccepted,
    RecordUnreadable,
    RenewalAnswered,
    ResendAsked,
    SettingsDesired,
    StoreFailed,
    UplinkChanged,
    UplinkTrouble,
)
from edge.identity.tls import client_context
from edge.seal import Signer, Verifier
from edge.uplink.link import Acknowledged, Arrived, Connected, Disconnected, Endpoint, Link, LinkEvent, Will
from edge.uplink.troubles import TROUBLE_S
from edge.uplink.unsendable import TELL_AGAIN_S
from edge.uplink.uplink import MOST_WAITING, PUBACK_S, Identity, Pace, Said, Uplink
from edge.wire import messages
from edge.wire.commands import COMMAND_TYP, DESIRED_TYP, REPLY_TYP, Command, Desired
from edge.wire.messages import Receipt, Resend
from edge.wire.record import MAX_BATCH_BYTES, decode_batch, decode_record
from edge.wire.topics import (
    command_topic,
    desired_topic,
    health_topic,
    receipt_topic,
    renewal_answer_topic,
    renewal_request_topic,
    reply_topic,
    status_topic,
)
from tests.edge.desk import SIGNING, WITHIN_S, Desk
from tests.harness.kiosk_records import new_signing_key

KIOSK = "utopia/lane-1"
CENTRE = new_signing_key()
PACE = Pace(retry_least_s=1.0, retry_most_s=60.0, receipt_timeout_s=10.0)


class Broker:
    """Takes every link; `puback` is the reason code of its PUBACKs, None for none at all."""

    def __init__(self) -> None:
        self.links: list[PretendedLink] = []
        self.puback: int | None = 0
        self.is_there = True
        self.maximum_packet: int | None = None
        self.receive_maximum = 100
        self.published: list[tuple[str, bytes, bool]] = []

    def new_link(self, number: int, endpoint: Endpoint, will: Will, put: Callable[[LinkEvent], None]) -> Link:
        """Make a link; it stands where the real one would."""
        self.links.append(PretendedLink(number, will, put, self))
        return self.links[-1]  # type: ignore[return-value]

    def say(self, event: LinkEvent) -> None:
        """Let something happen on the present link."""
        self.links[-1].put(event)

    def send(self, topic: str, payload: bytes) -> None:
        """Send a message to the kiosk."""
        self.say(Arrived(self.links[-1].number, topic, payload))

    def sent(self, stream: str) -> list[int]:
        """Return the sequences that were published of a stream, in order, repetitions included."""
        batches = [decode_batch(payload) for topic, payload, _ in self.published if topic.endswith(f"stream/{stream}")]
        return [int(decode_record(raw).sequence) for batch in batches for raw in batch]

    def statuses(self) -> list[messages.Status]:
        """Return every status that was published."""
        return [_status(payload) for topic, payload, _ in self.published if topic == status_topic(KIOSK)]

    def will_of(self, link: PretendedLink) -> messages.Status:
        """Return what a connection would say at its death."""
        return _status(link.will.payload)


def _status(token: bytes) -> messages.Status:
    payload = Verifier([SIGNING]).verify(token.decode(), messages.STATUS_TYP)
    return messages.decode(messages.Status, payload)


class PretendedLink:
    """What the uplink takes for a connection."""

    def __init__(self, number: int, will: Will, put: Callable[[LinkEvent], None], broker: Broker) -> None:
        self.number, self.will, self.put, self.broker = number, will, put, broker
        self.subscribed: list[str] = []
        self.is_closed = False
        self._mids = 0

    def open(self) -> None:
        if self.broker.is_there:
            self.put(Connected(self.number, self.broker.maximum_packet, self.broker.receive_maximum))
        else:
            self.put(Disconnected(self.number, "Connection refused"))

    def close(self) -> None:
        self.is_closed = True

    def subscribe(self, topics: list[str]) -> None:
        self.subscribed += topics

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, content_type: str = "") -> int | None:
        self._mids += 1
        self.broker.published.append((topic, payload, retain))
        if self.broker.puback is not None:
            self.put(Acknowledged(self.number, self._mids, self.broker.puback))
        return self._mids


class Post:
    """A recorder, an uplink and a broker, with the test in the place of the daemon."""

    def __init__(self, desk: Desk, **replaced: Any) -> None:
        self.desk, self.broker = desk, Broker()
        self.told: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.centre = Signer(CENTRE)
        given = {
            "open_reader": lambda: CacheReader.open(desk.path),
            "signer": Signer(SIGNING),
            "centre": Verifier([CENTRE]),
            "put": self.told.put,
            "now": desk.clock.now,
            "pace": PACE,
            "jitter": random.Random(1),
            "new_link": self.broker.new_link,
        }
        endpoint = Endpoint("h", 1, Path(), Path(), Path(), KIOSK, client_context)
        identity = replaced.pop("identity", Identity(KIOSK, "1", "boot"))
        self.uplink = Uplink(identity, endpoint, **given | replaced)
        self._thread = threading.Thread(target=self.uplink.run)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.uplink.stop()
        self._thread.join(WITHIN_S)
        assert not self._thread.is_alive()

    def next(self, *kinds: type) -> Any:
        """Return what is told next, of these kinds; all else is passed over."""
        while not isinstance(event := self.told.get(timeout=WITHIN_S), kinds):
            pass
        return event

    def pass_s(self, seconds: float) -> None:
        """Let time pass, and the uplink notice."""
        self.desk.clock.pass_s(seconds)
        self.uplink.store_changed()

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something came true."""
        until_s = time.monotonic() + WITHIN_S
        while not is_so():
            assert time.monotonic() < until_s, "not in time"
            time.sleep(0.002)

    def quiet(self) -> None:
        """Wait until the uplink has taken all that was said so far."""
        mark = str(time.monotonic_ns()).encode()
        before = len(self.broker.published)
        self.uplink.publish_health(mark)
        self.until(lambda: any(topic.endswith("health") for topic, *_ in self.broker.published[before:]))

    def cross(self, count: int) -> None:
        """Let some travellers cross."""
        for _ in range(count):
            self.desk.cross(str(time.monotonic_ns()))
        self.uplink.store_changed()

    def receipt(self, up_to: int, **changed: Any) -> None:
        """Let the centre's receipt for crossings arrive; `changed` is what it says otherwise."""
        stream = "crossing"
        with CacheReader.open(self.desk.path) as reader:
            head, own = reader.heads()[stream], reader.hash_at(stream, up_to) or ""
        said = Receipt(KIOSK, stream, head.epoch, up_to, own, "g1", "2026-03-01T12:00:00.000Z")
        payload = messages.encode(msgspec.structs.replace(said, **changed))
        self.broker.send(receipt_topic(KIOSK, stream), self.centre.sign(payload, messages.RECEIPT_TYP).encode())

    def ask_again(self, from_: int, *, at: str = "2026-03-01T12:00:01.000Z", generation: str = "g2") -> None:
        """Let the centre ask for crossings from a position."""
        payload = messages.encode(Resend(KIOSK, "crossing", "", from_, generation, at))
        self.broker.send(command_topic(KIOSK, "resend"), self.centre.sign(payload, messages.RESEND_TYP).encode())


@pytest.fixture
def desk(tmp_path) -> Iterator[Desk]:
    with Desk(tmp_path / "cache.db", keep_receipted_s=1e9) as desk:
        yield desk


@pytest.fixture
def post(desk) -> Iterator[Post]:
    post = Post(desk)
    post.start()
    assert post.next(UplinkChanged) == UplinkChanged(True, "connected")
    post.until(lambda: post.broker.sent("evidence") == [1])
    yield post
    post.stop()


def test_it_subscribes_says_what_it_holds_and_sends_everything_in_order(post) -> None:
    post.cross(3)
    post.until(lambda: len(post.broker.sent("crossing")) == 4)
    assert post.broker.sent("crossing") == [1, 2, 3, 4]
    asked = [receipt_topic(KIOSK, "+"), command_topic(KIOSK, "+"), desired_topic(KIOSK)]
    assert post.broker.links[0].subscribed == [*asked, renewal_answer_topic(KIOSK)]
    (birth,) = post.broker.statuses()
    assert birth.state == "online" and set(birth.streams) == {"crossing", "audit", "evidence"}
    assert all(len(payload) <= MAX_BATCH_BYTES for _, payload, _ in post.broker.published)


def test_an_alarm_does_not_wait_behind_a_backlog(post) -> None:
    post.broker.is_there = False
    post.broker.say(Disconnected(1, "gone"))
    post.next(UplinkChanged)
    post.cross(5)
    post.desk.recorder.audit("case_opened", panel="panel")
    post.desk.wait_until(lambda: bool(post.desk.audited("case_opened")))
    post.broker.is_there, sent_before = True, len(post.broker.published)
    post.desk.clock.pass_s(120)
    post.uplink.store_changed()
    post.until(lambda: 6 in post.broker.sent("crossing"))
    streams = [topic.rpartition("/")[2] for topic, _, _ in post.broker.published[sent_before:] if "/stream/" in topic]
    assert streams[0] == "audit"


def test_what_the_centre_holds_is_told_and_never_sent_again(post) -> None:
    post.cross(3)
    post.until(lambda: len(post.broker.sent("crossing")) == 4)
    post.receipt(3)
    assert post.next(ReceiptAccepted).up_to == 3
    post.broker.say(Disconnected(1, "gone"))
    post.next(UplinkChanged)
    post.pass_s(60)
    post.until(lambda: post.broker.sent("crossing")[4:] == [4])


def test_a_puback_alone_releases_nothing_and_after_a_time_everything_goes_again(post) -> None:
    post.cross(2)
    post.until(lambda: post.broker.sent("crossing")[-1:] == [3])
    post.quiet()
    post.pass_s(11)
    post.until(lambda: post.broker.sent("crossing") == [1, 2, 3, 1, 2, 3])
    assert post.desk.head("crossing").held_up_to == 0


def test_what_the_uplink_says_when_it_stops_is_its_death(post) -> None:
    post.uplink.stop()
    post.until(lambda: post.broker.links[0].is_closed)
    assert [status.state for status in post.broker.statuses()] == ["online", "offline"]
    assert post.broker.published[-1][2], "retained"


def test_birth_will_and_goodbye_name_their_connection_and_the_next_is_another(post) -> None:
    post.broker.say(Disconnected(1, "gone"))
    assert not post.next(UplinkChanged).is_connected
    post.pass_s(200)
    post.until(lambda: len(post.broker.statuses()) == 2)
    post.uplink.stop()
    post.until(lambda: post.broker.links[1].is_closed)
    first, second, goodbye = (status.connection for status in post.broker.statuses())
    assert [post.broker.will_of(link).connection for link in post.broker.links] == [first, second]
    assert goodbye == second != first


def test_a_broker_that_acknowledges_nothing_is_left(post) -> None:
    post.broker.puback = None
    post.cross(1)
    post.until(lambda: 2 in post.broker.sent("crossing"))
    post.pass_s(PUBACK_S - 1)
    post.quiet()
    assert len(post.broker.links) == 1
    post.pass_s(2)
    assert post.next(UplinkChanged) == UplinkChanged(False, "the broker acknowledges nothing")
    assert post.broker.links[0].is_closed


def test_health_goes_out_while_the_whole_window_is_full_of_records(desk) -> None:
    post = Post(desk)
    post.broker.receive_maximum, post.broker.puback = 8, None
    post.start()
    try:
        post.next(UplinkChanged)
        for _ in range(10):
            post.cross(1)
            post.quiet()
        assert max(post.broker.sent("crossing")) < 10, "the window is full: the broker acknowledges nothing"
        post.uplink.publish_health(b"figures")
        post.until(lambda: post.broker.published[-1][0] == health_topic(KIOSK))
    finally:
        post.stop()


@pytest.mark.parametrize(
    ("reason_code", "what"),
    [(0x97, "quota_exceeded"), (0x87, "not_authorized"), (0x80, "unspecified_error"), (0xFF, "unspecified_error")],
)
def test_a_broker_that_refuses_in_its_puback_is_told_as_trouble(post, reason_code, what) -> None:
    post.broker.puback = reason_code
    post.cross(1)
    assert post.next(UplinkTrouble) == UplinkTrouble("crossing", f"broker_refused_{what}")
    assert post.desk.head("crossing").held_up_to == 0


def test_a_broker_that_refuses_health_is_told_as_trouble_too(post) -> None:
    post.broker.puback = 0x97
    post.quiet()
    assert post.next(UplinkTrouble) == UplinkTrouble("unknown", "broker_refused_quota_exceeded")


ORDER = Command("0190a5b2-0000-7000-8000-000000000001", KIOSK, "identify", 1, "", "2026-03-01T12:15:00.000Z")
WISH = Desired("0190a5b2-0000-7000-8000-000000000002", KIOSK, 1, "", 60.0, {"uplink": {"port": 1}})


def test_a_command_and_desired_settings_are_told_as_the_centre_signed_them(post) -> None:
    sign = post.centre.sign
    post.broker.send(command_topic(KIOSK, "identify"), sign(messages.encode(ORDER), COMMAND_TYP).encode())
    assert post.next(CommandArrived).command == ORDER
    post.broker.send(desired_topic(KIOSK), sign(messages.encode(WISH), DESIRED_TYP).encode())
    assert post.next(SettingsDesired).desired == WISH


@pytest.mark.parametrize("typ", [messages.RECEIPT_TYP, messages.RESEND_TYP, DESIRED_TYP, "landfall-record"])
def test_what_the_centre_signed_as_something_else_is_no_command(post, typ) -> None:
    post.broker.send(command_topic(KIOSK, "restart"), post.centre.sign(messages.encode(ORDER), typ).encode())
    assert post.next(UplinkTrouble).what == "not_valid"
    post.broker.send(
        command_topic(KIOSK, "restart"), Signer(SIGNING).sign(messages.encode(ORDER), COMMAND_TYP).encode()
    )
    post.broker.send(command_topic(KIOSK, "restart"), b"")
    post.quiet()
    post.pass_s(TROUBLE_S)
    assert post.next(UplinkTrouble).count == 2
    assert post.told.empty()


def test_an_answer_goes_past_all_records_and_again_after_a_connection_that_broke(post) -> None:
    post.broker.puback = None
    topic = reply_topic(KIOSK, ORDER.id)
    post.uplink.say(Said(topic, b"{}", REPLY_TYP, is_owed=True))
    post.until(lambda: [one[0] for one in post.broker.published].count(topic) == 1)
    post.broker.say(Disconnected(1, "gone"))
    post.broker.puback = 0
    post.next(UplinkChanged)
    post.pass_s(60)
    post.until(lambda: [one[0] for one in post.broker.published].count(topic) == 2)
    assert post.next(UplinkChanged).is_connected
    post.broker.say(Disconnected(2, "gone"))
    assert not post.next(UplinkChanged).is_connected
    post.pass_s(200)
    assert post.next(UplinkChanged).is_connected
    post.quiet()
    assert [one[0] for one in post.broker.published].count(topic) == 2, "the broker has it"


def test_events_of_a_connection_that_is_gone_change_nothing(post) -> None:
    old = post.broker.links[0]
    old.put(Disconnected(1, "gone"))
    post.next(UplinkChanged)
    post.pass_s(60)
    assert post.next(UplinkChanged).is_connected
    old.put(Disconnected(1, "gone"))
    old.put(Acknowledged(1, 1, 0x95))
    post.quiet()
    assert len(post.broker.links) == 2 and not post.broker.links[1].is_closed


def test_a_broker_that_takes_one_message_at_a_time_gets_one(desk) -> None:
    post = Post(desk)
    post.broker.receive_maximum, post.broker.puback = 1, None
    post.start()
    post.next(UplinkChanged)
    post.cross(3)
    post.quiet()
    assert sum("/stream/" in topic for topic, *_ in post.broker.published) == 1
    post.stop()


def test_a_flood_of_lies_is_counted_and_told_once_in_a_while(post) -> None:
    for _ in range(300):
        post.broker.send(receipt_topic(KIOSK, "crossing"), b"x.y.z")
    post.quiet()
    assert post.next(UplinkTrouble) == UplinkTrouble("crossing", "not_valid", 1)
    assert post.told.empty()
    post.pass_s(TROUBLE_S)
    assert post.next(UplinkTrouble) == UplinkTrouble("crossing", "not_valid", 299)


def test_a_flood_is_not_kept_in_memory_and_what_the_store_has_still_goes_out(desk) -> None:
    lie = Arrived(1, receipt_topic(KIOSK, "crossing"), b"x.y.z")
    flooding = threading.Event()

    def now():
        if post.broker.links and not flooding.is_set():  # the uplink's own thread: nothing takes from the queue now
            flooding.set()
            for _ in range(2 * MOST_WAITING):
                post.broker.say(lie)
        return desk.clock.now()

    post = Post(desk, now=now)
    post.start()
    post.until(lambda: 1 in post.broker.sent("crossing"))
    post.quiet()
    post.pass_s(TROUBLE_S)
    told = post.next(UplinkTrouble).count + post.next(UplinkTrouble).count
    assert told <= MOST_WAITING
    post.stop()


def test_no_name_that_a_broker_makes_up_gets_into_what_is_told(post) -> None:
    post.broker.send("landfall/v1/utopia/lane-1/receipt/\x1b[2Jeriksson", b"x")
    assert post.next(UplinkTrouble) == UplinkTrouble("unknown", "not_valid", 1)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"kiosk": "utopia/lane-2"}, "foreign_kiosk"),
        ({"stream": "audit"}, "foreign_kiosk"),
        ({"epoch": "another"}, "foreign_epoch"),
    ],
)
def test_a_receipt_that_is_not_for_this_is_told_and_changes_nothing(post, changed, what) -> None:
    post.cross(1)
    post.receipt(2, **changed)
    assert post.next(UplinkTrouble).what == what
    post.quiet()
    assert post.told.empty()


def test_a_receipt_of_another_record_ends_the_epoch_and_says_so_once(post) -> None:
    post.cross(1)
    for _ in range(3):
        post.receipt(2, hash_at="f" * 64)
    assert post.next(UplinkTrouble).what == "forked"
    assert post.next(EpochEnded).reason == "forked"
    post.quiet()
    assert post.told.empty()


def test_a_receipt_for_a_record_whose_hash_the_kiosk_has_forgotten_is_no_fork(post) -> None:
    post.cross(3)
    prev, epoch = post.desk.head("crossing").last_hash, post.desk.head("crossing").epoch
    post.desk.recorder.follow(RecordUnreadable("crossing", epoch, 3, "", prev, "damaged"))
    post.desk.wait_until(lambda: bool(post.desk.audited("record_set_aside")))
    post.receipt(3, hash_at="f" * 64)
    post.receipt(4)
    assert post.next(ReceiptAccepted, UplinkTrouble, EpochEnded).up_to == 4


def test_the_centre_can_ask_again_for_what_it_held_once(post) -> None:
    post.cross(3)
    post.until(lambda: len(post.broker.sent("crossing")) == 4)
    post.receipt(4)
    post.desk.recorder.follow(post.next(ReceiptAccepted))
    post.ask_again(from_=3)
    asked = post.next(ResendAsked)
    assert (asked.after, asked.generation) == (2, "g2")
    post.desk.recorder.follow(asked)
    post.until(lambda: post.desk.head("crossing").held_up_to == 2)
    post.uplink.store_changed(("crossing",))
    post.until(lambda: post.broker.sent("crossing")[4:] == [3, 4])
    post.receipt(4, generation="g1")  # retained by the broker from before
    assert post.next(UplinkTrouble).what == "old_generation"
    post.receipt(4, generation="g2")
    assert post.next(ReceiptAccepted).up_to == 4


def test_the_same_request_to_send_again_is_followed_once(post) -> None:
    post.cross(1)
    post.receipt(2)
    post.next(ReceiptAccepted)
    post.ask_again(from_=1)
    post.next(ResendAsked)
    post.ask_again(from_=1)
    assert post.next(UplinkTrouble, ResendAsked) == UplinkTrouble("crossing", "resend_not_followed", 1)


def test_a_record_that_cannot_be_read_is_reported_and_reported_again_if_no_tombstone_comes(desk) -> None:
    class Damaged:
        """A reader that finds the second crossing lost."""

        def __init__(self) -> None:
            self._reader = CacheReader.open(desk.path)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._reader, name)

        def first_after(self, stream: str, sequence: int, *, limit: int, max_bytes: int) -> list:
            found = self._reader.first_after(stream, sequence, limit=limit, max_bytes=max_bytes)
            is_lost = [stream == "crossing" and record.sequence == 2 for record in found]
            return [
                Unreadable(stream, 2, record.hash, "damaged") if lost else record
                for record, lost in zip(found, is_lost, strict=True)
            ]

    for name in ("a", "b"):
        desk.cross(name)
    post = Post(desk, open_reader=Damaged)
    post.start()
    first = post.next(RecordUnreadable)
    assert (first.stream, first.sequence, first.reason) == ("crossing", 2, "damaged")
    assert first.hash and first.prev
    post.receipt(1)
    post.quiet()
    post.pass_s(TELL_AGAIN_S)
    assert post.next(RecordUnreadable) == first
    assert post.broker.sent("crossing")[0] == 1 and set(post.broker.sent("crossing")) == {1}
    assert post.broker.sent("audit"), "the other streams go on"
    post.stop()


def test_a_store_that_cannot_be_read_ends_the_uplink_with_a_word(tmp_path, desk) -> None:
    post = Post(desk, open_reader=lambda: CacheReader.open(tmp_path / "nothing"))
    post.start()
    assert "there is no store" in post.next(StoreFailed).reason
    post.stop()


def test_a_request_for_a_certificate_goes_out_unsigned_and_what_is_answered_is_told(post) -> None:
    post.uplink.say(Said(renewal_request_topic(KIOSK), b"{}", is_owed=True))
    post.until(lambda: (renewal_request_topic(KIOSK), b"{}", False) in post.broker.published)
    post.broker.send(renewal_answer_topic(KIOSK), b"an.answer.unverified")
    assert post.next(RenewalAnswered).answer == "an.answer.unverified"


def test_a_birth_names_the_keys_of_the_centre(desk) -> None:
    post = Post(desk, identity=Identity(KIOSK, "1", "boot", "opening", ("old", "new")))
    post.start()
    post.next(UplinkChanged)
    post.until(lambda: bool(post.broker.statuses()))
    (birth,) = post.broker.statuses()
    post.stop()
    assert (birth.opening_key, birth.receipt_keys) == ("opening", ("old", "new"))
