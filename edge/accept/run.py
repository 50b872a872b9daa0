"""The guided check from its first step to the signed report.

Owns the order, and what becomes of a step that fails, is skipped or cannot be made. Always true: a step that fails
keeps none of the later ones from being made; practice has ended when this has; a report says what was not looked at.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from edge.accept.lane import lane_steps
from edge.accept.machine import machine_steps
from edge.accept.screen import Skipped
from edge.accept.step import Scene, Step, failed, finding, ok, skipped
from edge.errors import ContractError, LandfallError, StoreError
from edge.practice import ACCEPTED
from edge.seal import unverified_payload
from edge.wire.acceptance import Acceptance, Finding, Verdict, is_accepted

RECEIPT_S = 60.0
PATIENCE_S = 30.0  # for whoever is at a lane when practice shall begin


def plan(scene: Scene, only: Sequence[str] = ()) -> list[Step]:
    """Return the steps that the settings ask for, or those of them with these names.

    Raises `LandfallError` for a name that no step has.
    """
    steps = [*machine_steps(scene), *(step for lane in scene.settings.lanes for step in lane_steps(scene, lane))]
    if unknown := set(only) - {step.name for step in steps}:
        known = ", ".join(dict.fromkeys(step.name for step in steps))
        raise LandfallError(f"no step is called {', '.join(sorted(unknown))}", remedy=f"this kiosk has: {known}")
    return [step for step in steps if not only or step.name in only]


def walk(scene: Scene, steps: Sequence[Step]) -> Iterator[Finding]:
    """Go through the steps and yield every finding; a step that failed is made again if the technician wants that."""
    _begin_practice(scene)
    try:
        for number, step in enumerate(steps, 1):
            scene.screen.title(number, len(steps), step.title)
            found = _made(scene, step)
            while any(one.verdict is Verdict.FAILED for one in found) and scene.screen.again():
                found = _made(scene, step)
            yield from found
    finally:
        scene.kiosk.end_practice()


def _begin_practice(scene: Scene) -> None:
    until_s = time.monotonic() + PATIENCE_S

    def look() -> bool | None:
        try:
            scene.kiosk.begin_practice()
        except LandfallError:
            if time.monotonic() + 1 < until_s:
                return None
            raise
        return True

    scene.screen.wait_for("Let nobody cross from now on: what is scanned does not count.", look, PATIENCE_S)


def _made(scene: Scene, step: Step) -> list[Finding]:
    """Make one step, showing each finding; what stops it is a finding too."""
    found: list[Finding] = []
    try:
        scene.kiosk.keep_practising()
        for one in step.do():
            found.append(one)
            scene.screen.finding(one)
        return found
    except Skipped:
        last = skipped(step.name, "run `landfall-provision accept` again once it can be looked at")
    except LandfallError as error:
        last = failed(step.name, error.message, error.remedy or "see `landfall check` and the kiosk's journal")
    scene.screen.finding(last)
    return [*found, last]


def signed(scene: Scene, report: Acceptance) -> tuple[Acceptance, str]:
    """Have the kiosk sign the report; return it as signed, and its JWS."""
    scene.kiosk.forget()
    token = scene.kiosk.sign(msgspec.to_builtins(report))["signed"]
    try:
        return msgspec.json.decode(unverified_payload(token), type=Acceptance), token
    except msgspec.DecodeError:
        raise ContractError("the kiosk signed something else than was asked for") from None


def sent(scene: Scene) -> Finding:
    """Wait until the centre holds the report that was signed last."""
    stored: list[int] = []

    def look() -> bool | None:
        if not stored:
            kept = {"what": "state_kept", "key": ACCEPTED, "is_kept": True}
            if not any(kept.items() <= one.items() for one in scene.kiosk.happenings()):
                return None
            stored.append(scene.kiosk.status()["queue"]["audit"]["next_sequence"] - 1)
        return scene.kiosk.status()["queue"]["audit"]["held_up_to"] >= stored[0] or None

    if scene.screen.wait_for("Wait for the centre's receipt for the report; nothing to do.", look, RECEIPT_S):
        return ok("report", "the centre holds it")
    if not stored:
        return failed("report", "the kiosk's disk did not take it", "see the lines on store and card")
    remedy = "nothing is lost: it goes out with the next connection; telephone the centre"
    return finding("report", Verdict.WARN, f"no receipt within {RECEIPT_S:g} s", remedy)


def write(folder: Path, report: Acceptance, token: str) -> Path:
    """Write the signed report beside the store, or into another folder, and return its path."""
    at = "".join(char for char in report.signed_at.partition(".")[0] if char.isdigit())
    path = folder / f"acceptance-{report.kiosk.replace('/', '_')}-{at}.jws"
    try:
        with path.open("x", encoding="ascii") as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}", remedy="give another folder with --out") from None
    return path


def report_of(by: str, began_at: str, inputs: int, findings: Sequence[Finding], *, is_whole: bool) -> Acceptance:
    """Return the report, as it is before the kiosk signs it; one of some steps alone accepts nothing."""
    return Acceptance(by, began_at, is_whole and is_accepted(tuple(findings)), inputs, tuple(findings))
