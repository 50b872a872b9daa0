"""How long it takes to read a machine readable zone, beside the `mrz` package from PyPI in the same run.

Run it with `python -m bench.mrz`. Both get sound lines as strings. `mrz` is asked for its overall verdict, which checks
digits and fields; ours gives every verdict, the centuries and the expiry. The goal is a third of its time; 50 ms is the
limit for any payload.
"""

from __future__ import annotations

from datetime import date
from timeit import timeit

from mrz.checker.mrva import MRVACodeChecker
from mrz.checker.mrvb import MRVBCodeChecker
from mrz.checker.td1 import TD1CodeChecker
from mrz.checker.td2 import TD2CodeChecker
from mrz.checker.td3 import TD3CodeChecker

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
CALLS = 500
ROUNDS = 20
GOAL = 3.0
LIMIT_MS = 50


def microseconds(*contenders, calls: int = CALLS) -> list[float]:
    """Return the best of some rounds for each contender, in microseconds a call; they take turns, so noise hits all."""
    rounds = [[timeit(call, number=calls) for call in contenders] for _ in range(ROUNDS)]
    return [min(times) / calls * 1e6 for times in zip(*rounds, strict=True)]


def main() -> None:
    """Measure and print."""
    print(f"{'zone':8}{'landfall':>12}{'mrz 0.6.2':>12}{'times as fast':>16}   goal {GOAL:.0f}")
    for kind, (code, checker) in CONTENDERS.items():
        lines = "\n".join(encode(kind, {"document_code": code} | FIELDS))
        ours, theirs = microseconds(
            lambda lines=lines: parse(lines, today=TODAY),
            lambda lines=lines, checker=checker: bool(checker(lines)),
        )
        print(f"{kind:8}{ours:9.1f} us{theirs:9.1f} us{theirs / ours:16.1f}")
    lines = encode("TD3", {"document_code": "P"} | FIELDS)
    odd = {
        "TD3, unseparated run": "".join(lines),
        "TD3, spaces for fillers": "\n".join(lines).replace("<", " "),
        "TD3, lines in reverse": "\n".join(reversed(lines)),
        "TD3, a character lost": f"{lines[0]}\n{lines[1][:15]}{lines[1][16:]}",
        "eight rows of the hardest kind": "\n".join(["P<UTO" + "A1<" * 13, "D<<" * 14] * 4),
        "64 KiB of lines": ("\n".join(lines) + "\n") * 728,
    }
    for name, payload in odd.items():
        (took,) = microseconds(lambda payload=payload: parse(payload, today=TODAY), calls=10)
        print(f"{name:32}{took / 1000:8.3f} ms   limit {LIMIT_MS} ms")


if __name__ == "__main__":
    main()
