"""Splits the passenger name of a boarding pass into surname, given names and title.

Owns the rule for titles. The standard writes `SURNAME/GIVENNAMES` in 20 characters and lets airlines put a title
straight behind the given names, where `MR` may as well end a name: a title is split off only where a space sets it
apart, and a name that might end in one is left alone and said to. Always true: no letter of the name is lost.
"""

from __future__ import annotations

from typing import NamedTuple

_TITLES = frozenset(("MR", "MRS", "MS", "MISS", "MSTR", "MSTER", "MASTER", "DR", "PROF"))
_ATTACHED_TITLES = ("MR", "MRS", "MS", "MISS", "MSTR")
_PERMITTED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ /")


class PassengerName(NamedTuple):
    """The parts of a name; each remark is (is it a doubt, what)."""

    surname: str
    given_names: str
    title: str
    remarks: tuple[tuple[bool, str], ...]


def split_name(name: str, *, is_full: bool) -> PassengerName:
    """Split a passenger name (item 11); `is_full` says that it fills its 20 characters and may be cut."""
    remarks = []
    if not _PERMITTED.issuperset(name):
        remarks.append((True, "holds characters other than A to Z, space and /"))
    if is_full:
        remarks.append((False, "fills its 20 characters and may be cut"))
    surname, slash, given_names = (part.strip() for part in name.partition("/"))
    if not slash:
        remarks.append((False, "no / between surname and given names"))
    if not surname:
        remarks.append((True, "no surname"))
    if "/" in given_names:
        remarks.append((True, "more than one /"))
    names, _, last = given_names.rpartition(" ")
    title = ""
    if names and last in _TITLES:
        given_names, title = names.rstrip(" /"), last
        remarks.append((False, "title split off the given names"))
    elif given_names in _TITLES:
        remarks.append((True, "given_names may be a title alone"))
    elif given_names.endswith(_ATTACHED_TITLES) and len(given_names) > 3:
        remarks.append((False, "given_names may end in a title"))
    return PassengerName(surname, given_names, title, tuple(remarks))
