"""What commands and desired settings do on this kiosk; the one place that says what a command may do.

Owns the deeds and how the two desks reach the daemon. It runs in the main loop; what takes time runs in threads and
comes back as an event. Always true: a deed deletes no record, touches no key and tells of no traveller; it lights no
green lamp; a restart waits until nobody stands at a lane, but not for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge import effective
from edge.cache import CacheReader
from edge.commands import trial
from edge.commands.collecting import Collecting, DiagnosticsCollected
from edge.commands.desk import KEY, Answer, CommandDesk, Deed
from edge.commands.settings_desk import Hands, OverlaysKept, SettingsDesk
from edge.commands.start import InForce
from edge.commands.trial import Overlays
from edge.errors import StoreError
from edge.events import CommandArrived, Moment, ReceiptAccepted, ResendAsked, SettingsDesired, StateKept, UplinkChanged
from edge.kiosk import State
from edge.log import Log, Priority
from edge.settings import digest
from edge.uplink.uplink import Said
from edge.wire import messages
from edge.wire.commands import REPLY_TYP, REPORTED_TYP, Command, CommandName, Reply, Reported, Result
from edge.wire.topics import reply_topic, reported_topic
from edge.wiring import Lane, Parts
from hw.devices import Signal

IDENTIFY_S = 10.0
MOST_IDENTIFY_S = 60.0
MOST_RENEWAL_S = 3600.0
LANE_PATIENCE_S = 30.0  # how long a restart waits for whoever stands at a lane
FIRST_WORD_S = 2.0  # in which an answer gets on its way before a restart


class CommandOffice:
    """Both desks and what they need; `start` runs work in a thread, `collect` gathers diagnostics in one.

    `renew` has the machine ask the centre for its keys; it raises OSError where that cannot be.
    """

    def __init__(
        self,
        parts: Parts,
        in_force: InForce,
        version: str,
        log: Log,
        *,
        put: Callable[[object], None],
        start: Callable[[str, Callable[[], None]], None],
        collect: Callable[[], dict[str, Any]],
        renew: Callable[[], None],
    ) -> None:
        self._parts, self._log, self._put, self._start = parts, log, put, start
        self._ask_for_keys = renew
        self._collecting = Collecting(put, start, collect)
        self._folder = parts.store.parent
        self._reader: CacheReader | None = None
        self._restart_from_s: float | None = None  # when the wish came, in CLOCK_BOOTTIME
        self._renew_at_s: float | None = None
        self._identified: dict[str, float] = {}  # until when a lane's panel blinks
        deeds: dict[CommandName, Deed] = {
            CommandName.IDENTIFY: self._identify,
            CommandName.DIAGNOSTICS: self._diagnose,
            CommandName.RESTART: self._restart,
            CommandName.REWIND: self._rewind,
            CommandName.RENEW: self._renew,
        }
        told = {name: self._told(deed) for name, deed in deeds.items()}
        self._commands = CommandDesk(parts.kiosk, parts.recorder, self._reply, told)
        hands = Hands(
            check=in_force.check,
            write=self._write,
            audit=parts.recorder.audit,
            reply=self._reply,
            report=self._report,
            restart=self._wish_restart,
        )
        began_s = parts.clock.now().clock.boottime_s
        sha256 = digest(in_force.settings)
        self._settings = SettingsDesk(
            parts.kiosk,
            version,
            sha256,
            in_force.overlays,
            hands,
            began_s=began_s,
            in_force=effective.in_force(in_force.settings),
        )

    def store_ready(self, reader: CacheReader, now: Moment) -> None:
        """Begin, once the store is open."""
        self._reader = reader
        self._commands.store_ready(reader.state(KEY), now)

    def take(self, event: object, now: Moment) -> None:
        """Take what concerns commands of an event; everything else is left to others."""
        match event:
            case CommandArrived():
                self._commands.arrived(event.command, now)
            case SettingsDesired():
                self._settings.desired(event.desired)
            case StateKept():
                self._commands.kept(event, now)
            case OverlaysKept():
                self._settings.kept(event, now)
            case DiagnosticsCollected():
                if (answer := self._collecting.collected(event)) is not None:
                    self._commands.finish(*answer, now, event.content)
            case ReceiptAccepted():
                self._commands.receipted(event.at)
                self._settings.reached()
            case UplinkChanged():
                self._settings.connected(now) if event.is_connected else self._settings.disconnected()

    def tick(self, now: Moment) -> None:
        """Do what is due."""
        self._settings.tick(now)
        if (answer := self._collecting.tick(now)) is not None:
            self._commands.finish(*answer, now)
        now_s = now.clock.boottime_s
        if self._renew_at_s is not None and self._renew_at_s <= now_s:
            self._renew_at_s = None
            self._wish_renewal()
        for lane in self._parts.lanes:
            if self._identified.get(lane.settings.name, now_s + 1) <= now_s:
                del self._identified[lane.settings.name]
                _show(lane, lane.signal)

    @property
    def deadline_s(self) -> float | None:
        """Return when `tick` has something to do, or None."""
        restart_at_s = None if self._restart_from_s is None else self._restart_at_s
        times = [*self._identified.values(), self._settings.deadline_s, self._collecting.deadline_s]
        times += [restart_at_s, self._renew_at_s]
        return min((at for at in times if at is not None), default=None)

    def wants_restart(self, now: Moment) -> bool:
        """Tell whether it is time to end the daemon, which systemd starts again."""
        return self._restart_from_s is not None and self._restart_at_s <= now.clock.boottime_s

    @property
    def _restart_at_s(self) -> float:
        assert self._restart_from_s is not None
        is_idle = all(lane.kiosk.state in (State.READY, State.CLOSED) for lane in self._parts.lanes)
        return self._restart_from_s + (FIRST_WORD_S if is_idle else LANE_PATIENCE_S)

    def _told(self, deed: Deed) -> Deed:
        """Return a deed that is logged; what is not carried out is not, since anybody can repeat it."""

        def do(command: Command, now: Moment) -> Answer | None:
            self._log(Priority.NOTICE, "command", name=command.name, counter=command.counter)
            return deed(command, now)

        return do

    # --- deeds -------------------------------------------------------------------------------------------------------

    def _identify(self, command: Command, now: Moment) -> Answer:
        """Let the panels of lanes at which nobody stands blink amber and beep."""
        seconds = command.arguments.get("seconds", IDENTIFY_S)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds <= MOST_IDENTIFY_S:
            return Result.FAILED, f"seconds must be 1-{MOST_IDENTIFY_S:g}"
        free = [lane for lane in self._parts.lanes if lane.devices.panel is not None and _is_free(lane)]
        for lane in free:
            self._identified[lane.settings.name] = now.clock.boottime_s + seconds
            _show(lane, Signal.TRY_AGAIN)
        if not free:
            return Result.FAILED, "no panel is free: none is fitted, or somebody stands at each lane"
        return Result.DONE, f"{len(free)} of {len(self._parts.lanes)} lanes blink for {seconds:g} s"

    def _diagnose(self, command: Command, now: Moment) -> Answer | None:
        return self._collecting.begin(now)

    def _restart(self, command: Command, now: Moment) -> None:
        self._wish_restart("the centre asks")

    def _rewind(self, command: Command, now: Moment) -> Answer:
        """Send a stream again from a position that is still here."""
        stream, first = command.arguments.get("stream"), command.arguments.get("from")
        try:
            head = None if self._reader is None else self._reader.heads().get(str(stream))
        except StoreError as error:
            return Result.FAILED, error.message
        if head is None:
            return Result.FAILED, "there is no such stream"
        lowest, highest = head.purged_up_to + 1, head.held_up_to + 1
        if isinstance(first, bool) or not isinstance(first, int) or not lowest <= first <= highest:
            return Result.FAILED, f"from must be {lowest}-{highest}: what is still here, and what was receipted"
        self._put(ResendAsked(head.stream, first - 1, ""))
        return Result.DONE, f"{head.stream} is sent again from {first}"

    def _renew(self, command: Command, now: Moment) -> Answer:
        """Ask the centre for its keys: a wish and no more, since what comes of it is verified as each night."""
        after_s = command.arguments.get("after_s", 0)
        if isinstance(after_s, bool) or not isinstance(after_s, int | float) or not 0 <= after_s <= MOST_RENEWAL_S:
            return Result.FAILED, f"after_s must be 0-{MOST_RENEWAL_S:g}"
        self._renew_at_s = now.clock.boottime_s + after_s
        return Result.DONE, f"asks the centre for its keys in {after_s:g} s"

    # --- what the desks need -----------------------------------------------------------------------------------------

    def _wish_restart(self, why: str) -> None:
        self._log(Priority.NOTICE, "restarting", reason=why)
        self._restart_from_s = self._parts.clock.now().clock.boottime_s

    def _wish_renewal(self) -> None:
        try:
            self._ask_for_keys()
        except OSError as error:
            self._log(Priority.WARNING, "renewal_not_asked_for", reason=error.strerror)

    def _write(self, overlays: Overlays) -> None:
        """Put settings from afar on disk, in a thread, since a slow card must not hold a lane up."""

        def work() -> None:
            try:
                trial.write(self._folder, overlays)
            except StoreError as error:
                self._put(OverlaysKept(overlays, error.message))
            else:
                self._put(OverlaysKept(overlays))

        self._start("settings", work)

    def _reply(self, reply: Reply) -> None:
        topic = reply_topic(self._parts.kiosk, reply.id)
        self._parts.uplink.say(Said(topic, messages.encode(reply), REPLY_TYP, is_owed=True))

    def _report(self, reported: Reported) -> None:
        topic = reported_topic(self._parts.kiosk)
        self._parts.uplink.say(Said(topic, messages.encode(reported), REPORTED_TYP, is_retained=True))


def _is_free(lane: Lane) -> bool:
    return lane.signal in (Signal.READY, Signal.CLOSED)


def _show(lane: Lane, signal: Signal) -> None:
    """Show a signal without the lane's knowledge: one of its own afterwards takes its place."""
    if lane.devices.panel is not None and _is_free(lane):
        lane.devices.panel.show(signal)
