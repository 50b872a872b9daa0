"""A kiosk for the centre's tests: it seals records as a real one does, and remembers what it captured.

Owns the keys, the chain and the letters of one pretended kiosk; people in the letters are specimens. Always true: every
record was made by `edge.seal` and `edge.wire`, so what the centre takes from here it takes from a kiosk.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
from joserfc.jwk import OKPKey

from edge.seal import Opener, Sealer, Signer, Verifier
from edge.wire import messages, record
from edge.wire.messages import Status, StreamHead
from edge.wire.record import Claims, Position, Record

AT = "2026-03-01T12:00:00.000Z"


def new_signing_key() -> OKPKey:
    """Return a fresh Ed25519 key."""
    return OKPKey.generate_key("Ed25519")


def new_letter_key() -> OKPKey:
    """Return a fresh X25519 key."""
    return OKPKey.generate_key("X25519")


@dataclass(slots=True)
class CentreKeys:
    """The centre's keys as a test needs them: both halves of both."""

    receipt: OKPKey = field(default_factory=new_signing_key)
    letters: OKPKey = field(default_factory=new_letter_key)

    @property
    def opener(self) -> Opener:
        """Return what opens letters."""
        return Opener([self.letters])

    @property
    def verifier(self) -> Verifier:
        """Return what checks receipts."""
        return Verifier([self.receipt])


@cache
def shared_centre_keys() -> CentreKeys:
    """Return keys that tests without a need for their own can share."""
    return CentreKeys()


class FakeKiosk:
    """One stream of one kiosk. `captured` are the ids of its crossings, practice left out."""

    def __init__(
        self,
        name: str = "utopia/lane-1",
        *,
        centre: CentreKeys | None = None,
        stream: str = "crossing",
        epoch: str = "epoch-a",
        key: OKPKey | None = None,
    ) -> None:
        self.name, self.stream, self.epoch = name, stream, epoch
        self.centre = centre or shared_centre_keys()
        self.key = key or new_signing_key()
        self.signer = Signer(self.key)
        self.sealer = Sealer(self.centre.letters)
        self.sequence, self.hash = 0, ""
        self.captured: list[str] = []

    def clone(self) -> FakeKiosk:
        """Return a second machine started from a copy of this one's card."""
        twin = copy.copy(self)
        twin.captured = list(self.captured)
        return twin

    @property
    def head(self) -> StreamHead:
        """Return the stream's head as a status tells it; a test sets `held_up_to` as it needs."""
        return StreamHead(self.epoch, self.sequence + 1, self.hash, 0)

    def start_epoch(self, epoch: str = "", *, reason: str = "new_store", **said: Any) -> Record:
        """Return the first record of an epoch; `said` overrides what it says of the one before."""
        before = {
            "previous_epoch": self.epoch if self.sequence else "",
            "last_sequence": self.sequence,
            "last_hash": self.hash,
        }
        self.epoch = epoch or self.epoch
        return self.append(record.EPOCH, {**before, "reason": reason, **said})

    def crossing(self, *, training: bool = False, **fields: Any) -> Record:
        """Return one traveller's crossing."""
        identifier = f"{self.name}-{self.epoch}-{self.sequence + 1}-{len(self.captured)}"
        if not training:
            self.captured.append(identifier)
        letter = {
            "id": identifier,
            "site": self.name.partition("/")[0],
            "direction": "entry",
            "lane": "desk",
            "clock": {"state": "synchronised", "error_bound_s": 0.1, "boot_id": "b", "boottime_s": 1.0},
            "documents": [],
            "conveyance": None,
            "group": None,
            "photo": {"absent": "no camera"},
            "outcome": {"result": "passed", "by": "rule"},
            "training": training,
        }
        return self.append(record.CROSSING, letter | fields)

    def crossings(self, count: int) -> list[Record]:
        """Return some crossings in a row."""
        return [self.crossing() for _ in range(count)]

    def append(self, type: str, letter: dict[str, Any] | bytes) -> Record:
        """Seal a letter as the stream's next record; bytes are sealed as they are."""
        sequence = self.sequence + 1
        if isinstance(letter, dict):
            position = Position(self.name, self.epoch, self.stream, sequence)
            named = {"id": f"{self.name}-{sequence}", "kiosk": self.name, "position": position, "at": AT}
            letter = msgspec.json.encode(named | letter)
        return self.put(type, self.sealer.seal(letter))

    def put(self, type: str, letter: str, **claimed: Any) -> Record:
        """Sign any letter as the stream's next record; `claimed` overrides claims."""
        claims = Claims(
            **{
                "kiosk": self.name,
                "epoch": self.epoch,
                "stream": self.stream,
                "sequence": self.sequence + 1,
                "prev": self.hash,
                "type": type,
                "sha256": record.sha256_hex(letter),
                **claimed,
            }
        )
        made = self.sign(claims, letter)
        self.sequence, self.hash = claims.sequence, claims.replaces or made.hash
        return made

    def tombstone(self, lost: Record, *, knows_hash: bool = True, **claimed: Any) -> Record:
        """Return what stands in for a record that the kiosk can no longer read; its own chain does not move."""
        was = self.claims(lost)
        claims = Claims(
            **{
                **msgspec.structs.asdict(was),
                "type": record.TOMBSTONE,
                "sha256": record.sha256_hex(""),
                "replaces": lost.hash if knows_hash else "",
                "reason": "unreadable",
                **claimed,
            }
        )
        return self.sign(claims, "")

    def sign(self, claims: Claims, letter: str) -> Record:
        """Put any claims and any letter into a record."""
        envelope = self.signer.sign(record.encode_claims(claims), messages.RECORD_TYP)
        return record.compose(f"id-{claims.sequence}", AT, claims, envelope, letter)

    def claims(self, made: Record) -> Claims:
        """Return what a record's envelope says."""
        return record.decode_claims(Verifier([self.key]).verify(made.signature, messages.RECORD_TYP))

    def status(self, **heads: StreamHead) -> bytes:
        """Return a signed birth."""
        said = Status(self.name, "online", "c", "b", "1", AT, heads)
        return self.signer.sign(messages.encode(said), messages.STATUS_TYP).encode()

    def count(self) -> dict[str, Any]:
        """Return the kiosk's own count, as `landfall queue stats --json` tells it."""
        head = {"epoch": self.epoch, "next_sequence": self.sequence + 1, "hash": self.hash}
        return {
            "kiosk": self.name,
            "captured": len(self.captured),
            "streams": {self.stream: head},
        }


def batch(*records: Record) -> bytes:
    """Return records as one message."""
    return record.encode_batch(one.encode() for one in records)
