"""The centre's own keys change while kiosks work: a new one beside the old, and the old one away when nobody needs it.

Owns the files of the folder that `authority.make_centre_keys` filled, while keys rotate. `receipt.key.json` and
`opening.key.json` hold one JWK, or a JWK Set (RFC 7517, section 5) with the oldest key first. Who is still in need of a
key is not known here. Always true:

- the oldest receipt key signs, and `receipt.pub.json` has every receipt key: so a receipt is signed by a key that each
  kiosk had time to learn;
- every opening key opens, and `opening.pub.json` has the one to which kiosks seal: a new one only once it was
  published, so that no letter comes before the collectors can open it;
- whenever the power goes, each file is as before or as after; an opening key that is retired is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from edge.errors import ProvisioningError, SealError
from edge.identity.key_files import make_folder, replace, write_private
from edge.seal import load_private_keys, load_public_key
from provisioning.authority import CENTRE_KEYS, jwk_text, new_jwk, public_half

MOST_KEYS = 4  # of one kind at the same time; kiosks are told all receipt keys


class Kind(StrEnum):
    """What a key of the centre is for; the value is the stem of its files."""

    RECEIPT = "receipt"
    OPENING = "opening"


@dataclass(frozen=True, slots=True)
class CentreKeyFiles:
    """The folder with `receipt.*` and `opening.*`."""

    folder: Path

    def kids(self, kind: Kind) -> list[str]:
        """Return the ids of the keys of a kind, the oldest first; raise `ProvisioningError` for damaged files."""
        try:
            return [key.thumbprint() for key in load_private_keys(self._key_file(kind))]
        except SealError as error:
            raise ProvisioningError(error.message, remedy=error.remedy) from None

    def published_opening_kid(self) -> str:
        """Return the id of the key to which kiosks are told to seal."""
        try:
            return load_public_key(self._public_file(Kind.OPENING)).thumbprint()
        except SealError as error:
            raise ProvisioningError(error.message, remedy=error.remedy) from None

    def rotate(self, kind: Kind) -> str:
        """Make a new key beside the others and return its id; an opening key is not yet told to kiosks."""
        if len(self.kids(kind)) == MOST_KEYS:
            raise ProvisioningError(
                f"{self._key_file(kind)}: has {MOST_KEYS} keys already", remedy="retire the oldest one first"
            )
        jwks = [*self._jwks(kind), new_jwk(*CENTRE_KEYS[kind])]
        self._write_private(kind, jwks)
        if kind is Kind.RECEIPT:
            self._write_receipt_public(jwks)
        return self.kids(kind)[-1]

    def publish(self) -> str:
        """Let `opening.pub.json` be the newest opening key, and return its id."""
        newest = self._jwks(Kind.OPENING)[-1]
        replace(self._public_file(Kind.OPENING), jwk_text(public_half(newest)))
        return self.kids(Kind.OPENING)[-1]

    def check_can_retire(self, kind: Kind) -> tuple[str, list[str]]:
        """Return the id of the oldest key and those that remain; raise `ProvisioningError` unless another is in use."""
        oldest, *rest = self.kids(kind)
        if not rest:
            remedy = f"landfall-provision centre rotate {kind} {self.folder}"
            raise ProvisioningError(f"{self._key_file(kind)}: has one key, and it is in use", remedy=remedy)
        if kind is Kind.OPENING and self.published_opening_kid() == oldest:
            remedy = f"landfall-provision centre publish {self.folder}"
            raise ProvisioningError("kiosks are still told to seal to this key", remedy=remedy)
        return oldest, rest

    def retire(self, kind: Kind) -> Path | None:
        """Take the oldest key out of use; return where it is kept, if it is.

        Nothing but an opening key opens what was sealed to it; a receipt key is of use to forgers alone.
        """
        kid, _ = self.check_can_retire(kind)
        oldest, *rest = self._jwks(kind)
        kept = None
        if kind is Kind.OPENING:
            kept = self.folder / "retired" / f"opening-{kid}.key.json"
            make_folder(kept.parent)
            if not kept.exists():
                write_private(kept, jwk_text(oldest))
        else:
            self._write_receipt_public(rest)
        self._write_private(kind, rest)
        return kept

    def _jwks(self, kind: Kind) -> list[dict[str, Any]]:
        self.kids(kind)  # says what is wrong with the file
        found = msgspec.json.decode(self._key_file(kind).read_bytes(), type=dict[str, Any])
        return found.get("keys", [found])

    def _write_private(self, kind: Kind, jwks: list[dict[str, Any]]) -> None:
        replace(self._key_file(kind), _one_or_set(jwks), 0o600)

    def _write_receipt_public(self, jwks: list[dict[str, Any]]) -> None:
        replace(self._public_file(Kind.RECEIPT), _one_or_set([public_half(jwk) for jwk in jwks]))

    def _key_file(self, kind: Kind) -> Path:
        return self.folder / f"{kind}.key.json"

    def _public_file(self, kind: Kind) -> Path:
        return self.folder / f"{kind}.pub.json"


def _one_or_set(jwks: list[dict[str, Any]]) -> bytes:
    return jwk_text(jwks[0] if len(jwks) == 1 else {"keys": jwks})
