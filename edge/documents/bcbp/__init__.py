"""Bar coded boarding passes: IATA Resolution 792, versions 1 to 8.

Owns the public names of the standard: `parse`, `encode`, `is_boarding_pass`, `CHECKS`. Fields carry IATA's own words in
snake case; `legs` is a list, each leg with its mandatory items, its conditional items and what the airline added.
"""

from edge.documents.bcbp.reading import CHECKS, is_boarding_pass, parse
from edge.documents.bcbp.writing import encode

__all__ = ["CHECKS", "encode", "is_boarding_pass", "parse"]
