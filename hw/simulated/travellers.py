"""Specimen travellers: as many as wanted, each with a name and a document number of their own.

People of the state UTO, which ICAO keeps for specimens. Always true: the same seed and ordinal give the same traveller,
in every process and on every machine, so that a record at the centre can be traced to the traveller who stood there.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from edge.documents import bcbp, mrz

KINDS = ("TD3", "TD1", "TD2", "MRV-A", "MRV-B")
_CODES = {"TD3": "P", "TD1": "I", "TD2": "I", "MRV-A": "V", "MRV-B": "V"}
_SURNAMES = (
    "ERIKSSON", "MARTIN", "NYBERG", "OKAFOR", "TANAKA", "SILVA", "KOWALSKA", "HAUGEN", "MORETTI", "DUBOIS", "VARGA",
    "STEVENSON", "LINDQVIST", "PETROVA", "O'CONNOR", "VAN DER MUELLEN", "ABDULLAH", "SMITH-JONES", "IBARRA", "NGUYEN",
)  # fmt: skip
_GIVEN_NAMES = (
    "ANNA MARIA", "PETER", "CHIDI", "YUKI", "JOAO", "EWA", "LIV", "PAOLO", "CLAIRE", "ANDRAS", "MARY JANE", "NILS",
    "OLGA", "SEAN", "MATEO", "LINH", "FATIMA", "KOFI", "INGRID", "TOMAS",
)  # fmt: skip
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MOST = 10_000_000


@dataclass(frozen=True, slots=True)
class SpecimenTraveller:
    """One traveller; `mrz` holds the lines joined by LF, as `Frame.payload` does."""

    ordinal: int
    kind: str
    document_number: str = field(repr=False)
    mrz: bytes = field(repr=False)
    boarding_pass: bytes = field(repr=False)


def document_number(seed: int, ordinal: int) -> str:
    """Return the document number of a traveller: a letter for the seed, and the ordinal."""
    return f"{_ALPHABET[seed % 26]}{ordinal:07d}"


def specimen(
    seed: int, ordinal: int, kind: str = "TD3", *, flight_day: int = 1, is_expired: bool = False
) -> SpecimenTraveller:
    """Return one traveller with a document of this kind (see `KINDS`) and valid check digits.

    `flight_day` is the day of the year of the boarding pass. Raises ValueError when the ordinal is not from 1 to
    9,999,999.
    """
    if not 1 <= ordinal < _MOST:
        raise ValueError(f"ordinal must be 1-{_MOST - 1}, got {ordinal}")
    chance = random.Random(f"{seed}/{ordinal}")
    surname, given = _name(ordinal)
    number = document_number(seed, ordinal)
    expires_from = date(2016, 1, 1) if is_expired else date(2036, 1, 1)
    fields = {
        "document_code": _CODES[kind],
        "issuing_state": "UTO",
        "primary_identifier": surname,
        "secondary_identifier": given,
        "document_number": number,
        "nationality": "UTO",
        "date_of_birth": (date(1945, 1, 1) + timedelta(days=chance.randrange(60 * 365))).isoformat(),
        "sex": chance.choice("MFX"),
        "date_of_expiry": (expires_from + timedelta(days=chance.randrange(3 * 365))).isoformat(),
    }
    lines = mrz.encode(kind, fields)
    return SpecimenTraveller(
        ordinal, kind, number, "\n".join(lines).encode("ascii"), _boarding_pass(ordinal, flight_day)
    )


def _name(ordinal: int) -> tuple[str, str]:
    """Return a surname and given names that no other ordinal has."""
    turn, place = divmod(ordinal, len(_SURNAMES) * len(_GIVEN_NAMES))
    surname, given = _SURNAMES[place % len(_SURNAMES)], _GIVEN_NAMES[place // len(_SURNAMES)]
    third = ""
    while turn:
        turn, letter = divmod(turn - 1, len(_ALPHABET))
        third = _ALPHABET[letter] + third
    return surname, f"{given} {third}".rstrip()


def _boarding_pass(ordinal: int, flight_day: int) -> bytes:
    surname, given = _name(ordinal)
    letters = "".join(letter for letter in surname if letter in _ALPHABET)
    leg = {
        "operating_carrier_pnr_code": f"{ordinal % 1_000_000:06d}",
        "from_city_airport_code": "OSL",
        "to_city_airport_code": "ARN",
        "operating_carrier_designator": "XX",
        "flight_number": f"{ordinal % 9000 + 100:04d}",
        "date_of_flight_julian": f"{flight_day:03d}",
        "compartment_code": "Y",
        "seat_number": f"{ordinal % 40 + 1:03d}{_ALPHABET[ordinal % 6]}",
        "check_in_sequence_number": f"{ordinal % 10_000:04d}",
        "passenger_status": "1",
    }
    return bcbp.encode({"passenger_name": f"{letters}/{given.replace(' ', '')}"[:20], "legs": [leg]}).encode("ascii")
