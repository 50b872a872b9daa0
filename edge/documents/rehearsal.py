"""One payload of each standard, read before the first traveller comes.

Owns the payloads. Reading them loads the standards' modules and tables, for which nobody then has to wait at a lane.
Always true: nothing of what is read here leaves this module.
"""

from __future__ import annotations

from edge.documents.read import read

# Specimens, or no more than what leads to the standard: its module is what has to be loaded.
_PAYLOADS = (
    b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
    b"I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<",
    b"M1ERIKSSON/ANNA       EABC123 AKLSYDXX 0834 326J001A0025 100",
    b"@\n\x1e\rANSI 636000090002DL00410032DLDAQT64235789\nDCSERIKSSON\n\r",
    b"%UTERIKSSON$ANNA?",
    b"HC1:6BF",
    b"\xdc\x03\xd9\xc5\x6d\x32\xc8\x51\x5c",
    b'{"data":{"hdr":{"t":"icao.test","v":1},"msg":{}},"sig":{"alg":"ES256"}}',
)


def rehearse() -> None:
    """Read a payload of every standard that `read` knows."""
    for payload in _PAYLOADS:
        read(payload, today=None, health=True)
