"""The centre's word for what it holds, whichever way it goes to the kiosk.

Owns how a receipt is made and signed. Always true: it says what is committed, and nothing that is waiting.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine

from central import database, shelf
from central.shelf import EpochKey
from central.store import Held
from edge.seal import Signer
from edge.wire.messages import RECEIPT_TYP, Receipt, encode


def sign_receipt(held: Held, generation: str, at: str, signer: Signer) -> str:
    """Return one signed receipt, a JWS compact."""
    kiosk, stream, epoch = held.key
    receipt = Receipt(kiosk, stream, epoch, held.held_up_to, held.hash_at, generation, at, held.is_forked)
    return signer.sign(encode(receipt), RECEIPT_TYP)


def held_of(engine: Engine, keys: Sequence[EpochKey]) -> list[Held]:
    """Return how far every branch of these epochs is held now, in the order of the streams."""
    with database.reading(engine) as connection:
        ends = shelf.ends_of(connection, keys)
    found = []
    for key, branches in ends.items():
        standing = [end for end in branches.values() if end.root_sequence]
        found += [Held(key, end.held_up_to, end.hash_at, len(standing) > 1) for end in standing]
    return sorted(found, key=lambda held: (held.key.kiosk, held.key.stream, held.held_up_to))
