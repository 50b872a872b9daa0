"""The examination must see what it is for: a store is spoilt in each way, and it has to say so."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge.cache import Cache, StoredRecord
from edge.seal import Opener, Verifier
from edge.wire.record import EVIDENCE, Record
from tests.harness.kiosk_records import CentreKeys, FakeKiosk
from tests.powercut.examine import Entry, Examined, Examiner, SeenOff

DOCUMENT = {"source": "mrz", "kind": "TD3", "reader": "passport", "verdicts": []}


class Store:
    """A store of a few crossings, the first with a photo, that can be spoilt."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._centre = CentreKeys()
        self._kiosks = {name: FakeKiosk(stream=name, centre=self._centre) for name in ("crossing", "evidence")}
        key = self._kiosks["crossing"].key
        for kiosk in self._kiosks.values():
            kiosk.key, kiosk.signer = key, self._kiosks["crossing"].signer
        self.examiner = Examiner(Verifier([key]), Opener([self._centre.letters]))
        with Cache.open(path) as cache:
            first = [self._stored(kiosk.start_epoch(), kiosk) for kiosk in self._kiosks.values()]
            cache.begin_epoch("epoch-a", "now", "new_store", first)
            cache.append([self.crossing("D1", photo={"sha256": "00", "evidence_sequence": 2}), self.photo()])
            cache.append([self.crossing("D2", outcome={"result": "referred", "by": "rule"})])
            cache.append([self.crossing("D3")])

    def crossing(self, number: str, **fields: object) -> StoredRecord:
        kiosk = self._kiosks["crossing"]
        document = {**DOCUMENT, "fields": {"document_number": number}}
        return self._stored(kiosk.crossing(documents=[document], **fields), kiosk)

    def append_twin_of(self, sequence: int) -> None:
        kiosk = self._kiosks["crossing"]
        with Cache.open(self.path) as cache:
            cache.append([self._stored(kiosk.crossing(), kiosk, id=f"crossing-{sequence}")])

    def photo(self) -> StoredRecord:
        kiosk = self._kiosks["evidence"]
        said = {"crossing": self._kiosks["crossing"].captured[0], "media_type": "image/jpeg", "sha256": "00"}
        return self._stored(kiosk.append(EVIDENCE, {**said, "content": b"jpeg"}), kiosk)

    def spoil(self, statement: str) -> None:
        with sqlite3.connect(self.path) as connection:
            connection.execute(statement)
        connection.close()

    def examined(self) -> Examined:
        return self.examiner.examine(self.path)

    @staticmethod
    def _stored(record: Record, kiosk: FakeKiosk, id: str = "") -> StoredRecord:
        place = (kiosk.stream, kiosk.epoch, kiosk.sequence, id or f"{kiosk.stream}-{kiosk.sequence}")
        return StoredRecord(*place, record.type, record.time, "", "", False, record.hash, record.encode())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache.db")


EVERYBODY = {SeenOff("D1", True), SeenOff("D2", False), SeenOff("D3", True)}


def test_a_sound_store_has_everybody_and_no_trouble(store):
    found = store.examined()
    assert (found.trouble, found.breaks, found.twice, found.was_salvaged) == ("", (), 0, False)
    assert found.missing(EVERYBODY) == set()
    assert found.halves() == []


def test_whoever_is_not_in_the_store_is_missing(store):
    assert store.examined().missing({SeenOff("D4", False)}) == {SeenOff("D4", False)}


def test_a_green_lamp_without_a_crossing_that_passed_is_a_loss(store):
    assert store.examined().missing({SeenOff("D2", True)}) == {SeenOff("D2", True)}


def test_an_officer_s_decision_makes_a_referred_crossing_pass(store):
    found = store.examined()
    referred = next(entry for entry in found.entries if "D2" in entry.documents)
    decided = Examined(entries=(*found.entries, Entry(5, "decision", passes=referred.id)))
    assert decided.missing({SeenOff("D2", True)}) == set()


def test_a_record_that_is_gone_is_a_loss_and_a_break(store):
    store.spoil('DELETE FROM "stream crossing" WHERE sequence = 4')
    found = store.examined()
    assert found.missing(EVERYBODY) == {SeenOff("D3", True)}
    assert found.breaks[0] == "crossing 4: lost"


def test_what_the_centre_holds_counts_only_up_to_where_the_store_released_it(store):
    at_centre = [Entry(7, "x", ("D7",), "x"), Entry(8, "y", ("D8",), "y")]
    released = Examined(purged_up_to=7)
    assert released.missing({SeenOff("D7", True), SeenOff("D8", True)}, at_centre) == {SeenOff("D8", True)}


def test_a_crossing_without_its_photo_and_a_photo_without_its_crossing_are_halves():
    bare = Examined(entries=(Entry(1, "x", ("D1",), "x", photo_at=2),))
    stray = Examined(photos={2: "x"})
    assert bare.halves() == ["crossing 1 without its photo, evidence 2"]
    assert stray.halves() == ["photo 2 without its crossing"]
    assert Examined(entries=bare.entries, photos=stray.photos).halves() == []


def test_one_id_at_two_places_is_there_twice(store):
    store.append_twin_of(3)
    assert store.examined().twice == 1


def test_another_signature_breaks_the_chain(store, tmp_path):
    stranger = FakeKiosk()
    found = Examiner(Verifier([stranger.key]), store.examiner._opener).examine(store.path)
    assert found.breaks[0] == "crossing 1: signed by a key that is not known here"
    assert found.missing(EVERYBODY) == EVERYBODY
