"""What each field of the contract means, for the JSON Schemas: a sentence, and what its values look like.

Owns words and forms that the types do not check, so that a reader that follows the schemas knows more than a decoder
insists on. Always true: every field of every type stands here, and nothing else does; a test walks both.
"""

from __future__ import annotations

from typing import Any

_NAME = "[a-z0-9][a-z0-9-]{0,31}"
_HASH = "[0-9a-f]{64}"


def _field(description: str, **form: Any) -> dict[str, Any]:
    return {"description": description, **form}


def _uuid7(of: str) -> dict[str, Any]:
    return _field(f"UUIDv7 (RFC 9562) of {of}.", format="uuid")


def _time(of: str) -> dict[str, Any]:
    form = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$"
    return _field(f"{of}, RFC 3339 in UTC.", format="date-time", pattern=form)


def _hash(of: str) -> dict[str, Any]:
    return _field(f"SHA-256 of {of}, 64 lower case hexadecimal digits.", pattern=f"^{_HASH}$")


def _hash_or_nothing(of: str, when: str) -> dict[str, Any]:
    return _field(f"SHA-256 of {of}, or empty {when}.", pattern=f"^({_HASH})?$")


_KIOSK = _field("`<site>/<kiosk>`, as in the client certificate's name.", pattern=f"^{_NAME}/{_NAME}$")
_EPOCH = _field(
    "Random name of one life of the store; new whenever a store was made or found rolled back.", minLength=1
)
_STREAM = _field("Name of the stream.", enum=["crossing", "audit", "evidence"])
_POSITION = _field("Where the record stands; the envelope claims the same, and the centre compares.")
_CLOCK = _field("How far `at` can be trusted.")
_VERSION = _field("Version of the kiosk's software.")
_BOOT_ID = _field("The kernel's random id of this boot.", format="uuid")

_SINCE_S = _field("Since when, in seconds of CLOCK_BOOTTIME.", minimum=0)
_COUNT = {"minimum": 0}
_NOW = "`under_voltage`, `frequency_capped`, `throttled` and `soft_temperature_limit`, as the board's firmware says"

