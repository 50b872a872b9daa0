"""What counts as a good record, and what a hostile one gets."""

from __future__ import annotations

import os

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.chain import Standing
from central.verify import MAX_REJECTED_BYTES, Examiner
from edge.errors import LandfallError
from edge.wire import messages
from edge.wire.messages import STATUS_TYP, Status
from edge.wire.record import CROSSING, TOMBSTONE, sha256_hex
from edge.wire.topics import parse_topic, status_topic, stream_topic
from tests.harness.kiosk_records import AT, FakeKiosk, batch

KIOSK = FakeKiosk()
FIRST = KIOSK.start_epoch()
GOOD = KIOSK.crossing()
REGISTER = {KIOSK.name: KIOSK}
TOPIC = stream_topic(KIOSK.name, "crossing")


def verifier_of(name):
    from edge.seal import Verifier

    return Verifier([REGISTER[name].key]) if name in REGISTER else None


EXAMINER = Examiner(verifier_of, KIOSK.centre.opener)


def examine(payload, topic=TOPIC):
    return EXAMINER.examine(parse_topic(topic), topic, payload)


def reasons(payload, topic=TOPIC):
    good, bad = examine(payload, topic)
    assert good == []
    return [one.reason for one in bad]


def test_a_good_record_is_opened():
    (one,), bad = examine(batch(GOOD))
    assert (one.standing, one.hash, one.claims.sequence, bad) == (Standing.OPENED, GOOD.hash, 2, [])


def test_bad_records_do_not_take_the_good_ones_with_them():
    payload = b"[1,null," + FIRST.encode() + b',{"specversion":"1.0"},' + GOOD.encode() + b',"x",[]]'
    good, bad = examine(payload)
    assert [one.claims.sequence for one in good] == [1, 2]
    assert len(bad) == 5


def changed(**fields):
    return batch(msgspec.structs.replace(GOOD, **fields))


def signed(letter="", **claims):
    return batch(KIOSK.sign(msgspec.structs.replace(KIOSK.claims(GOOD), **claims), letter or GOOD.data))


STRANGER = FakeKiosk(KIOSK.name)
CHAR = "A" if GOOD.data[-1] != "A" else "B"

