"""Names on driving licences: one element in version 1, given names together in versions 2 and 3, apart since 4.

Owns the splitting, and what the truncation indicators say. Always true: the element that was split stays as printed.
"""

from __future__ import annotations

from typing import Any

from edge.documents.findings import Findings

_INDICATORS = {
    "family_name_truncation": "customer_family_name",
    "first_name_truncation": "customer_first_name",
    "middle_name_truncation": "customer_middle_names",
}


def read_names(fields: dict[str, Any], findings: Findings) -> None:
    """Fill the separate name fields from the elements that hold several names, and remark on what may be cut."""
    if whole := fields.get("customer_name"):
        _split(whole, ("customer_family_name", "customer_first_name", "customer_middle_names", "name_suffix"), fields)
        if "," not in whole:
            findings.doubtful("names", "customer_name has no commas; its parts are not told apart")
    if given := fields.get("customer_given_names"):
        _split(given, ("customer_first_name", "customer_middle_names"), fields)
    if (family := fields.get("customer_family_name", "")).endswith(","):  # as Ontario writes it
        fields["customer_family_name"] = family.rstrip(" ,")
        findings.ok("names", "a comma ends customer_family_name; left out")
    for indicator, name in _INDICATORS.items():
        match fields.get(indicator):
            case "T":
                findings.ok("names", f"{name} is truncated")
            case "U":
                findings.ok("names", f"{name}: not known whether truncated")
    if "customer_family_name" not in fields and "customer_first_name" not in fields:
        findings.failed("names", "no name")
    elif "customer_family_name" not in fields:
        findings.ok("names", "no family name")
    elif "customer_first_name" not in fields:
        findings.ok("names", "no first name")


def _split(text: str, names: tuple[str, ...], fields: dict[str, Any]) -> None:
    """Put the parts between commas into fields that the card does not give itself.

    Without a comma everything is the first part: a space may stand inside a name.
    """
    parts = [part.strip() for part in text.split(",", len(names) - 1)]
    for name, part in zip(names, parts, strict=False):
        if part and name not in fields:
            fields[name] = part
