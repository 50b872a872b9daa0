"""The trust list as a file: whose seals and certificates this post believes.

Owns that the file is there and can be read; its form and meaning belong to `edge.documents.trust`. Always true: a list
that is old is used and said to be old; one that cannot be read at all stops the start, because without it every seal
would be `not_done` and nobody would notice.
"""

from __future__ import annotations

from pathlib import Path

from edge.documents.trust import TrustList
from edge.errors import ContractError, SettingError

LARGEST_BYTES = 32 * 1024 * 1024


def load(path: Path) -> TrustList:
    """Return the trust list of a file; raise `SettingError`, which names the file and what is wrong with it."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise SettingError(str(path), "", f"trust list cannot be read ({error.strerror})") from None
    if len(content) > LARGEST_BYTES:
        raise SettingError(str(path), "", f"must be a trust list of at most {LARGEST_BYTES} bytes")
    try:
        return TrustList.from_bytes(content)
    except ContractError as error:
        raise SettingError(str(path), "", f"is no {error.message}") from None