HOSTILE = {
    "empty": (b"", "not a batch"),
    "no JSON": (os.urandom(64), "not a batch"),
    "one record that is not in a batch": (GOOD.encode(), "not a batch"),
    "a megabyte of noise": (b"\xff" * 1024 * 1024, "not a batch"),
    "deeper than anybody goes": (b"[" * 100_000, "not a batch"),
    "deep inside a record": (b'[{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}]", "not a batch"),
    "signature by another kiosk": (batch(STRANGER.start_epoch()), "not known here"),
    "altered letter": (changed(data=GOOD.data[:-1] + CHAR), "not the one that was signed"),
    "another letter": (changed(data=FIRST.data), "not the one that was signed"),
    "no letter": (changed(data=""), "not the one that was signed"),
    "letter that is not ASCII": (changed(data="é"), "ASCII"),
    "another type": (changed(type="org.landfall.audit.v1"), "type differs"),
    "another sequence": (changed(sequence="3"), "sequence differs"),
    "a sequence spelt differently": (changed(sequence="02"), "sequence differs"),
    "another source": (changed(source="/utopia/lane-2"), "source is not"),
    "a source that is no kiosk": (changed(source="/a/b/c"), "no name of a site"),
    "another version of CloudEvents": (changed(specversion="0.3"), "specversion"),
    "an empty id": (changed(id=""), "not printable"),
    "an id that no database holds": (changed(id="\x00"), "not printable"),
    "a time of a kilobyte": (changed(time="2" * 1024), "not printable"),
    "no signature": (changed(signature=""), "not valid"),
    "half a signature": (changed(signature=GOOD.signature[:-5]), "not valid"),
    "envelope of another stream": (signed(stream="audit"), "another stream"),
    "envelope of another kiosk": (signed(kiosk="utopia/lane-2"), "source is not"),
    "sequence zero": (signed(sequence=0), "out of range"),
    "sequence beyond counting": (signed(sequence=2**53), "out of range"),
    "more records than anybody sends": (b"[" + b",".join([b"0"] * 5000) + b"]", "more than 512 records"),
    "an epoch that no database holds": (signed(epoch="a\x00b"), "not printable"),
    "a prev that is no hash": (signed(prev="zz"), "no SHA-256"),
    "a replaced record that is no hash": (signed(type=TOMBSTONE, replaces="../.."), "no SHA-256"),
    "a tombstone with a letter": (signed(type=TOMBSTONE), "has no letter"),
}


@pytest.mark.parametrize(("payload", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_record_of_this_kiosk_is_set_aside_with_a_reason(payload, reason):
    assert reason in reasons(payload)[0]


def test_a_record_replayed_below_another_kiosks_topic_is_set_aside():
    other = FakeKiosk("utopia/lane-2")
    REGISTER[other.name] = other
    assert reasons(batch(GOOD), stream_topic(other.name, "crossing")) == ["source is not the kiosk of the topic"]


def test_a_record_on_the_topic_of_another_stream_is_set_aside():
    assert reasons(batch(GOOD), stream_topic(KIOSK.name, "audit")) == ["envelope names another stream than the topic"]


def test_nothing_of_a_kiosk_that_is_not_registered_is_taken():
    assert reasons(batch(GOOD), stream_topic("utopia/nobody", "crossing")) == ["kiosk is not registered here"]


def test_a_reason_is_short_and_plain_whatever_a_record_calls_itself():
    (reason,) = reasons(changed(source="/" + "\x00é" * 50_000))
    assert reason.isascii()
    assert reason.isprintable()
    assert len(reason) < 1000


def test_of_a_large_refused_message_only_the_beginning_is_kept():
    _, (refused,) = examine(b"\xff" * 1024 * 1024)
    assert len(refused.payload) == MAX_REJECTED_BYTES


def test_a_record_without_the_fields_of_its_type_is_quarantined():
    (one,), _ = examine(batch(KIOSK.clone().append(CROSSING, {"direction": "sideways"})))
    assert (one.standing, one.plaintext) == (Standing.QUARANTINE, None)


def test_letters_of_types_that_this_version_does_not_know_are_kept_opened():
    (one,), _ = examine(batch(KIOSK.clone().append("org.landfall.future.v1", {"new": True})))
    assert one.standing is Standing.OPENED


def test_a_tombstone_says_what_it_replaces_or_that_it_does_not_know():
    (one, other), _ = examine(batch(KIOSK.tombstone(GOOD), KIOSK.tombstone(GOOD, knows_hash=False)))
    assert (one.standing, one.hash) == (Standing.TOMBSTONE, GOOD.hash)
    assert (other.standing, other.hash) == (Standing.BLANK, sha256_hex(other.record.signature))


def test_nothing_of_a_letter_is_in_a_repr():
    (one,), _ = examine(batch(GOOD))
    assert "passed" not in repr(one)
    assert GOOD.data not in repr(one)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_change_of_bytes_on_the_way_is_taken_for_a_record_or_stops_the_collector(data):
    payload = bytearray(batch(FIRST, GOOD))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    good, _ = examine(bytes(payload))
    assert {one.hash for one in good} <= {FIRST.hash, GOOD.hash}
    assert all(one.standing is Standing.OPENED for one in good)


def test_a_status_is_read_when_its_kiosk_signed_it():
    topic = status_topic(KIOSK.name)
    assert EXAMINER.read_status(parse_topic(topic), KIOSK.status(crossing=KIOSK.head)).streams["crossing"] == KIOSK.head


def status(**said):
    said = Status(KIOSK.name, "online", "c", "b", "1", AT, **said)
    return KIOSK.signer.sign(messages.encode(said), STATUS_TYP).encode()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"a.b.c",
        STRANGER.status(),
        FakeKiosk("a/b", key=KIOSK.key).status(),
        KIOSK.status(crossing=msgspec.structs.replace(KIOSK.head, held_up_to=2**53)),
        KIOSK.status(**{f"stream-{n}": KIOSK.head for n in range(33)}),
        KIOSK.status(crossing=msgspec.structs.replace(KIOSK.head, held_up_to=-1)),
        KIOSK.status(crossing=msgspec.structs.replace(KIOSK.head, next_sequence=10**30)),
        KIOSK.status(crossing=msgspec.structs.replace(KIOSK.head, next_sequence=0)),
        status(opening_key="a\0"),
        status(receipt_keys=("a", "b" * 129)),
        status(receipt_keys=("a",) * 65),
    ],
)
def test_any_other_status_is_refused(payload):
    with pytest.raises(LandfallError):
        EXAMINER.read_status(parse_topic(status_topic(KIOSK.name)), payload)
