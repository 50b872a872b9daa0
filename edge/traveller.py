"""Who stands at a lane: what was read, keyed in and photographed of one person. PURE.

Owns the person until the crossing is a draft, and the short memory by which a reader that repeats itself is known.
Always true: nothing of a person is in a `repr`; what was read is remembered as a digest under a key that a restart
forgets.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from edge.documents.crosscheck import are_two_people
from edge.documents.verdict import Document, Result, Verdict
from edge.events import CrossingDraft, Moment
from edge.groups import Group
from edge.rules import best_of, compared, conveyance_of, document_class, is_misread
from edge.settings import LaneSettings
from edge.wire.crossing import MAX_PHOTO_BYTES, Direction, Outcome, ReadDocument
from hw.devices import DocumentRead, Guidance, PhotoFailed, PhotoTaken


class Reads(Protocol):
    """`edge.documents.read.read`, or a stand-in with its signature."""

    def __call__(
        self, payload: bytes, *, today: date | None, symbology: str | None, unrecognised: tuple[int, ...]
    ) -> Document:
        """Return what a payload says."""


@dataclass(slots=True)
class Traveller:
    """What is known of the person at the lane; `officer` is who keyed a document in.

    In practice nobody crosses: the record says so, and no group counts it.
    """

    id: str
    is_practice: bool = False
    documents: list[ReadDocument] = field(default_factory=list, repr=False)
    misread: ReadDocument | None = field(default=None, repr=False)
    was_misread: bool = False
    photo: bytes | None = field(default=None, repr=False)
    photo_absent: str = ""
    photo_quality: tuple[Guidance, ...] | None = None
    is_guided: bool = False
    officer: str = ""

    @property
    def is_photo_settled(self) -> bool:
        """Tell whether no photo is awaited any more."""
        return self.photo is not None or bool(self.photo_absent)

    def compared(self) -> tuple[ReadDocument, ...]:
        """Return the documents with verdicts on whether they agree."""
        return compared(self.documents)

    def shown(self) -> tuple[ReadDocument, ...]:
        """Return what goes on record: the documents, or the best misread where there is none."""
        documents = self.compared()
        return (self.misread,) if not documents and self.misread is not None else documents

    def classes(self) -> set[str]:
        """Return the classes of document that were shown."""
        return {document_class(document) for document in self.documents}

    def take_in(self, document: ReadDocument) -> bool:
        """Add a document, or keep it aside as a misread; tell whether it counts."""
        if is_misread(document):
            self.was_misread = True
            self.misread = best_of(self.misread, document)
            return False
        self.documents.append(document)
        return True

    def is_another(self, document: ReadDocument) -> bool:
        """Tell whether a travel document is certainly of somebody else than the one that was shown first."""
        mine = next((one for one in self.documents if document_class(one) == "travel_document"), None)
        is_travel_document = document_class(document) == "travel_document" and not is_misread(document)
        return mine is not None and is_travel_document and are_two_people(mine, document)

    def settle_photo(self, event: PhotoTaken | PhotoFailed) -> None:
        """Keep the photo, or the reason why there is none."""
        if isinstance(event, PhotoFailed):
            self.photo_absent = event.reason
        elif len(event.jpeg) <= MAX_PHOTO_BYTES:
            self.photo, self.photo_quality = event.jpeg, event.quality
        else:
            self.photo_absent = "too_large"

    def draft(
        self, lane: LaneSettings, direction: Direction, group: Group | None, outcome: Outcome, now: Moment
    ) -> CrossingDraft:
        """Return the crossing as it shall be recorded."""
        documents = self.shown()
        group = None if self.is_practice else group
        return CrossingDraft(
            id=self.id,
            moment=now,
            direction=direction,
            lane=lane.kind,
            documents=documents,
            conveyance=conveyance_of(documents) or (group.conveyance if group else None),
            outcome=outcome,
            training=lane.policy.training or self.is_practice,
            photo=self.photo,
            photo_absent="" if self.photo is not None else self.photo_absent or "deadline passed",
            photo_quality=self.photo_quality,
            group=group.id if group else None,
        )


class RepeatedReads:
    """What was read in the last `repeat_s` seconds, as digests under `key`."""

    def __init__(self, key: bytes, repeat_s: float) -> None:
        self._key, self._repeat_s = key, repeat_s
        self._seen: dict[bytes, float] = {}

    def forget(self) -> None:
        """Forget everything: whoever was here may come again at once."""
        self._seen.clear()

    def has(self, event: DocumentRead, now: Moment, *, remember: bool = True) -> bool:
        """Tell whether this very payload was read a moment ago; a document that lies on its reader stays known."""
        at, horizon = now.clock.boottime_s, now.clock.boottime_s - self._repeat_s
        self._seen = {digest: seen for digest, seen in self._seen.items() if seen > horizon}
        digest = hmac.digest(self._key, event.frame.payload, "sha256")
        is_repeated = digest in self._seen
        if is_repeated or remember:
            self._seen[digest] = at
        return is_repeated


def understand(read: Reads, event: DocumentRead, now: Moment) -> ReadDocument:
    """Return what a reader's frame says; no document stops a lane."""
    frame = event.frame
    about = {"symbology": frame.symbology, "unrecognised": frame.unrecognised}
    try:
        found = read(frame.payload, today=now.today, **about)
    except Exception as error:  # the error's text may quote the document
        failed = Verdict("understood", Result.FAILED, f"the reading failed: {type(error).__name__}")
        found = Document("unknown", "mrz", {}, (failed,))
    return ReadDocument(found.source, found.kind, event.device, found.fields, found.verdicts)
