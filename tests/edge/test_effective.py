"""What a kiosk tells of its settings, and what it keeps to itself."""

from __future__ import annotations

import msgspec

from edge.effective import in_force
from edge.wire.commands import MAX_REPLY_BYTES, MOST_SETTINGS
from tests.edge.test_config import LEAST, parsed, with_line

FULL = """
[kiosk]
site = "utopia"
name = "lane-1"

[[lanes]]
name = "left"
scenario = "/SECRET/scenario.toml"
policy = { show_s = 3 }
camera = { driver = "picamera2", python = "/SECRET/python3" }
readers = [{ name = "passport", path = "/dev/serial/by-id/SECRET", baud = 115200 }]

[documents]
trust_list = "/SECRET/trust.json"

[store]
path = "/SECRET/cache.db"
keep_receipted_h = 24

[keys]
record = "/SECRET/record.jwk"
opening = "/SECRET/opening.jwk"
receipt = ["/SECRET/receipt.jwk"]

[uplink]
host = "broker.example"
ca = "/SECRET/ca.pem"
certificate = "/SECRET/kiosk.pem"
key = "/SECRET/kiosk.key"

[control]
socket = "/SECRET/control.sock"
"""


def told(text: str) -> dict[str, tuple[str, str | None]]:
    return {one.key: (one.value, one.default) for one in in_force(parsed(text))}


def test_settings_are_told_by_their_keys_with_their_defaults() -> None:
    found = told(FULL)
    assert found["lanes.left.policy.show_s"] == ("3.0", "2.0")
    assert found["lanes.left.readers.passport.baud"] == ("115200", "9600")
    assert found["lanes.left.policy.required"] == ('["travel_document"]', '["travel_document"]')
    assert found["uplink.host"] == ('"broker.example"', None)
    assert found["clock.not_before"] == ('"2026-01-01"', '"2026-01-01"')


def test_no_path_and_no_text_of_free_form_is_told() -> None:
    assert "SECRET" not in msgspec.json.encode(in_force(parsed(FULL))).decode()
    free = {"path", "scenario", "python", "trust_list", "record", "opening", "receipt", "ca", "certificate", "socket"}
    assert free.isdisjoint(key.rpartition(".")[2] for key in told(FULL))


def test_of_very_many_settings_those_are_told_that_differ_and_the_report_stays_small() -> None:
    names = [f"reader-{number:02d}" for number in range(60)]
    readers = ", ".join(f'{{ name = "{name}", driver = "simulated", baud = 115200 }}' for name in names)
    found = in_force(parsed(with_line("lanes", f"readers = [{readers}]", LEAST)))
    assert len(found) == MOST_SETTINGS
    assert {f"lanes.left.readers.{name}.baud" for name in names} <= {one.key for one in found}
    assert len(msgspec.json.encode(found)) < MAX_REPLY_BYTES
