"""Driving licences and identification cards of AAMVA's standard (PDF417), versions 1 (2000) to 11 (2025).

Owns the public names of the standard: `parse`, `encode`, `is_card`, `CHECKS`. Fields carry the standard's own words in
snake case; unknown elements are under `other_elements`, jurisdictions' own subfiles under `other_subfiles`.
"""

from edge.documents.aamva.reading import CHECKS, is_card, parse
from edge.documents.aamva.writing import encode

__all__ = ["CHECKS", "encode", "is_card", "parse"]
