"""Topic names of the contract, below `landfall/v1/<site>/<kiosk>/` (MQTT 5, QoS 1).

Owns how a topic is spelt and taken apart. Always true: a topic carries names of places and machines, never of people.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from edge.errors import ContractError

PREFIX = "landfall/v1"
MAX_KIOSK_ID = 64  # RFC 5280, ub-common-name
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class Stream(StrEnum):
    """The streams of a kiosk, in the order of their priority on the uplink."""

    CROSSING = "crossing"
    AUDIT = "audit"
    EVIDENCE = "evidence"


class Topic(NamedTuple):
    """A topic taken apart: `kiosk` is `<site>/<kiosk>`, `kind` the branch, `leaf` what follows it (or empty)."""

    kiosk: str
    kind: str
    leaf: str


def kiosk_id(site: str, kiosk: str) -> str:
    """Return `<site>/<kiosk>`, the name in the client certificate; raise `ContractError` for what no topic can hold."""
    for name in (site, kiosk):
        if not NAME.fullmatch(name):
            raise ContractError(f"{name!r} is no name of a site or kiosk: 1-32 lower case letters, digits and dashes")
    if len(site) + 1 + len(kiosk) > MAX_KIOSK_ID:
        raise ContractError(f"{site}/{kiosk} is longer than the {MAX_KIOSK_ID} characters that a certificate holds")
    return f"{site}/{kiosk}"


def stream_topic(kiosk: str, stream: str) -> str:
    """Return where a kiosk publishes batches of one stream."""
    return f"{PREFIX}/{kiosk}/stream/{stream}"


def receipt_topic(kiosk: str, stream: str) -> str:
    """Return where the centre publishes (retained) how far it holds one stream."""
    return f"{PREFIX}/{kiosk}/receipt/{stream}"


def status_topic(kiosk: str) -> str:
    """Return where a kiosk publishes (retained) its birth, and the broker its death."""
    return f"{PREFIX}/{kiosk}/status"


def health_topic(kiosk: str) -> str:
    """Return where a kiosk publishes figures about itself."""
    return f"{PREFIX}/{kiosk}/health"


def command_topic(kiosk: str, name: str) -> str:
    """Return where the centre publishes a signed command."""
    return f"{PREFIX}/{kiosk}/command/{name}"


def reply_topic(kiosk: str, id: str) -> str:
    """Return where a kiosk publishes its answer to the command, or to the desired settings, with this id."""
    return f"{PREFIX}/{kiosk}/reply/{id}"


def desired_topic(kiosk: str) -> str:
    """Return where the centre publishes (retained) the settings that it wants in force."""
    return f"{PREFIX}/{kiosk}/desired"


def reported_topic(kiosk: str) -> str:
    """Return where a kiosk publishes (retained) the settings that it runs with."""
    return f"{PREFIX}/{kiosk}/reported"


def renewal_request_topic(kiosk: str) -> str:
    """Return where a kiosk publishes its request for a new certificate, as it would be posted over HTTPS."""
    return f"{PREFIX}/{kiosk}/renewal/request"


def renewal_answer_topic(kiosk: str) -> str:
    """Return where the centre publishes what a kiosk's request was answered."""
    return f"{PREFIX}/{kiosk}/renewal/answer"


def parse_topic(topic: str) -> Topic:
    """Take a topic apart; raise `ContractError` when it is not one of the contract's."""
    parts = topic.split("/")
    if len(parts) not in (5, 6) or "/".join(parts[:2]) != PREFIX:
        raise ContractError("topic is not of the form landfall/v1/<site>/<kiosk>/<kind>[/<leaf>]")
    return Topic(kiosk_id(parts[2], parts[3]), parts[4], parts[5] if len(parts) == 6 else "")
