"""Some kiosks' uplinks in one process, real but for the store, which is empty: each its own TLS session and threads.

    python -m bench.peers.fleet_part FOLDER PORT FIRST COUNT

Prints a line for each attempt to connect and for each connection: which, and the time of the monotonic clock.
"""

from __future__ import annotations

import random
import secrets
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

from joserfc.jwk import OKPKey

from bench.post import clock
from edge.events import UplinkChanged
from edge.identity.tls import client_context
from edge.seal import Signer, Verifier
from edge.uplink.link import Endpoint, Link
from edge.uplink.uplink import Identity, Pace, Uplink

SITE = "fleet"


class EmptyStore:
    """A store without streams."""

    def heads(self) -> dict:
        """Return no head."""
        return {}

    def state(self, key: str) -> None:
        """Return nothing."""

    def close(self) -> None:
        """Do nothing."""


class WatchedLink(Link):
    """A link that says when it tries to connect."""

    def open(self) -> None:
        """Say so, and connect."""
        say("attempt")
        super().open()


def say(what: str) -> None:
    """Print one event whole, whatever other threads print."""
    sys.stdout.write(f"{what} {time.monotonic()}\n")


def told(event: object) -> None:
    """Take what an uplink tells the daemon."""
    if isinstance(event, UplinkChanged) and event.is_connected:
        say("connected")


def name_of(number: int) -> str:
    """Return the name of a kiosk of the fleet."""
    return f"kiosk-{number}"


def uplink(folder: Path, port: int, number: int, signer: Signer) -> Uplink:
    """Return the uplink of one kiosk, at the pace that a kiosk has when its settings say nothing."""
    certificates, kiosk = folder / name_of(number), f"{SITE}/{name_of(number)}"
    files = [certificates / name for name in ("ca.crt", "client.crt", "client.key")]
    endpoint = Endpoint("localhost", port, *files, kiosk, client_context)
    return Uplink(
        Identity(kiosk, "bench", "boot"),
        endpoint,
        open_reader=EmptyStore,
        signer=signer,
        centre=Verifier([]),
        put=told,
        now=clock.now,
        pace=Pace(),
        jitter=random.Random(secrets.randbits(64)),
        new_link=WatchedLink,
    )


def main(folder: Path, port: int, first: int, count: int) -> None:
    """Run until a signal comes."""
    signer = Signer(OKPKey.generate_key("Ed25519"))
    for make in (partial(uplink, folder, port, number, signer) for number in range(first, first + count)):
        threading.Thread(target=make().run, daemon=True).start()
    while signal.sigtimedwait({signal.SIGTERM, signal.SIGINT}, 0.1) is None:
        sys.stdout.flush()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
