"""How long it takes to read a machine readable zone, beside the `mrz` package from PyPI in the same run.

Run it with `python -m bench mrz`. Both get sound lines as strings. `mrz` is asked for its overall verdict, which checks
digits and fields; ours gives every verdict, the centuries and the expiry. The goal is a third of its time; 50 ms is the
limit for any payload.
"""

from __future__ import annotations

from datetime import date

from mrz.checker.mrva import MRVACodeChecker
from mrz.checker.mrvb import MRVBCodeChecker
from mrz.checker.td1 import TD1CodeChecker
from mrz.checker.td2 import TD2CodeChecker
from mrz.checker.td3 import TD3CodeChecker

from bench.row import LEAST_ROUNDS, Row, medians_us
from edge.documents.mrz import encode, parse

TODAY = date(2026, 11, 22)
FIELDS = {
    "issuing_state": "UTO",
    "primary_identifier": "ERIKSSON",
    "secondary_identifier": "ANNA MARIA",
    "document_number": "L898902C3",
    "nationality": "UTO",
    "date_of_birth": "1974-08-12",
    "sex": "F",
    "date_of_expiry": "2034-04-15",
}
CONTENDERS = {
    "TD1": ("I", TD1CodeChecker),
    "TD2": ("I", TD2CodeChecker),
    "TD3": ("P", TD3CodeChecker),
    "MRV-A": ("V", MRVACodeChecker),
    "MRV-B": ("V", MRVBCodeChecker),
}
GOAL = 3.0
LIMIT_MS = 50


def run(quick: bool) -> list[Row]:
    """Measure each kind beside `mrz`, and payloads that are odd or hostile."""
    rounds, calls = (LEAST_ROUNDS, 200) if quick else (21, 500)
    rows = []
    for kind, (code, checker) in CONTENDERS.items():
        lines = "\n".join(encode(kind, {"document_code": code} | FIELDS))
        ours, theirs = medians_us(
            lambda lines=lines: parse(lines, today=TODAY),
            lambda lines=lines, checker=checker: bool(checker(lines)),
            calls=calls,
            rounds=rounds,
        )
        rows.append(Row(f"{kind}, all verdicts", ours, "us", beside="mrz 0.6.2", theirs=theirs))
        rows.append(Row(f"{kind}, times as fast as mrz 0.6.2", theirs / ours, "x", bar=GOAL, bar_is="least"))
    for what, payload in _odd(encode("TD3", {"document_code": "P"} | FIELDS)).items():
        (took,) = medians_us(lambda payload=payload: parse(payload, today=TODAY), calls=3)
        rows.append(Row(what, took / 1000, "ms", bar=LIMIT_MS))
    return rows


def _odd(lines: list[str]) -> dict[str, str]:
    return {
        "TD3, unseparated run": "".join(lines),
        "TD3, spaces for fillers": "\n".join(lines).replace("<", " "),
        "TD3, lines in reverse": "\n".join(reversed(lines)),
        "TD3, a character lost": f"{lines[0]}\n{lines[1][:15]}{lines[1][16:]}",
        "eight rows of the hardest kind": "\n".join(["P<UTO" + "A1<" * 13, "D<<" * 14] * 4),
        "64 KiB of lines": ("\n".join(lines) + "\n") * 728,
    }
