"""What can be wrong, and the words for it: one sentence what it is, one sentence what to do.

Owns the list of codes, their severity and their sentences. Always true: every code has both sentences; they are for
somebody who has never seen the fault and stands before it at night; what is filled in are names of devices and figures.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple


class Severity(IntEnum):
    """How bad it is; the worst comes first."""

    CRITICAL = 0  # a lane stands still, records are in danger, or somebody tampers
    WARNING = 1  # it will become critical if nobody comes
    NOTICE = 2  # worth knowing

    @property
    def word(self) -> str:
        """Return how tables, messages and metrics name it."""
        return self.name.lower()


class Code(StrEnum):
    """What can be wrong with a kiosk, a site or the centre; the order is that of urgency within a severity."""

    TAMPER = "tamper"
    DOOR_FORCED = "door_forced"
    FORK = "fork"
    SETTINGS_ROLLED_BACK = "settings_rolled_back"
    ROLLED_BACK = "rolled_back"
    CUT_TAIL = "cut_tail"
    STORE_CLOSED = "store_closed"
    DISK_FULL = "disk_full"
    SITE_SILENT = "site_silent"
    OFFLINE = "offline"
    SILENT = "silent"
    LANE_CLOSED = "lane_closed"
    DEVICE_LOST = "device_lost"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CARD_WORN_OUT = "card_worn_out"
    QUEUE_FULL_SOON = "queue_full_soon"
    DISK_SHORT = "disk_short"
    QUEUE_OLD = "queue_old"
    QUEUE_GROWING = "queue_growing"
    GAP = "gap"
    TOMBSTONE = "tombstone"
    QUARANTINE = "quarantine"
    STORE_DAMAGED = "store_damaged"
    DOOR_HELD_OPEN = "door_held_open"
    UNDER_VOLTAGE = "under_voltage"
    OVERHEATING = "overheating"
    CLOCK_UNSET = "clock_unset"
    CLOCK_OFF = "clock_off"
    CLOCK_STOPPED = "clock_stopped"
    CERTIFICATE_EXPIRES = "certificate_expires"
    CARD_WORN = "card_worn"
    REFUSED = "refused"
    HEALTH_SPOILED = "health_spoiled"
    FLOOD = "flood"
    TOO_MANY_EPOCHS = "too_many_epochs"
    CENTRE_RESTORED = "centre_restored"
    INTERRUPTED = "interrupted"
    NEW_EPOCH = "new_epoch"
    NEVER_HEARD = "never_heard"
    VERSION_BEHIND = "version_behind"
    UPLINK_TROUBLE = "uplink_trouble"
    WAS_UNDER_VOLTAGE = "was_under_voltage"
    # The centre's own.
    DATABASE_FULL = "database_full"
    RECEIPTS_LATE = "receipts_late"
    NOBODY_WATCHES = "nobody_watches"
    BROKER_LOST = "broker_lost"
    NOT_TOLD = "not_told"
    BACKUP_OLD = "backup_old"
    DATABASE_SHORT = "database_short"


class Words(NamedTuple):
    """How bad a code is, and its two sentences; `{subject}` and `{value}` are filled in."""

    severity: Severity
    what: str
    remedy: str


_C, _W, _N = Severity

WORDS: dict[Code, Words] = {
    Code.TAMPER: Words(
        _C,
        "The case of {subject} is open, or was opened.",
        "Ask the post who opened it; if nobody was to, take the kiosk out of use, keep it as it is and call security.",
    ),
    Code.DOOR_FORCED: Words(
        _C,
        "The door or gate at {subject} was forced.",
        "Call the officer on duty at the post at once and look at the crossings of that time.",
    ),
    Code.FORK: Words(
        _C,
        "Two different records claim the same place of this kiosk's chain ({value}): its card was copied or put back.",
        "Find out which machine is the real one and take the other off the network; both histories are kept, "
        "and nobody deletes anything.",
    ),
    Code.SETTINGS_ROLLED_BACK: Words(
        _C,
        "The kiosk was offered settings that are older than the ones it runs.",
        "Find out who published them; if it was nobody of yours, change the keys that sign settings.",
    ),
    Code.ROLLED_BACK: Words(
        _C,
        "The kiosk's store was put back to an earlier state: the centre holds more than the kiosk remembers.",
        "Ask who changed or restored its card; if nobody did, treat it as tampering.",
    ),
    Code.CUT_TAIL: Words(
        _C,
        "The kiosk's last epoch ended in another record than the centre holds.",
        "Keep the kiosk's card as it is and have both ends compared: `landfall queue verify` there, "
        "`landfall-central status` here.",
    ),
    Code.STORE_CLOSED: Words(
        _C,
        "The kiosk can store no crossing, so its lanes are closed and on paper.",
        "Have the kiosk restarted; if that does not help, have its card or disk replaced and keep the old one, "
        "since it may hold crossings.",
    ),
    Code.DISK_FULL: Words(
        _C,
        "The kiosk's disk is full: its lanes are closed and on paper.",
        "Bring back its connection so that it can hand over, or carry its records on a stick: `landfall queue export`.",
    ),
    Code.SITE_SILENT: Words(
        _C,
        "Most kiosks of this site fell silent together ({value}).",
        "Ask the site for its power and its router or line first; the kiosks go on without the centre.",
    ),
    Code.OFFLINE: Words(
        _C,
        "The kiosk is not connected: it said goodbye, or the broker lost it.",
        "Ask the post whether it has power and whether its network works; crossings are kept on it and come later.",
    ),
    Code.SILENT: Words(
        _C,
        "The kiosk is said to be connected, but has told nothing of itself since {value}.",
        "Have it restarted if the lane stands still; otherwise look at the line: it may be too slow or one-way.",
    ),
    Code.LANE_CLOSED: Words(
        _C,
        "Lane {subject} is closed and works on paper.",
        "Look at what else is wrong with this kiosk: the lane opens by itself when its store takes crossings again.",
    ),
    Code.DEVICE_LOST: Words(
        _C,
        "The kiosk has lost {subject}.",
        "Have the post check plug, cable and power of {subject}; it is found again by itself, without a restart.",
    ),
    Code.CERTIFICATE_EXPIRED: Words(
        _C,
        "The certificate with which kiosk and broker know each other is no longer good (until {value}).",
        "Issue a new one and install it at the kiosk; until then its crossings stay on it.",
    ),
    Code.CARD_WORN_OUT: Words(
        _C,
        "The kiosk's memory card is at the end of its life.",
        "Replace the card now: let the kiosk hand over everything first, then set up the new card.",
    ),
    Code.QUEUE_FULL_SOON: Words(
        _C,
        "The kiosk has room for {value} more of crossings that nobody takes from it.",
        "Bring back its connection, or carry its records on a stick before then: `landfall queue export`.",
    ),
    Code.DISK_SHORT: Words(
        _W,
        "The kiosk's disk is short of room: crossings are recorded without photos.",
        "Bring back its connection so that it can hand over; if it is connected, look for other files on its disk.",
    ),
    Code.QUEUE_OLD: Words(
        _W,
        "The kiosk's oldest record has waited {value} for its receipt.",
        "If other kiosks wait too, look at the collectors; if only this one, look at its line.",
    ),
    Code.QUEUE_GROWING: Words(
        _W,
        "More waits at the kiosk than goes out: {value}.",
        "Look at its line: it is slower than the lane; photos may be given up to save it.",
    ),
    Code.GAP: Words(
        _W,
        "Records are missing in stream {subject} and have been asked for {value}.",
        "Wait while the kiosk is connected: it sends them again; if that lasts a day, "
        "have `landfall queue verify` run there.",
    ),
    Code.TOMBSTONE: Words(
        _W,
        "The kiosk could no longer read records of stream {subject} ({value}) and says so.",
        "Have its card checked and replaced; what can be read of it may be salvaged.",
    ),
    Code.QUARANTINE: Words(
        _W,
        "Records of stream {subject} are well signed but cannot be read ({value}).",
        "They are kept: `landfall-central set-aside list` names the key, `set-aside retry` opens them with it.",
    ),
    Code.STORE_DAMAGED: Words(
        _W,
        "The kiosk's store was damaged and salvaged; {value} damaged files lie beside it.",
        "Have the card replaced soon, and the damaged files taken along for a second look.",
    ),
    Code.DOOR_HELD_OPEN: Words(
        _W,
        "The door or gate at {subject} has stood open for too long.",
        "Have the officer at the post close it; if it is closed, have its contact and cable checked.",
    ),
    Code.UNDER_VOLTAGE: Words(
        _W,
        "The kiosk gets too little voltage now, and may restart at any moment.",
        "Have the power supply and its cable replaced by ones made for this board.",
    ),
    Code.OVERHEATING: Words(
        _W,
        "The kiosk is too hot ({value}).",
        "Have its fan and air slots cleaned and the sun kept off; it slows down to protect itself.",
    ),
    Code.CLOCK_UNSET: Words(
        _W,
        "The kiosk does not know the time: checks that need the date are not done.",
        "Have it reach a time server; until then documents are not checked for expiry, and crossings are dated later.",
    ),
    Code.CLOCK_OFF: Words(
        _W,
        "The kiosk's clock is {value} away from the centre's.",
        "Check its time server, and this machine's; crossings carry the wrong time until then.",
    ),
    Code.CLOCK_STOPPED: Words(
        _W,
        "The kiosk's clock stands still: its messages come with the same time.",
        "Have the kiosk restarted; if it comes again, have the board replaced.",
    ),
    Code.CERTIFICATE_EXPIRES: Words(
        _W,
        "The kiosk's certificate is good until {value} only.",
        "Renew it before then: without it no record leaves the kiosk.",
    ),
    Code.CARD_WORN: Words(
        _W,
        "The kiosk's memory card has spent {value} of its life.",
        "Plan its replacement at the next visit.",
    ),
    Code.REFUSED: Words(
        _W,
        "Messages came in this kiosk's name that it cannot have signed ({value}).",
        "If it was set up anew, register its new key; if not, somebody uses its certificate: revoke that.",
    ),
    Code.HEALTH_SPOILED: Words(
        _W,
        "What the kiosk tells of itself is partly of no use ({value}).",
        "Compare its version with the others'; if it is the same, have its card checked.",
    ),
    Code.FLOOD: Words(
        _W,
        "The kiosk tells of itself far more often than agreed ({value}); only the newest is taken.",
        "Have it restarted; if it goes on, take it off the network and look at it: it may not be yours any more.",
    ),
    Code.TOO_MANY_EPOCHS: Words(
        _W,
        "The kiosk begins new epochs again and again ({value}); further ones are set aside.",
        "Have its card checked: a store that is new at each start loses crossings; or it may not be yours any more.",
    ),
    Code.CENTRE_RESTORED: Words(
        _W,
        "The kiosk says it has receipts for more than the centre's database holds: perhaps it was put back.",
        "Wait: the kiosk was asked to send again; if it no longer has the records, compare with the backup's date.",
    ),
    Code.INTERRUPTED: Words(
        _N,
        "The kiosk's last run ended without a stop ({value}).",
        "If that happens often, ask the post for power cuts and whether somebody pulls the plug.",
    ),
    Code.NEW_EPOCH: Words(
        _N,
        "The kiosk began a new epoch ({value}).",
        "Nothing to do if it was serviced; otherwise ask what happened to its card.",
    ),
    Code.NEVER_HEARD: Words(
        _N,
        "The kiosk is registered, but was never heard of.",
        "Finish setting it up, or revoke its key if it will never come.",
    ),
    Code.VERSION_BEHIND: Words(
        _N,
        "The kiosk runs version {value}, behind most of the fleet.",
        "Bring it up to date at the next opportunity.",
    ),
    Code.UPLINK_TROUBLE: Words(
        _N,
        "Since its start the kiosk was sent things that it did not follow ({value}).",
        "A few are harmless; if they grow, check who else may publish at the broker, and whether keys were changed.",
    ),
    Code.WAS_UNDER_VOLTAGE: Words(
        _N,
        "The kiosk has had too little voltage since its start.",
        "Have the power supply checked at the next visit.",
    ),
    Code.DATABASE_FULL: Words(
        _C,
        "The disk of the centre's database is full ({value} left): nothing can be stored.",
        "Make room or enlarge the disk at once; kiosks keep everything and send again.",
    ),
    Code.RECEIPTS_LATE: Words(
        _C,
        "Connected kiosks wait {value} for their receipts: the collectors do not keep up, or do not run.",
        "Look at `systemctl status landfall-collector` and at the database; kiosks keep everything until then.",
    ),
    Code.NOBODY_WATCHES: Words(
        _C,
        "No watcher has reported since {value}: what is shown is old, and nobody is alerted.",
        "Start it: `systemctl restart landfall-watch`, and look at its journal.",
    ),
    Code.BROKER_LOST: Words(
        _C,
        "The watcher has no connection to the broker: nobody knows how the kiosks do.",
        "Look at `systemctl status mosquitto`, its certificate, and the line to it; kiosks keep everything meanwhile.",
    ),
    Code.NOT_TOLD: Words(
        _W,
        "Notifications cannot be delivered ({value}).",
        "Check the address, the password and the network of that channel in central.toml.",
    ),
    Code.BACKUP_OLD: Words(
        _W,
        "The centre's database was last backed up: {value}.",
        "Run `landfall-central backup` and find out why it did not run by itself; "
        "kiosks release records in the belief that there is one.",
    ),
    Code.DATABASE_SHORT: Words(
        _W,
        "The disk of the centre's database has {value} left.",
        "Make room or enlarge the disk before it is full.",
    ),
}
