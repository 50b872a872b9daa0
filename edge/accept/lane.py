"""The steps at one lane: lamps, buttons, camera, readers with a practice crossing, case and door.

Owns what the technician is asked to do and what has to follow. Which steps there are is taken from the settings: what
is not fitted is not asked for. Always true: a lane is left as it was found, its direction included.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from edge.accept.running import Happening
from edge.accept.step import Scene, Step, failed, ok, warn
from edge.settings import LaneSettings
from edge.wire.acceptance import Finding
from hw.settings import ReaderSettings

DO_S = 60.0  # for something that the technician has to do
RECEIPT_S = 60.0
SLOW_READ_MS = 2000.0
SLOW_RECEIPT_MS = 10_000.0
BUTTON_WORDS = {
    "accept": ("Press the accept button once.", 1),
    "refer": ("Press the refer button once.", 1),
    "direction": ("Press the direction button twice.", 2),
    "manual": ("Press the manual button twice.", 2),
}
SOURCES = {"document": ("mrz", "aamva"), "barcode": ("bcbp", "aamva", "vds", "dcc")}
PHOTO_REMEDIES = {
    "nobody_there": "does it look at where people stand? turn it, or take the cap off",
    "too_dark": "put a light behind the camera",
    "too_bright": "shade the light that shines on faces",
    "backlight": "turn the camera away from the window, or shade it",
    "hold_still": "focus the lens: it is not sharp, unless somebody moved",
    "closer": "move the camera nearer, or the line on the floor",
    "farther": "move the camera back, or the line on the floor",
}


def lane_steps(scene: Scene, lane: LaneSettings) -> Sequence[Step]:
    """Return the steps of a lane in their order."""
    at = LaneCheck(scene, lane)
    name = f" of {lane.name}" if len(scene.settings.lanes) > 1 else ""
    panel, has_panel = lane.panel, lane.panel.driver != "none"
    buttons = [button for button in BUTTON_WORDS if has_panel and getattr(panel, button)]
    first = [*(reader for reader in lane.readers if reader.kind == "document"), *lane.readers][:1]
    steps = []
    if has_panel:
        steps.append(Step("lamps", f"The lamps{name}", at.lamps))
    if buttons:
        steps.append(Step("buttons", f"The buttons{name}", lambda: at.buttons(buttons)))
    if lane.camera.driver != "none":
        steps.append(Step("camera", f"The camera{name}", at.camera))
    for reader in [one for one in lane.readers if one not in first]:
        steps.append(Step("readers", f"The reader {reader.name}", lambda reader=reader: at.reads(reader)))  # type: ignore[misc]
    for reader in first:
        steps.append(Step("crossing", f"A practice crossing{name}", lambda reader=reader: at.crossing(reader)))  # type: ignore[misc]
    if has_panel and panel.tamper:
        steps.append(Step("case", f"The switch of the case{name}", at.case))
    if has_panel and panel.door:
        steps.append(Step("door", f"The door behind the gate{name}", at.door))
    return steps


class LaneCheck:
    """Walks a technician through one lane."""

    def __init__(self, scene: Scene, lane: LaneSettings) -> None:
        self._settings, self._kiosk, self._screen = scene.settings, scene.kiosk, scene.screen
        self._lane, self._panel = lane, lane.panel

    # --- lamps and buttons -------------------------------------------------------------------------------------------

    def lamps(self) -> Iterator[Finding]:
        """Show amber and red, and ask; green is for the practice crossing, since nothing else lights it."""
        beep = "and did it beep" if self._panel.buzzer else ""
        for lamp, signal, also in (("amber", "call_officer", beep), ("red", "closed", "")):
            pin = getattr(self._panel, lamp)
            if not pin:
                continue
            self._kiosk.show(self._lane.name, signal)
            try:
                yield self._seen(f"lamp {lamp}", f"Is the {lamp} lamp on{', ' + also if also else ''}?", pin)
            finally:
                self._kiosk.show(self._lane.name, "ready")

    def _seen(self, what: str, question: str, pin: str) -> Finding:
        if self._screen.ask(question):
            return ok(what, "seen")
        return failed(what, "not seen", f"check the wire to {pin} and ground, and the lamp's supply")

    def buttons(self, names: Sequence[str]) -> Iterator[Finding]:
        """Have each button pressed; what toggles is pressed twice, so that the lane is as it was."""
        for button in names:
            words, times = BUTTON_WORDS[button]
            pin = getattr(self._panel, button)
            presses: list[Happening] = []

            def look(presses: list[Happening] = presses, button: str = button, times: int = times) -> bool | None:
                presses += self._at_panel("button_pressed", button=button)
                return True if len(presses) >= times else None

            self._kiosk.forget()
            if self._screen.wait_for(words, look, DO_S):
                yield ok(f"button {button}", f"pressed, seen on {pin}")
            else:
                seen = f"{len(presses)} of {times} presses were seen" if presses else "no press was seen"
                yield failed(f"button {button}", seen, f"check the wire between {pin}, the button and ground")

    # --- camera ------------------------------------------------------------------------------------------------------

    def camera(self) -> Iterator[Finding]:
        """Take a photo that belongs to no crossing, and say what is not right with it."""
        camera = self._lane.camera
        self._screen.say("Stand where travellers stand, and look at the camera.")
        self._kiosk.forget()
        request = self._kiosk.take_photo(self._lane.name)
        look = self._first({"request": request}, "photo_taken", "photo_failed")
        taken = self._screen.wait_for("Look at the camera.", look, camera.deadline_s + 10)
        what = f"camera {camera.name}"
        plug = "check the ribbon cable at both ends with the power off; `rpicam-hello --list-cameras` must name it"
        if taken is None or taken["what"] == "photo_failed":
            yield failed(what, taken["reason"] if taken else "no photo came", plug)
            return
        size_kb = taken["bytes"] / 1000
        flaws = taken.get("quality")
        sharpness = taken.get("sharpness")
        measured = {"photo_kb": size_kb, "photo_sharpness": sharpness}
        told = "" if sharpness is None else f" (sharpness {sharpness:.2f})"
        if flaws is None:
            yield ok(what, f"a photo of {size_kb:.0f} kB; nobody looks at its quality", **measured)
        elif not flaws:
            yield ok(what, f"a photo of {size_kb:.0f} kB: one face, near, well lit and sharp{told}", **measured)
        else:
            remedy = "; ".join(PHOTO_REMEDIES[one] for one in flaws if one in PHOTO_REMEDIES) or "try again"
            yield warn(what, f"the photo is not good: {', '.join(flaws)}{told}", remedy, **measured)

    # --- readers and a crossing --------------------------------------------------------------------------------------

    def reads(self, reader: ReaderSettings) -> Iterator[Finding]:
        """Have a document shown to a reader."""
        self._kiosk.forget()
        yield self._read(reader)[0]

    def crossing(self, reader: ReaderSettings) -> Iterator[Finding]:
        """Have a passport scanned, follow the crossing to the lamp, the disk and the centre, and ask for the lamp."""
        self._kiosk.begin_practice()  # also if the daemon has started anew a moment ago
        self._kiosk.forget()
        found, read = self._read(reader)
        yield found
        if read is None:
            return
        policy = self._lane.policy
        words = "Watch the lamp."
        if policy.decision == "officer":
            words = "Watch the lamps: when amber is steady, press accept."
        within_s = policy.collect_s + policy.optional_s + DO_S
        seen: dict[str, Happening] = {}

        def look() -> bool | None:
            for one in self._kiosk.happenings():
                if one["what"] == "crossing_decided" and one["lane"] == self._lane.name:
                    seen.clear()
                    seen["crossing_decided"] = one
                elif one["what"] == "recorded" and one["stream"] == "crossing" and "crossing_decided" in seen:
                    seen["recorded"] = one
                elif one["what"] == "signal_shown" and one["lane"] == self._lane.name and "recorded" in seen:
                    seen["signal_shown"] = one
                    return True
            return None

        if not self._screen.wait_for(words, look, within_s):
            yield failed("crossing", "it did not get onto the disk", "see the lines on store and card, then try again")
            return
        yield from self._crossed(seen, read)
        yield self._receipted(seen["recorded"])

    def _crossed(self, seen: dict[str, Happening], read: Happening) -> Iterator[Finding]:
        decided, shown = seen["crossing_decided"], seen["signal_shown"]
        if not decided["is_practice"]:
            yield failed(
                "crossing", "it was not marked as practice", "void it: `landfall void --reason test` says which"
            )
        to_lamp_ms = 1000 * (shown["at_s"] - decided["at_s"])
        total_ms = 1000 * (shown["at_s"] - read["at_s"])
        passed = shown["signal"] == "passed"
        detail = f"on disk and lamp told {to_lamp_ms:.0f} ms after the decision, {total_ms:.0f} ms after the scan"
        figures = {"disk_to_lamp_ms": to_lamp_ms, "scan_to_lamp_ms": total_ms}
        if passed:
            yield ok("crossing", detail, **figures)
        else:
            reasons = ", ".join(decided["reasons"]) or "an officer said so"
            remedy = "that is right for this document; use a passport in date to see the green lamp"
            yield warn("crossing", f"an officer was called: {reasons}", remedy, **figures)
        if self._panel.driver == "none":
            return
        lamp = "green" if passed else "amber"
        if pin := getattr(self._panel, lamp):
            yield self._seen(f"lamp {lamp}", f"Did the {lamp} lamp light up?", pin)
        if passed and self._panel.gate:
            yield self._seen("gate", "Did the gate open, or its relay click?", self._panel.gate)

    def _receipted(self, recorded: Happening) -> Finding:
        """Wait until the centre holds the practice crossing: the whole way there and back."""

        def look() -> float | None:
            self._kiosk.keep_practising()
            for one in self._kiosk.happenings():
                is_it = one["what"] == "receipt_accepted" and one["stream"] == recorded["stream"]
                if is_it and one["up_to"] >= recorded["sequence"]:
                    return 1000 * (one["at_s"] - recorded["at_s"])
            head: dict[str, Any] = self._kiosk.status()["queue"].get(recorded["stream"], {})
            return 0.0 if head.get("held_up_to", 0) >= recorded["sequence"] else None

        receipt_ms = self._screen.wait_for("Wait for the centre's receipt; nothing to do.", look, RECEIPT_S)
        if receipt_ms is None:
            remedy = "is the kiosk registered at the centre, and does a collector run? telephone the centre"
            return failed("receipt", f"none came within {RECEIPT_S:g} s", remedy)
        if not receipt_ms:
            return ok("receipt", "the centre holds the practice crossing")
        detail = f"the centre holds the practice crossing, {receipt_ms:.0f} ms after it was on disk"
        if receipt_ms >= SLOW_RECEIPT_MS:
            return warn("receipt", detail, "the network is slow: look at signal and antenna", receipt_ms=receipt_ms)
        return ok("receipt", detail, receipt_ms=receipt_ms)

    def _read(self, reader: ReaderSettings) -> tuple[Finding, Happening | None]:
        """Have a document shown to one reader; what was not understood may be shown again while there is time."""
        tries: list[Happening] = []

        def look() -> Happening | None:
            for one in self._kiosk.happenings():
                if one["what"] == "device_lost" and one["device"] == reader.name:
                    return one
                if one["what"] in ("document_read", "read_failed") and one["device"] == reader.name:
                    tries.append(one)
                    if one.get("source") in SOURCES[reader.kind] and not _misread(one):
                        return one
            return None

        document = "any passport" if reader.kind == "document" else "any boarding pass"
        what = f"reader {reader.name}"
        read = self._screen.wait_for(f"Scan {document} at {reader.name}.", look, DO_S)
        if read is None:
            return self._not_read(reader, tries), None
        if read["what"] == "device_lost":
            return failed(what, read["reason"], "check its plug, and whether its port gives enough power"), None
        return _well_read(what, read, tries), read

    def _not_read(self, reader: ReaderSettings, tries: list[Happening]) -> Finding:
        what = f"reader {reader.name}"
        state = self._kiosk.status()["devices"].get(reader.name, {})
        if state.get("state") != "ready":
            remedy = "check plug and power; `ls -l /dev/serial/by-id`; is the path in kiosk.toml right?"
            return failed(what, state.get("error") or "it is not there", remedy)
        if not tries:
            remedy = "does it light up or beep? is it set to send by itself, and baud right in kiosk.toml?"
            return failed(what, "it is there, but nothing came of it", remedy)
        kinds = ", ".join(dict.fromkeys(str(one.get("kind", one.get("reason", "no whole message"))) for one in tries))
        remedy = "clean the glass, hold the page flat; set framing in kiosk.toml; black_box = 50 finds the rest"
        return failed(what, f"{len(tries)} tries, none was understood: {kinds}", remedy, tries=len(tries))

    # --- case and door -----------------------------------------------------------------------------------------------

    def case(self) -> Iterator[Finding]:
        """Have the case opened and closed; not where that would drop the signing key."""
        if self._settings.kiosk.tamper == "drop_key":
            state = self._kiosk.status()["devices"].get(self._panel.name, {}).get("case")
            remedy = "opening it drops the signing key: agree with the centre, open it, then `landfall rearm`"
            if state == "closed":
                yield warn("case", "the switch says closed; it was not opened", remedy)
            else:
                yield failed(
                    "case", "the switch does not say that the case is closed", self._contact(self._panel.tamper)
                )
            return
        self._screen.say("The centre is told of it: that is part of the check.")
        yield from self._opened_and_closed("case", "the case", self._panel.tamper)

    def door(self) -> Iterator[Finding]:
        """Have the door opened and closed."""
        self._screen.say("It opens without a crossing, so the buzzer sounds and the centre is told: that is right.")
        yield from self._opened_and_closed("door", "the door behind the gate", self._panel.door)

    def _opened_and_closed(self, what: str, words: str, pin: str) -> Iterator[Finding]:
        self._kiosk.forget()
        for done, verb in (("opened", "Open"), ("closed", "Close")):
            look = self._first({"device": self._panel.name}, f"{what}_{done}")
            if self._screen.wait_for(f"{verb} {words}.", look, DO_S) is None:
                yield failed(what, f"the switch did not say that it was {done}", self._contact(pin))
                return
        yield ok(what, "opened and closed, and the switch said so")

    @staticmethod
    def _contact(pin: str) -> str:
        return f"check the contact between {pin} and ground: it is closed while the case or door is"

    # --- what the kiosk has noticed ----------------------------------------------------------------------------------

    def _at_panel(self, what: str, **about: str) -> list[Happening]:
        wanted = {"what": what, "device": self._panel.name, **about}
        return [one for one in self._kiosk.happenings() if wanted.items() <= one.items()]

    def _first(self, about: dict[str, str], *whats: str) -> Callable[[], Happening | None]:
        """Return what looks for the first happening of these kinds that says this."""

        def look() -> Happening | None:
            found = (one for one in self._kiosk.happenings() if one["what"] in whats)
            return next((one for one in found if about.items() <= one.items()), None)

        return look


def _misread(read: Happening) -> bool:
    checks = read.get("checks", {})
    return read.get("kind") == "unknown" or any(
        result == "failed" for check, result in checks.items() if check.endswith("_check")
    )


def _well_read(what: str, read: Happening, tries: list[Happening]) -> Finding:
    checks = read["checks"]
    bad = [check for check, result in checks.items() if result == "failed"]
    took_ms = read.get("took_ms")
    took = "" if took_ms is None else f" in {math.ceil(took_ms)} ms"
    detail = f"{read['kind']}{took}, {len(checks)} checks, {sum(r == 'ok' for r in checks.values())} ok"
    detail += f"; failed: {', '.join(bad)} (the document's, not the reader's)" if bad else ""
    figures = {"read_ms": took_ms, "tries": len(tries)}
    if len(tries) > 1:
        return warn(what, f"{detail}; it took {len(tries)} tries", "clean the glass; hold the page flat", **figures)
    if took_ms is not None and took_ms >= SLOW_READ_MS:
        return warn(what, detail, "set baud in kiosk.toml and at the reader to 115200", **figures)
    return ok(what, detail, **figures)