MEANINGS: dict[str, dict[str, dict[str, Any]]] = {
    "Position": {
        "kiosk": _KIOSK,
        "epoch": _EPOCH,
        "stream": _STREAM,
        "sequence": _field("Counts from 1, once on each store, without a gap and across epochs.", minimum=1),
    },
    "Clock": {
        "state": _field(
            "synchronised: a time source vouches for it; holdover: it did, or a battery did; unset: nobody."
        ),
        "error_bound_s": _field("Largest error of `at` in seconds, or null where it is not known.", minimum=0),
        "boot_id": _BOOT_ID,
        "boottime_s": _field("CLOCK_BOOTTIME in seconds, by which records of one boot can be dated later.", minimum=0),
    },
    "Verdict": {
        "check": _field("Name of the check, as the standard calls what it checks."),
        "result": _field("ok, failed, doubtful (the reading may be wrong), or not_done (and `detail` says why)."),
        "detail": _field("Why, in a few words; names fields and positions, never values."),
    },
    "ReadDocument": {
        "source": _field("The standard or the way by which the document was read."),
        "kind": _field(
            "The standard's own name of the form, such as TD3, MRV-A or BCBP; `unknown` if none knew it. Keyed in: TD, "
            "MRV, or `none` for a person without any document."
        ),
        "reader": _field("Name of the reader in the kiosk's settings, or `keyed` for what an officer typed."),
        "fields": _field(
            "What the document says, under the standard's names; dates are RFC 3339 full-dates, or EDTF with X for "
            "digits that the document leaves open. What could not be read is left out."
        ),
        "verdicts": _field("One verdict for each check; there is no overall result on purpose."),
    },
    "Conveyance": {
        "kind": _field("What the traveller comes or goes by."),
        "number": _field("Flight number with its IATA carrier, a ship's IMO number, or a vehicle's registration."),
        "name": _field("Name of the vessel, or of the line that a vehicle serves."),
        "date": _field("Day of the flight, RFC 3339 full-date."),
        "seat": _field("Seat number as on the boarding pass."),
    },
    "Photo": {
        "sha256": _field("SHA-256 of the JPEG, 64 lower case hexadecimal digits.", pattern=f"^{_HASH}$"),
        "evidence_sequence": _field("Sequence of the photo's record in the evidence stream of the same epoch."),
        "absent": _field("Why there is no photo."),
        "quality": _field(
            "What was not right with the photo, worst first: nobody_there, one_person_please (more than one), closer, "
            "farther, backlight, too_dark, too_bright, look_at_camera, hold_still; it is kept all the same. Empty: "
            "nothing. Left out: nobody looked."
        ),
    },
    "Outcome": {
        "result": _field("passed, or referred to an officer; a machine never refuses a person."),
        "by": _field("Whether the lane's rules or an officer said so."),
        "reasons": _field("Why the rules refer, such as `mrz.date_of_expiry_failed` or `travel_document_missing`."),
        "officer": _field("Service number of the officer who decided or keyed the document in; never a name."),
    },
    "Crossing": {
        "id": _uuid7("the crossing"),
        "kiosk": _KIOSK,
        "site": _field("First part of `kiosk`.", pattern=f"^{_NAME}$"),
        "position": _POSITION,
        "direction": _field("Which way the person crosses, seen from the state whose post this is."),
        "lane": _field("desk: an officer sits there; self_service: the traveller scans alone."),
        "at": _time("When the outcome was decided; of a paper form, when it was keyed in"),
        "clock": _CLOCK,
        "documents": _field("Every document that was shown, in the order of reading."),
        "conveyance": _field("Flight, vessel or vehicle as far as it is known, or null."),
        "group": _field("UUIDv7 that people who travel together share, or null."),
        "photo": _field("The photo, or why there is none."),
        "outcome": _field("What came of it."),
        "training": _field("Practice: never counted, never mixed with real crossings."),
        "written_at": _field(
            "Only of a paper form: the time that stands on it, RFC 3339 in UTC; whoever wrote it vouches for it.",
            pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$",
        ),
    },
    "Amendment": {
        "id": _uuid7("the amendment"),
        "kiosk": _KIOSK,
        "position": _POSITION,
        "at": _time("When it was made"),
        "clock": _CLOCK,
        "amends": _field("UUIDv7 of the record that is amended; for a clock, the boot's id.", format="uuid"),
        "kind": _field("void: it does not count; decision: an officer's, after a referral; clock: when a boot was."),
        "detail": _field(
            "What is said instead; for a void `{reason, officer}`, the reason `recorded_too_late` (it was shown to "
            "nobody, and a paper form tells of the traveller) or an officer's: entered_twice, wrong_person, "
            "wrong_direction, turned_back, test, other; for a decision `{result: passed | referred, by: officer, "
            "officer}`, the last of these a service number where one was given; for a clock `{boot_id, "
            "at_boottime_0: [earliest, latest]}`, two RFC 3339 times or null where nothing is known: the time of a "
            "record of that boot lies between them, the record's `boottime_s` added to both."
        ),
    },
    "Evidence": {
        "id": _uuid7("the photo's record"),
        "kiosk": _KIOSK,
        "position": _POSITION,
        "crossing": _uuid7("the crossing it belongs to"),
        "at": _time("`at` of that crossing"),
        "media_type": _field("Media type of `content`."),
        "sha256": _hash("the decoded content"),
        "content": _field("The photo, base64."),
    },
    "AuditEvent": {
        "id": _uuid7("the event"),
        "kiosk": _KIOSK,
        "position": _POSITION,
        "at": _time("When it happened"),
        "clock": _CLOCK,
        "event": _field("What happened, such as kiosk_started, case_opened or record_set_aside.", pattern="^[a-z_]+$"),
        "detail": _field("Names and figures of the machine; nothing of a traveller."),
    },
    "EpochStart": {
        "id": _uuid7("the record"),
        "kiosk": _KIOSK,
        "position": _POSITION,
        "at": _time("When the epoch began"),
        "previous_epoch": _field("The epoch before, or empty on a new store."),
        "last_sequence": _field("Sequence of the stream's record before this one, or 0.", minimum=0),
        "last_hash": _hash_or_nothing("that record's envelope", "where there is none"),
        "reason": _field("Why the epoch before it ended."),
    },
    "Record": {
        "specversion": _field("Version of CloudEvents.", const="1.0"),
        "id": _uuid7("the letter; not signed here, the letter repeats it"),
        "source": _field("`/<site>/<kiosk>`.", pattern=f"^/{_NAME}/{_NAME}$", format="uri-reference"),
        "type": _field("What the letter is.", pattern=r"^org\.landfall\.[a-z]+\.v1$"),
        "time": _time("`at` of the letter; not signed here"),
        "sequence": _field("Sequence of the position, as text (CloudEvents extension).", pattern="^[1-9][0-9]*$"),
        "datacontenttype": _field("Media type of `data`.", const="application/jose"),
        "signature": _field(
            "The envelope: JWS compact (RFC 7515), alg Ed25519, typ landfall-record, over the claims.",
            pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
        ),
        "data": _field(
            "The letter: JWE compact (RFC 7516), ECDH-ES on X25519 and A256GCM, to the centre; absent in a tombstone.",
            pattern=r"^([A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)?$",
        ),
    },
    "Claims": {
        "kiosk": _KIOSK,
        "epoch": _EPOCH,
        "stream": _STREAM,
        "sequence": _field("Counts from 1 without a gap.", minimum=1),
        "prev": _hash_or_nothing("the envelope before this one in the stream", "where there is none"),
        "type": _field("`type` of the record.", pattern=r"^org\.landfall\.[a-z]+\.v1$"),
        "sha256": _hash("the letter's ASCII; of nothing in a tombstone"),
        "replaces": _hash_or_nothing("the envelope that a tombstone stands for", "where it is not known"),
        "reason": _field("Why a tombstone stands here; else absent."),
    },
    "Receipt": {
        "kiosk": _KIOSK,
        "stream": _STREAM,
        "epoch": _field("Epoch of the record at `held_up_to`.", minLength=1),
        "held_up_to": _field("Last sequence of the contiguous, verified prefix that is committed.", minimum=0),
        "hash_at": _hash_or_nothing("the envelope at that sequence", "when nothing is held"),
        "generation": _field("Grows, as text, whenever the centre's database was restored.", minLength=1),
        "at": _time("When the centre said so"),
        "forked": _field("True when the centre holds two records at one position: release nothing of this epoch."),
    },
    "Resend": {
        "kiosk": _KIOSK,
        "stream": _STREAM,
        "epoch": _EPOCH,
        "from": _field("First sequence to send again.", minimum=1),
        "generation": _field("Generation of the centre that asks.", minLength=1),
        "at": _time("Grows with each request; an older one is not followed"),
    },
    "Export": {
        "kiosk": _KIOSK,
        "stream": _STREAM,
        "from": _field("Sequence of the first record that follows.", minimum=1),
        "to": _field("Sequence of the last one.", minimum=1),
        "at": _time("When the file was written"),
    },
    "Command": {
        "id": _uuid7("the command"),
        "kiosk": _KIOSK,
        "name": _field("Also in the topic: identify, diagnostics, restart, rewind, renew; others are refused."),
        "counter": _field("Above that of every command to this kiosk before.", minimum=1),
        "at": _time("When it was given"),
        "expires_at": _time("After this it is not followed any more"),
        "arguments": _field("For identify `{seconds}`, for rewind `{stream, from}`, for renew `{after_s}`."),
    },
    "Reply": {
        "id": _field("Id of the command or of the desired settings.", format="uuid"),
        "kiosk": _KIOSK,
        "result": _field("refused: it was not begun; failed: it was, and did not come to its end."),
        "at": _time("When the kiosk said so"),
        "detail": _field("In a sentence, what came of it; nothing of a traveller."),
        "content": _field("What was asked for, of diagnostics: health, checks and lines of the kernel's log."),
    },
    "Desired": {
        "id": _uuid7("these settings"),
        "kiosk": _KIOSK,
        "revision": _field("Above that of all settings that were desired before.", minimum=1),
        "at": _time("When they were given"),
        "trial_s": _field("Within so many seconds the kiosk must reach the centre with them.", minimum=1),
        "settings": _field("As in kiosk.toml; lanes as an object by their names. Only what may be set from afar."),
    },
    "Reported": {
        "kiosk": _KIOSK,
        "at": _time("When the kiosk said so"),
        "version": _VERSION,
        "settings_sha256": _hash("the settings that are in force, as in health"),
        "state": _field(
            "What came of the last desired settings; local: none were ever desired.",
            enum=["local", "trial", "settled", "rolled_back", "refused"],
        ),
        "id": _field("Their id, or empty."),
        "revision": _field("Their revision, or 0.", minimum=0),
        "detail": _field("Why they were refused or rolled back."),
        "settings": _field("Desired settings that are in force."),
        "in_force": _field("Every setting that may leave the kiosk; no path, and no other text of free form."),
    },
    "SettingInForce": {
        "key": _field("As in kiosk.toml; lanes and readers stand in it under their names."),
        "value": _field("As TOML spells it."),
        "default": _field("What it is when kiosk.toml does not say; null: it must be given."),
    },
    "StreamHead": {
        "epoch": _EPOCH,
        "next_sequence": _field("Sequence of the record that comes next.", minimum=1),
        "hash": _hash_or_nothing("the last envelope", "where there is none"),
        "held_up_to": _field("How far the kiosk has receipts.", minimum=0),
    },
    "Status": {
        "kiosk": _KIOSK,
        "state": _field(
            "online: the kiosk's birth; offline: its farewell, or the last will.", enum=["online", "offline"]
        ),
        "connection": _field("Random id of the message.", format="uuid"),
        "boot_id": _BOOT_ID,
        "version": _VERSION,
        "at": _time("When it was written; a last will is written before the connection"),
        "streams": _field("Head of every stream, in a birth."),
        "opening_key": _field("Id of the centre's key to which letters are sealed: thumbprint (RFC 7638)."),
        "receipt_keys": _field("Ids of the centre's keys whose receipts and commands are believed."),
    },
    "Health": {
        "kiosk": _KIOSK,
        "at": _time("When the figures were taken"),
        "boot_id": _BOOT_ID,
        "version": _VERSION,
        "devices": _field("State of every lane and device by its name in the settings."),
        "queue": _field("Figures of every stream by its name."),
        "uplink": _field("The connection to the broker."),
        "store": _field("The local cache."),
        "clock": _field("As in a crossing."),
        "keys": _field("Key ids, and until when the certificates are good."),
        "machine": _field("The board and its card."),
        "settings_sha256": _hash("the settings that are in force, as canonical JSON (RFC 8785), without the folder"),
    },
    "DeviceHealth": {
        "state": _field("starting, ready or lost; of a lane `lane` and its state."),
        "signal": _field("What a lane shows."),
        "guidance": _field("What a lane asks of the traveller who is being photographed."),
        "since_s": _SINCE_S,
        "error": _field("Why the device was lost last; of one that is ready again, too."),
        "losses": _field("How often it was lost since the start of the daemon.", **_COUNT),
        "case": _field("Of a panel with a tamper switch: whether the case is open.", enum=["open", "closed"]),
        "door": _field(
            "Of a panel with a door contact; forced: opened without a pass, held_open: open for too long.",
            enum=["closed", "open", "forced", "held_open"],
        ),
    },
    "StreamHealth": {
        "unreceipted": _field("Records that await their receipt.", **_COUNT),
        "kept": _field("Records that are on the kiosk, released or not.", **_COUNT),
        "bytes": _field("Bytes of those.", **_COUNT),
        "epoch": _EPOCH,
        "next_sequence": _field("Sequence of the record that comes next.", minimum=1),
        "hash": _hash_or_nothing("the last envelope", "where there is none"),
        "held_up_to": _field("How far the centre's receipts go.", **_COUNT),
        "oldest_at": _time("`time` of the oldest record that awaits its receipt"),
    },
    "UplinkHealth": {
        "state": _field("Whether there is a connection.", enum=["connected", "disconnected"]),
        "since_s": _SINCE_S,
        "reason": _field("Why it is as it is."),
        "connections": _field("How many there were since the start of the daemon.", **_COUNT),
        "last_receipt_at": _field("When the last receipt came that released something; empty or missing: none."),
        "troubles": _field(
            "What came and was not followed, or was refused by the broker, and how often since the start.",
            additionalProperties={"type": "integer", "minimum": 1},
        ),
    },
    "StoreHealth": {
        "state": _field(
            "no_photos: crossings go on without them, since room is short; full: lanes are closed, since only the "
            "reserve is left; closed: the disk takes nothing.",
            enum=["ready", "no_photos", "full", "closed"],
        ),
        "error": _field("Why it is closed."),
        "free_bytes": _field("Room for records on the disk and inside the store.", **_COUNT),
        "tombstones": _field("Records set aside since the start of the daemon.", **_COUNT),
        "damaged_files": _field("Damaged stores that a salvage has put aside and nobody has taken away yet.", **_COUNT),
        "sync_p95_ms": _field("Of the last commits, the time that 95 in 100 stayed below, sync included.", **_COUNT),
        "hours_left": _field("For how many hours there is room, at the pace of the last days.", **_COUNT),
    },
    "ClockHealth": {
        "state": _field("As in a crossing.", enum=["synchronised", "holdover", "unset"]),
        "error_bound_s": _field("Largest error in seconds, or null where it is not known.", **_COUNT),
        "boottime_s": _field("CLOCK_BOOTTIME in seconds at `at`, from which `since_s` counts back.", **_COUNT),
    },
    "KeysHealth": {
        "certificate_expires_at": _time("Until when this kiosk's certificate is good"),
        "certificate_serial": _field("Serial number of that certificate, hexadecimal.", pattern="^[0-9a-f]+$"),
        "authority_expires_at": _time("Until when the authority's certificate is good that vouches for the broker"),
        "record_key": _field("Key id of the key that signs records."),
        "opening_key": _field("Key id of the centre's key to which records are sealed."),
        "receipt_keys": _field("Key ids of the centre's keys whose receipts and commands are followed."),
    },
    "MachineHealth": {
        "model": _field("The board, as its device tree calls it."),
        "cpu_celsius": _field("Temperature of the processor."),
        "throttled": _field(f"What holds the board back now: {_NOW}."),
        "throttled_since_boot": _field("The same words, for what has happened since the boot."),
        "memory_bytes": _field("Memory of the machine.", **_COUNT),
        "memory_free_bytes": _field("What is available of it without swapping.", **_COUNT),
        "daemon_bytes": _field("What the daemon itself has of it.", **_COUNT),
        "disk_bytes": _field("Size of the file system that holds the store.", **_COUNT),
        "disk_free_bytes": _field("What it has left.", **_COUNT),
        "card_life_used_percent": _field("How much of its life the card says it has spent, in steps of ten.", **_COUNT),
        "card_end_of_life": _field("What the card says of its spare blocks.", enum=["normal", "warning", "urgent"]),
        "uptime_s": _field("Since the boot.", **_COUNT),
        "boots": _field("How many boots this store has seen.", minimum=1),
        "last_end": _field(
            "How the boot before this one ended; interrupted: power cut, crash or the button.",
            enum=["clean", "interrupted", "watchdog"],
        ),
    },
}

# What holds for a whole object and no field alone can say.
WHOLE: dict[str, dict[str, Any]] = {
    "Photo": {
        "oneOf": [
            {"required": ["sha256", "evidence_sequence"], "properties": {"evidence_sequence": {"minimum": 1}}},
            {"required": ["absent"]},
        ]
    },
}
