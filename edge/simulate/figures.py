"""What came of a simulation: crossings in the kiosk's store against travellers who left, and a digest of them.

Owns the sums. Always true: the crossings are opened from the store's sealed records; the digest covers what the same
scenario must give again, and nothing that a clock, a disk or a random number had a hand in.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import rfc8785

from edge.cache import CacheReader, StoredRecord
from edge.seal import Opener
from edge.simulate.kiosk import Simulated
from edge.simulate.run import left_at
from edge.wire.crossing import Amendment, AuditEvent, Crossing
from edge.wire.record import AMENDMENT, AUDIT, CROSSING, decode_record
from hw.simulated.turns import turn

_BATCH = 500


class Figures(msgspec.Struct, frozen=True):
    """The count at the end; `digest` is the SHA-256 over what the same scenario gives again."""

    travellers: int  # who were seen off
    crossings: int
    passed: int  # as finally decided
    referred: int
    voided: int
    shown_again: int  # how often documents had to be shown again
    photos: int
    photos_absent: dict[str, int]
    faults: dict[str, int]  # how many travellers each kind met
    groups: list[int]  # the count of each group
    slowest_green_s: float
    digest: str

    @property
    def is_right(self) -> bool:
        """Tell whether there is one crossing for each traveller who left, and none besides."""
        return self.crossings - self.voided == self.travellers


def count(kiosk: Simulated) -> Figures:
    """Count a simulation whose kiosk has ended; raise `StoreError` when its store cannot be read."""
    crossings: dict[str, Crossing] = {}
    final: dict[str, str] = {}
    voided: set[str] = set()
    groups: list[int] = []
    for kind, plaintext in _letters(kiosk):
        match kind:
            case _ if kind == CROSSING:
                one = msgspec.json.decode(plaintext, type=Crossing)
                crossings[one.id], final[one.id] = one, one.outcome.result
            case _ if kind == AMENDMENT:
                amendment = msgspec.json.decode(plaintext, type=Amendment)
                if amendment.kind == "void":
                    voided.add(amendment.amends)
                elif amendment.kind == "decision":
                    final[amendment.amends] = amendment.detail["result"]
            case _ if kind == AUDIT:
                event = msgspec.json.decode(plaintext, type=AuditEvent)
                if event.event == "group_closed":
                    groups.append(event.detail["count"])
    counted = [one for one in crossings.values() if one.id not in voided]
    seen = [sighting for lane in kiosk.scenarios for sighting in left_at(kiosk, lane)]
    absent = Counter(one.photo.absent for one in counted if one.photo.absent)
    return Figures(
        travellers=len({(lane, one.traveller) for lane in kiosk.scenarios for one in left_at(kiosk, lane)}),
        crossings=len(crossings),
        passed=sum(final[one.id] == "passed" for one in counted),
        referred=sum(final[one.id] == "referred" for one in counted),
        voided=len(voided),
        shown_again=sum(sighting.again for sighting in seen),
        photos=len(counted) - sum(absent.values()),
        photos_absent=dict(absent.most_common()),
        faults=_faults(kiosk),
        groups=groups,
        slowest_green_s=max((sighting.waited_s for sighting in seen), default=0.0),
        digest=digest([_same_again(one, final[one.id]) for one in counted], groups, lanes=len(kiosk.scenarios)),
    )


def digest(crossings: list[list[Any]], groups: list[int], *, lanes: int) -> str:
    """Return the SHA-256 over crossings as canonical JSON (RFC 8785); two lanes have no order between them."""
    ordered = crossings if lanes == 1 else sorted(crossings, key=rfc8785.dumps)
    return hashlib.sha256(rfc8785.dumps([ordered, groups if lanes == 1 else sorted(groups)])).hexdigest()


def _same_again(one: Crossing, final: str) -> list[Any]:
    """Return what of a crossing is the same each time: no id, no time, no photo."""
    outcome = one.outcome
    documents = [
        [document.source, document.kind, str(document.fields.get("document_number", ""))] for document in one.documents
    ]
    said = [outcome.result, outcome.by, list(outcome.reasons), final]
    return [one.direction, one.lane, said, documents, one.group is not None, one.training]


def _faults(kiosk: Simulated) -> dict[str, int]:
    found: Counter[str] = Counter()
    for scenario in kiosk.scenarios.values():
        for ordinal in range(scenario.first, scenario.first + scenario.count):
            found.update(_met(scenario, ordinal))
    return dict(sorted(found.items()))


def _met(scenario: Any, ordinal: int) -> Iterator[str]:
    one = turn(scenario, ordinal)
    for fault in one.faults:
        if fault.kind == "together":
            yield from ["together"] if one.is_followed else []
        elif fault.kind != "bounce" and one.shows == "document":
            yield fault.kind


def _letters(kiosk: Simulated) -> Iterator[tuple[str, bytes]]:
    """Yield type and plaintext of the records that the sums are made of."""
    opener: Opener = kiosk.opener
    with CacheReader.open(kiosk.store) as reader:
        for stream in ("crossing", "audit"):
            after = 0
            while found := reader.first_after(stream, after, limit=_BATCH, max_bytes=1 << 24):
                after = found[-1].sequence
                for stored in found:
                    if isinstance(stored, StoredRecord):
                        record = decode_record(stored.body)
                        yield record.type, opener.open(record.data)
