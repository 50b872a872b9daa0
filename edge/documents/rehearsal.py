"""Payloads of each standard that lanes want, read before the first traveller comes.

Owns the payloads. Reading them loads the standards' modules and tables, for which nobody then has to wait at a lane.
Always true: nothing of what is read here leaves this module; a standard that no lane wants takes no memory.
"""

from __future__ import annotations

from collections.abc import Iterable

from edge.documents.read import read

_ZONES = (
    b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
    b"I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<",
)
# Specimens, or no more than what leads to the standard: its module is what has to be loaded.
_PAYLOADS = {
    "travel_document": _ZONES,
    "visa": _ZONES,
    "boarding_pass": (b"M1ERIKSSON/ANNA       EABC123 AKLSYDXX 0834 326J001A0025 100",),
    "driving_licence": (
        b"@\n\x1e\rANSI 636000090002DL00410032DLDAQT64235789\nDCSERIKSSON\n\r",
        b"%UTERIKSSON$ANNA?",
    ),
    "seal": (
        b"HC1:6BF",
        b"\xdc\x03\xd9\xc5\x6d\x32\xc8\x51\x5c",
        b'{"data":{"hdr":{"t":"icao.test","v":1},"msg":{}},"sig":{"alg":"ES256"}}',
    ),
}


def rehearse(wanted: Iterable[str]) -> None:
    """Read payloads of these classes of documents, as the policy of a lane names them."""
    for name in wanted:
        for payload in _PAYLOADS[name]:
            read(payload, today=None, health=True)
