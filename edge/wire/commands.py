"""What the centre asks of one kiosk, and what the kiosk answers: commands, replies, desired and reported settings.

Owns their fields. Always true: a command names one kiosk, and its counter is above that of every command before it, so
that it is followed once even by a kiosk without a clock; an answer holds nothing of a traveller, and no key.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

COMMAND_TYP = "landfall-command"
REPLY_TYP = "landfall-reply"
DESIRED_TYP = "landfall-desired"
REPORTED_TYP = "landfall-reported"

MAX_REPLY_BYTES = 48 * 1024
MAX_COMMAND_BYTES = 32 * 1024
LEAST_TRIAL_S, MOST_TRIAL_S = 1.0, 3600.0  # of desired settings
MOST_SETTINGS = 400  # that a kiosk tells; one with two lanes has some 250


class CommandName(StrEnum):
    """What a kiosk can be asked; new settings are not asked but desired."""

    IDENTIFY = "identify"  # blink and beep, so that somebody finds it; {seconds}
    DIAGNOSTICS = "diagnostics"  # say how it is, at more length than health does
    RESTART = "restart"  # end the daemon, which systemd starts again
    REWIND = "rewind"  # send a stream again from a position; {stream, from}
    RENEW = "renew"  # ask the centre for its keys as each night, in so many seconds; {after_s}


class Result(StrEnum):
    """What came of a command."""

    DONE = "done"
    REFUSED = "refused"  # it was not begun
    FAILED = "failed"


class Command(msgspec.Struct, frozen=True, omit_defaults=True):
    """The centre's order to one kiosk.

    `counter` grows with every command to this kiosk. After `expires_at` it is not followed by a kiosk that knows the
    time; one that does not goes by the counter, and by the time of the last receipt that it followed.
    """

    id: str
    kiosk: str
    name: str
    counter: int
    at: str
    expires_at: str
    arguments: dict[str, Any] = {}


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The kiosk's answer to a command, or to desired settings; `id` is theirs."""

    id: str
    kiosk: str
    result: Result
    at: str
    detail: str = ""
    content: dict[str, Any] = {}


class Desired(msgspec.Struct, frozen=True, omit_defaults=True):
    """Settings that the centre wants in force, on top of the kiosk's own file; retained.

    `revision` grows with each. They replace what was desired before as a whole; empty ones bring the file back. The
    kiosk tries them for `trial_s`, and returns to what was in force if it does not reach the centre with them.
    """

    id: str
    kiosk: str
    revision: int
    at: str
    trial_s: float
    settings: dict[str, Any] = {}


class SettingInForce(msgspec.Struct, frozen=True):
    """One setting, by its key in kiosk.toml with lanes and readers under their names, as TOML spells its value.

    `default` is None for a setting that must be given.
    """

    key: str
    value: str
    default: str | None


class Reported(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which settings a kiosk runs with; retained. `revision`, `state` and `detail` tell what came of the last desired.

    `settings` are those that the centre has put on top of the file, `settings_sha256` is the digest of the whole.
    `in_force` is the whole without what stays on the kiosk: paths, and every other text of free form.
    """

    kiosk: str
    at: str
    version: str
    settings_sha256: str
    state: str
    id: str = ""
    revision: int = 0
    detail: str = ""
    settings: dict[str, Any] = {}
    in_force: tuple[SettingInForce, ...] = ()
