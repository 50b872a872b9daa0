"""kiosk.toml: what is taken, and what a technician is told."""

from __future__ import annotations

from pathlib import Path

from edge.config import Settings, parse

LEAST = """
[kiosk]
site = "utopia"
name = "lane-1"

[[lanes]]
name = "left"

[store]
keep_receipted_h = 24

[keys]
record = "record.jwk"
opening = "opening.jwk"
receipt = ["receipt.jwk"]

[uplink]
host = "broker.example"
ca = "ca.pem"
certificate = "kiosk.pem"
key = "kiosk.key"
"""


def parsed(text: str = LEAST, **environment: str) -> Settings:
    """Parse a settings file that would lie in /etc/landfall."""
    return parse(text, file="kiosk.toml", folder=Path("/etc/landfall"), environment=environment)


def test_a_file_with_only_what_has_no_default_is_enough() -> None:
    settings = parsed()
    assert settings.lanes[0].policy.required == ("travel_document",)
    assert settings.lanes[0].policy.optional == ()
    assert settings.uplink.port == 8883
