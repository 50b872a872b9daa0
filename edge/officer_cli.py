"""`landfall manual`, `enter`, `void`, `decide` and `group`: what an officer asks of the running kiosk.

Owns their words on the command line and what they print. Always true: the kiosk does the work, and what is printed as
recorded is on its disk; documents are typed at questions or come as JSON on standard input, where no list of
processes and no history of a shell shows them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import msgspec

from edge.errors import LandfallError
from edge.wire.crossing import ConveyanceKind, Direction, OutcomeResult, VoidReasonOfOfficer

OUTCOME_S = 60.0
POLL_S = 0.1

_WHICH = "which crossing you mean, as `enter` and `status` name it; refused if it is not open any more"

Add = Callable[[argparse.ArgumentParser], None]


def add_verbs(verbs: Any, add_config: Add, add_json: Add) -> None:
    """Add the officer's verbs to the parser of `landfall`."""

    def verb(name: str, run: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
        parser = verbs.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
        parser.add_argument("--lane", default="", metavar="NAME", help="which lane, where the kiosk has two")
        parser.add_argument("--officer", default="", metavar="NUMBER", help="your service number, such as A-1042")
        add_config(parser)
        add_json(parser)
        parser.set_defaults(run=run)
        return parser

    manual = verb("manual", _manual, "let the lane wait for a document that you key in")
    manual.add_argument("--off", action="store_true", help="let the readers be heard again")

    enter = verb("enter", _enter, "key in a document that no reader reads, or a paper form of an outage")
    enter.add_argument("--stdin", action="store_true", help="take the fields as one JSON object from standard input")
    enter.add_argument("--no-document", action="store_true", help="the person has none; key in what is known")
    enter.add_argument(
        "--written-at",
        default="",
        metavar="TIME",
        help="a paper form: the time on it, local or with ...Z",
    )
    enter.add_argument("--direction", choices=get_args(Direction), help="of the form [as the lane has it now]")
    enter.add_argument("--result", choices=get_args(OutcomeResult), help="of the form")

    void = verb("void", _void, "say that the last crossing of the lane does not count")
    void.add_argument("crossing", nargs="?", default="", metavar="CROSSING", help=_WHICH)
    void.add_argument("--reason", choices=get_args(VoidReasonOfOfficer), default="other", help="why [other]")
    void.add_argument("--form", action="store_true", help="the last paper form, not the last crossing")

    decide = verb("decide", _decide, "decide about the traveller who was referred")
    decide.add_argument("result", choices=get_args(OutcomeResult))
    decide.add_argument("crossing", nargs="?", default="", metavar="CROSSING", help=_WHICH)

    verb("rearm", _rearm, "let a kiosk work again whose case was opened and inspected (root)")

    group = verb("group", _group, "open a group of people who travel together, close it, or show its count")
    group.add_argument("do", nargs="?", choices=("open", "close", "show"), default="show")
    group.add_argument("--expected", type=int, metavar="COUNT", help="how many people there should be")
    group.add_argument("--conveyance", choices=get_args(ConveyanceKind), help="what they come by")
    group.add_argument("--number", default="", metavar="TEXT", help="flight number, IMO number or registration")
    group.add_argument("--name", default="", metavar="TEXT", help="name of the vessel or line")


def _ask(options: argparse.Namespace, verb: str, **arguments: object) -> dict[str, Any]:
    from edge.config import load
    from edge.control import ask

    settings = load(options.config, dict(os.environ))
    socket: Path = settings.resolve(settings.control.socket)
    given = {"lane": options.lane, "officer": options.officer, **arguments} if verb != "outcome" else arguments
    return ask(socket, verb, **given)


def _rearm(options: argparse.Namespace) -> int:
    answer = _ask(options, "rearm")
    _print(options, answer, "The kiosk starts anew with its key.")
    return 0


def _manual(options: argparse.Namespace) -> int:
    answer = _ask(options, "manual", on=not options.off)
    _print(options, answer, f"Lane {answer['lane']}: {answer['state']}")
    return 0


def _enter(options: argparse.Namespace) -> int:
    is_form = bool(options.written_at)
    arguments: dict[str, object] = {"is_document": not options.no_document}
    if is_form:
        arguments |= {"written_at": _in_utc(options.written_at), "result": options.result}
        arguments |= {"direction": options.direction} if options.direction else {}
    if options.stdin:
        return _entered(options, {**arguments, "typed": _from_stdin()})
    return _enter_by_questions(options, arguments)


def _enter_by_questions(options: argparse.Namespace, arguments: dict[str, object]) -> int:
    """Ask field by field. At a lane the readers are not heard meanwhile, so that nobody else gets these fields."""
    from edge.entry_form import fill_in

    is_form = "written_at" in arguments
    if not is_form:
        _ask(options, "manual", on=True)
    try:
        typed = fill_in(input, print, today=datetime.now(UTC).date(), is_document=not options.no_document)
        question = "Record this? [Y/n] "
        while input(question).strip().lower() in ("", "y", "yes"):
            try:
                asked = _ask(options, "enter", **arguments, typed=typed)
            except LandfallError as error:  # manual mode may have ended meanwhile; nobody types nine fields twice
                print(error)
                question = "Try again? [Y/n] "
            else:
                return _told(options, asked)
    except (EOFError, KeyboardInterrupt):
        print()
    if not is_form:
        _ask(options, "manual", on=False)
    print("Nothing was recorded.")
    return 1


def _entered(options: argparse.Namespace, arguments: dict[str, object]) -> int:
    return _told(options, _ask(options, "enter", **arguments))


def _void(options: argparse.Namespace) -> int:
    about = {"crossing": options.crossing, "reason": options.reason, "is_form": options.form}
    return _told(options, _ask(options, "void", **about))


def _decide(options: argparse.Namespace) -> int:
    return _told(options, _ask(options, "decide", crossing=options.crossing, result=options.result))


def _told(options: argparse.Namespace, asked: dict[str, Any]) -> int:
    """Wait until it is on disk and say what came of it; raise `LandfallError` when it is not."""
    from edge.named_crossing import short

    until_s = time.monotonic() + OUTCOME_S
    while (found := _ask(options, "outcome", id=asked["id"]))["state"] == "pending" and time.monotonic() < until_s:
        time.sleep(POLL_S)
    if found["state"] == "failed":
        raise LandfallError(f"not recorded: {found['reason']}", remedy="use a paper form, and enter it later")
    if found["state"] == "pending":
        decide = f"`landfall decide passed {short(asked['id'])}`"
        print(f"Lane {asked['lane']}: not decided yet; {decide}, or `referred`, or the buttons.")
        return 1
    _print(options, {**asked, **found}, _sentence(short(found.get("amends") or asked["id"]), found))
    return 0


def _sentence(name: str, found: dict[str, Any]) -> str:
    said = f"Crossing {name}: {found['result']}, recorded at position {found['sequence']}"
    reasons = ", ".join(found.get("reasons", ()))
    if found["result"] == "referred" and found.get("by") == "rule":
        return f"{said} ({reasons}).\nDecide with `landfall decide passed {name}`, or `referred`."
    return f"{said}." if not reasons else f"{said}, although {reasons}."


def _group(options: argparse.Namespace) -> int:
    arguments: dict[str, object] = {"do": options.do}
    if options.do == "open":
        arguments |= {"expected": options.expected, "conveyance": options.conveyance}
        arguments |= {"number": options.number, "name": options.name}
    answer = _ask(options, "group", **arguments)
    _print(options, answer, _group_sentence(answer, was_closed=options.do == "close"))
    return 0


def _group_sentence(answer: dict[str, Any], *, was_closed: bool) -> str:
    from edge.screen import plain

    if answer["group"] is None:
        return f"Lane {answer['lane']}: no group is open."
    conveyance = answer["conveyance"] or {}
    by = " ".join(filter(None, (conveyance.get("kind"), conveyance.get("name"), conveyance.get("number"))))
    expected = f" of {answer['expected']}" if answer["expected"] is not None else ""
    state = "closed" if was_closed else "open"
    lines = [f"Lane {answer['lane']}: group {state}, {answer['count']}{expected} crossings. {by}".rstrip()]
    if answer["expected"] is not None and was_closed and answer["count"] != answer["expected"]:
        lines.append(f"THE COUNT DIFFERS by {answer['count'] - answer['expected']:+d}.")
    if answer.get("number_check") == "doubtful":
        lines.append("The IMO number does not add up: was it misheard? It is recorded as it is.")
    return "\n".join(str(plain(line)) for line in lines)


def _from_stdin() -> dict[str, str]:
    try:
        return msgspec.json.decode(sys.stdin.buffer.read(64 * 1024), type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        from edge.documents.keyed import FIELDS

        raise LandfallError(
            "standard input is not one JSON object of texts", remedy=f"give some of {', '.join(FIELDS)}"
        ) from None


def _in_utc(text: str) -> str:
    """Return the time on a form as RFC 3339 in UTC; one without an offset is this machine's local time."""
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise LandfallError("--written-at takes a time such as 2026-03-01T09:40, or 2026-03-01T13:40Z") from None
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _print(options: argparse.Namespace, answer: dict[str, Any], sentence: str) -> None:
    from edge.screen import print_json

    print_json(answer) if options.json else print(sentence)
