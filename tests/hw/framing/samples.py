"""Messages of every reader family, written out by hand from the facts about the readers, not by our own encoder."""

from __future__ import annotations

from functools import reduce
from operator import xor

from hw.devices import Frame

# Specimens of ICAO Doc 9303 parts 4 to 7.
TD3 = (b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", b"L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD2 = (b"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", b"D231458907UTO7408122F1204159<<<<<<<6")
TD1 = (b"I<UTOD231458907<<<<<<<<<<<<<<<", b"7408122F1204159UTO<<<<<<<<<<<6", b"ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
MRV_A = (b"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", b"L8988901C4XXX4009078F96121096ZE184226B<<<<<<")
BCBP = b"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 326J001A0025 100"
DCC = b"HC1:6BF+70790T9WJWG.FKY*4GO0.O1CV2 O5 N2FBBRW1*70HS8WY04AC*WIFN0AHCD8KD97TK0F90"
VDS_NC = b'{"data":{"hdr":{"t":"icao.test","v":1},"msg":{"uvci":"U32870","name":"\xc3\x85"}},"sig":{"alg":"ES256"}}'
_LICENCE = b"DLDAQT64235789\nDCSSAMPLE\nDACMICHAEL\nDAG2300\n\r"
_STATE = b"ZVZVA01\nZVB02\n\r"
AAMVA = b"@\n\x1e\rANSI 636000090002DL%04d%04dZV%04d%04d" % (41, len(_LICENCE), 41 + len(_LICENCE), len(_STATE))
AAMVA += _LICENCE + _STATE
VDS = b"\xdc\x03\xd9\xc5\x6d\x32\xc8\x51\x5c\x02\x1f\x0d\x1f\x0a\x5d\x03" + b"\x02\x04\x0a\x0d\x1c\x02" + b"\xff\x40"
VDS += bytes(range(64))  # a signature with CR, LF, STX, ETX and every lead byte in it


def mrz(lines: tuple[bytes, ...], family: str, **more: object) -> Frame:
    return Frame(b"\n".join(lines), family, **more)


def ended(lines: tuple[bytes, ...], terminator: bytes) -> bytes:
    return b"".join(line + terminator for line in lines)


def rte(*lines: bytes) -> bytes:
    body = b"OU\x02\x41" + ended(lines, b"\r") + b"\x03"
    covered = len(body).to_bytes(2, "little") + body
    return b"\x01" + covered + bytes([reduce(xor, covered)])


def inquired(data: bytes) -> bytes:
    return b"\x49" + len(data).to_bytes(2, "big") + data


# name -> (bytes on the wire, frame, whether only silence ends it)
SAMPLES: dict[str, tuple[bytes, Frame, bool]] = {
    "raw TD3, CR": (ended(TD3, b"\r"), mrz(TD3, "raw"), False),
    "raw TD3, LF": (ended(TD3, b"\n"), mrz(TD3, "raw"), False),
    "raw TD3, CR LF": (ended(TD3, b"\r\n"), mrz(TD3, "raw"), False),
    "raw TD2, CR": (ended(TD2, b"\r"), mrz(TD2, "raw"), False),
    "raw TD1, CR": (ended(TD1, b"\r"), mrz(TD1, "raw"), False),
    "raw TD1, CR LF": (ended(TD1, b"\r\n"), mrz(TD1, "raw"), False),
    "raw visa, CR": (ended(MRV_A, b"\r"), mrz(MRV_A, "raw"), False),
    "raw run of 88": (b"".join(TD3) + b"\r", mrz(TD3, "raw"), False),
    "raw run of 72": (b"".join(TD2) + b"\r\n", mrz(TD2, "raw"), False),
    "raw run of 90": (b"".join(TD1) + b"\r", mrz(TD1, "raw"), False),
    "raw run of 88, no end": (b"".join(TD3), mrz(TD3, "raw"), True),
    "raw, CR between lines only": (b"\r".join(TD3), mrz(TD3, "raw"), True),
    "raw OCR with AIM identifier": (b"]o1" + ended(TD3, b"\r"), mrz(TD3, "raw", symbology="]o"), False),
    "Access-IS OCR, two lines": (b"\x1c\x02" + ended(TD3, b"\r") + b"\x03\x1d", mrz(TD3, "access-is"), False),
    "Access-IS OCR, three lines": (b"\x1c\x02" + b"\r".join(TD1) + b"\x03\x1d", mrz(TD1, "access-is"), False),
    "Access-IS barcode": (b"\x1e\x02r" + BCBP + b"\x03\x1f", Frame(BCBP, "access-is-barcode"), False),
    "Access-IS barcode, AIM": (b"\x1e\x02]L0" + BCBP + b"\x03\x1f", Frame(BCBP, "access-is-barcode", "]L"), False),
    "Access-IS barcode, VDS": (b"\x1e\x02d" + VDS + b"\x03\x1f", Frame(VDS, "access-is-barcode"), False),
    "Access-IS barcode, AAMVA": (b"\x1e\x02r" + AAMVA + b"\x03\x1f", Frame(AAMVA, "access-is-barcode"), False),
    "Access-IS magnetic stripe": (
        b"\x0e\x02I1%B1234567890^SPECIMEN/UTO^2512?\x03\x0f",
        Frame(b"%B1234567890^SPECIMEN/UTO^2512?", "access-is-magstripe"),
        False,
    ),
    "STX/ETX": (b"\x02" + ended(TD3, b"\r") + b"\x03", mrz(TD3, "stx-etx"), False),
    "STX/ETX, three lines": (b"\x02" + ended(TD1, b"\r") + b"\x03", mrz(TD1, "stx-etx"), False),
    "STX/ETX, lead and trail": (b"L\x02" + ended(TD2, b"\r") + b"\x03T", mrz(TD2, "stx-etx"), False),
    "STX/ETX, one line": (b"\x02" + ended(TD3[1:], b"\r") + b"\x03", mrz(TD3[1:], "stx-etx"), False),
    "3M RTE, TD3": (rte(b"_" * 44, *TD3), mrz(TD3, "3m-rte"), False),
    "3M RTE, TD2 padded": (rte(b"", *(line.ljust(44, b"_") for line in TD2)), mrz(TD2, "3m-rte"), False),
    "3M RTE, TD1": (rte(*TD1), mrz(TD1, "3m-rte"), False),
    "Elyctis": (inquired(ended(TD3, b"\r")), mrz(TD3, "elyctis"), False),
    "Elyctis, blank lines": (inquired(ended(TD1, b"\r") + b"\r\r\n"), mrz(TD1, "elyctis"), False),
    "Elyctis, lines on their own": (ended(TD1, b"\r") + b"\r\r", mrz(TD1, "raw"), False),
    "boarding pass, CR": (BCBP + b"\r", Frame(BCBP, "raw"), False),
    "boarding pass, LF": (BCBP + b"\n", Frame(BCBP, "raw"), False),
    "boarding pass, AIM, CR LF": (b"]z0" + BCBP + b"\r\n", Frame(BCBP, "raw", "]z"), False),
    "boarding pass, no end": (BCBP, Frame(BCBP, "raw"), True),
    "boarding pass, AIM without modifier": (b"]L" + BCBP + b"\r", Frame(BCBP, "raw", "]L"), False),
    "health certificate": (b"]Q1" + DCC + b"\r", Frame(DCC, "raw", "]Q"), False),
    "VDS-NC": (VDS_NC + b"\r", Frame(VDS_NC, "raw"), False),
    "AAMVA": (AAMVA, Frame(AAMVA, "raw"), True),
    "AAMVA, CR LF": (b"]L0" + AAMVA + b"\r\n", Frame(AAMVA, "raw", "]L"), True),
    "VDS": (VDS, Frame(VDS, "raw"), True),
    "VDS, CR": (b"]d1" + VDS + b"\r", Frame(VDS, "raw", "]d"), True),
}
