"""The form on which an officer keys a document in, field by field on a terminal.

Owns the questions, their order and what is said of an answer at once. Always true: nothing typed is printed again but
on the officer's own terminal, and nothing of it is kept; a wrong answer is asked for once more, and kept as typed if
the officer insists, since the document may be wrong and not the officer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from edge.documents.keyed import FIELDS, keyed
from edge.documents.verdict import Result

QUESTIONS = {
    "document_code": ("Document code", "P passport, I or A card, V visa"),
    "issuing_state": ("Issuing state", "three letters as in the document, D for Germany"),
    "document_number": ("Document number", ""),
    "primary_identifier": ("Surname", "as printed"),
    "secondary_identifier": ("Given names", "Enter if there are none"),
    "nationality": ("Nationality", "three letters; XXA stateless, XXB refugee, XXX unknown"),
    "date_of_birth": ("Date of birth", "1974-08-12; 1974-08 or 1974 if no more is known"),
    "sex": ("Sex", "M, F or X"),
    "date_of_expiry": ("Date of expiry", "2031-04-15; Enter if there is none"),
}
_CHECKS_OF = {
    "primary_identifier": ("names",),
    "secondary_identifier": ("names",),
    "date_of_expiry": ("date_of_expiry", "validity"),
}
_MAY_BE_EMPTY = {"secondary_identifier", "date_of_expiry"}

Ask = Callable[[str], str]
Say = Callable[[str], None]


def fill_in(ask: Ask, say: Say, *, today: date | None, is_document: bool = True) -> dict[str, str]:
    """Ask for every field and return what was typed; of a person without a document, only who they say they are."""
    typed: dict[str, str] = {}
    names = FIELDS if is_document else FIELDS[3:8]
    for name in names:
        typed[name] = _field(name, ask, say, today, is_document=is_document)
        if name == "document_number" and typed[name]:
            typed[name] = _twice(typed[name], ask, say)
    return {name: text for name, text in typed.items() if text}


def _field(name: str, ask: Ask, say: Say, today: date | None, *, is_document: bool) -> str:
    label, hint = QUESTIONS[name]
    prompt = f"{label} ({hint}): " if hint else f"{label}: "
    text = ask(prompt).strip()
    if not text and (not is_document or name in _MAY_BE_EMPTY):
        return ""
    if wrong := _wrong(name, text, today):
        say(f"  {wrong}. Type it again, or press Enter to keep it as it is.")
        return ask(prompt).strip() or text
    return text


def _wrong(name: str, text: str, today: date | None) -> str:
    """Return what is wrong with one field, in a few words, or nothing."""
    alone = {"primary_identifier" if name == "secondary_identifier" else name: text}
    checks = _CHECKS_OF.get(name, (name,))
    found = [one for one in keyed(alone, source="manual", today=today).verdicts if one.check in checks]
    return next((one.detail for one in found if one.result in (Result.FAILED, Result.DOUBTFUL)), "")


def _twice(number: str, ask: Ask, say: Say) -> str:
    """Ask for the number until it was typed the same twice: no check digit is keyed in that would tell."""
    while (again := ask("Document number, once more: ").strip()) != number:
        say("  The two differ.")
        number = again
    return number
