"""Specimens of every kind of zone, and how the tests ask for one verdict."""

from datetime import date

from edge.documents.verdict import Document, Result, Verdict

TODAY = date(2026, 11, 22)

PASSPORT = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F3404159ZE184226B<<<<<16")
CARD = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F3404159UTO<<<<<<<<<<<2", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
CARD_TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F3404159<<<<<<<2")
VISA_A = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F34121016ZE184226B<<<<<<")
VISA_B = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F3412101<<<<<<<<")
# The example that the French administration published; Corinne Berthier is no person.
FRENCH_CARD = ("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6")

SPECIMENS = {
    "TD3": PASSPORT,
    "TD1": CARD,
    "TD2": CARD_TD2,
    "MRV-A": VISA_A,
    "MRV-B": VISA_B,
    "IDFRA": FRENCH_CARD,
}


def verdict(document: Document, check: str) -> Verdict:
    """Return the one verdict of this check."""
    (found,) = [verdict for verdict in document.verdicts if verdict.check == check]
    return found


def results(document: Document, *checks: str) -> list[Result]:
    """Return the results of these checks."""
    return [verdict(document, check).result for check in checks]


def wanting(document: Document) -> dict[str, Result]:
    """Return every check that did not pass."""
    return {verdict.check: verdict.result for verdict in document.verdicts if verdict.result is not Result.OK}


def changed(lines: tuple[str, ...], line: int, position: int, character: str) -> str:
    """Return the payload with one character replaced; line and position count from 1, as on the document."""
    rows = list(lines)
    rows[line - 1] = rows[line - 1][: position - 1] + character + rows[line - 1][position - 1 + len(character) :]
    return "\n".join(rows)
