"""Alters seeds at random: cuts, repeats, swaps and replaces characters.

Owns the alterations alone; the fuzz files own what must hold, and `tests.fuzz` (`make fuzz`) the run.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

LONGEST = 65_536
Payload = bytes | str


@dataclass(frozen=True)
class Target:
    """One parser to throw altered seeds at; `check` raises when something does not hold.

    `make` builds the payload from an altered text, where it is not the text itself; `limit_s` is the longest that one
    input may take.
    """

    name: str
    seeds: tuple[str, ...]
    alphabet: str
    check: Callable[[Payload], None]
    make: Callable[[Payload], Payload] = lambda payload: payload
    limit_s: float = 0.05

    def altered(self, chance: random.Random) -> Payload:
        """Return the next payload."""
        return self.make(altered(chance.choice(self.seeds), self.alphabet, chance))


def altered(text: str, alphabet: str, chance: random.Random) -> Payload:
    """Return a text that was altered up to six times, as text or as UTF-8."""
    for _ in range(chance.randint(0, 6)):
        place = chance.randint(0, len(text))
        other = min(len(text), place + chance.randint(0, 12))
        match chance.randint(0, 6):
            case 0:
                text = text[:place]
            case 1:
                text = text[:place] + text[other:]
            case 2:
                text = text[:other] + text[place:other] * chance.randint(1, 200) + text[other:]
            case 3 | 4:
                text = text[:place] + chance.choice(alphabet) + text[place + 1 :]
            case 5:
                text = text[:place] + chance.choice(alphabet) * chance.randint(1, 300) + text[place:]
            case _:
                text = text[:place] + "".join(chance.choices(alphabet, k=other - place)) + text[other:]
    text = text[:LONGEST]
    return text if chance.random() < 0.5 else text.encode("utf-8", "surrogatepass")[:LONGEST]
