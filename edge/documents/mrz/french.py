"""The French national identity card issued until 2021: two lines of 36, in an order of its own.

Owns the checks that this card, which is older than Doc 9303-6, has in place of the standard's. Its number begins with
year and month of issue, its names stand in two fields, and it carries no date of expiry: cards of 2004-2013 were
prolonged without being replaced.
"""

from __future__ import annotations

from edge.documents.mrz import dates
from edge.documents.mrz.reading import Reading, alphabet, ok
from edge.documents.verdict import Result, Verdict


def names(reading: Reading) -> Verdict:
    """There is a surname, and the names hold letters alone; given names are set apart by two fillers each."""
    worst: Verdict | None = None
    for field in ("primary_identifier", "secondary_identifier"):
        name = " ".join(part for part in reading.text[reading.zone.layout.spans[field]].split("<") if part)
        unread = alphabet("names", reading, field)
        if unread and (worst is None or unread.result is Result.FAILED):
            worst = unread
        if name and not (unread and unread.result is Result.FAILED):
            reading.fields[field] = name
    if worst is None and "primary_identifier" not in reading.fields:
        return Verdict("names", Result.FAILED, "no surname")
    return worst or ok("names")


def names_complete(reading: Reading) -> Verdict:
    """Neither name reaches the last position of its field."""
    spans = reading.zone.layout.spans
    if any(reading.text[spans[field]][-1] != "<" for field in ("primary_identifier", "secondary_identifier")):
        return Verdict("names_complete", Result.DOUBTFUL, "the names fill their field and may have been cut")
    return ok("names_complete")


def date_of_issue(reading: Reading) -> Verdict:
    """The number begins with a year and a month that are not in the future."""
    issued = dates.date_of_birth(reading.number[:4] + "<<", reading.today)
    if issued is None or issued[:4] == "XXXX" or issued[5:7] == "XX":
        return Verdict("date_of_issue", Result.FAILED, "the document number does not begin with year and month")
    reading.fields["date_of_issue"] = issued
    return ok("date_of_issue")


def issuing_office(reading: Reading) -> Verdict:
    """The office that issued the card was read: the department's code, and its own."""
    unread = alphabet("issuing_office", reading, "issuing_office")
    office = reading.text[reading.zone.layout.spans["issuing_office"]].rstrip("<")
    if office and not (unread and unread.result is Result.FAILED):
        reading.fields["issuing_office"] = office
    return unread or ok("issuing_office")
