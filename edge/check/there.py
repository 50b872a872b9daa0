"""What can be found out about the way to the centre: name, port, TLS, broker.

Owns these checks, each of which stands on the one before. Always true: while the daemon runs nobody else connects in
its name, since the broker would end the daemon's session for it (MQTT 5, 3.1.4); the daemon is asked instead.
"""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from edge.check.line import Line, failed, ok, warn
from edge.uplink.link import Connected, Disconnected, Endpoint, Link, LinkEvent, tls_context, why_not

_REFUSED = "is the kiosk registered and not revoked, and does the broker's access list know its certificate?"


def check_way(endpoint: Endpoint, daemon: Mapping[str, Any] | None) -> Iterator[Line]:
    """Go towards the broker as far as it goes; `daemon` is what a running daemon says of its uplink."""
    place = f"{endpoint.host}:{endpoint.port}"
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except OSError as error:
        remedy = "check uplink.host in kiosk.toml and the name servers: resolvectl status"
        yield failed("name", f"{endpoint.host}: {error.strerror}", remedy)
        return
    yield ok("name", f"{endpoint.host} is {', '.join(dict.fromkeys(str(one[4][0]) for one in found))}")
    try:
        connection = socket.create_connection((endpoint.host, endpoint.port), endpoint.connect_timeout_s)
    except OSError as error:
        remedy = "is the broker running, the port right (uplink.port), and the way there not blocked?"
        yield failed("port", f"{place}: {error.strerror or error}", remedy)
        return
    with connection:
        yield ok("port", f"{place} answers")
        try:
            with tls_context(endpoint).wrap_socket(connection, server_hostname=endpoint.host) as secured:
                yield ok("TLS", f"{secured.version()}, the broker's certificate is good")
        except (OSError, ValueError) as error:
            remedy = "check the clock, uplink.ca, and that uplink.host is the name in the broker's certificate"
            yield failed("TLS", why_not(error), remedy)
            return
    yield _asked(daemon) if daemon is not None else _tried(endpoint)


def _asked(daemon: Mapping[str, Any]) -> Line:
    if daemon.get("state") != "connected":
        return failed("broker", f"the daemon is not connected: {daemon.get('reason', '')}", _REFUSED)
    refused = [what for what in daemon.get("troubles", {}) if str(what).startswith("broker_refused")]
    if refused:
        return warn(
            "broker", f"the daemon is connected, but {refused[0]}", "look at the broker's limits and access list"
        )
    return ok("broker", "the daemon is connected")


def _tried(endpoint: Endpoint) -> Line:
    """Connect as the daemon would, without a will, and leave again."""
    events: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
    link = Link(1, endpoint, None, events.put)
    link.open()
    try:
        match events.get(timeout=2 * endpoint.connect_timeout_s):
            case Connected():
                return ok("broker", "takes this kiosk")
            case Disconnected(reason=reason):
                return failed("broker", reason, _REFUSED)
    except queue.Empty:
        pass
    finally:
        link.close()
    return failed("broker", "does not answer", "is it an MQTT 5 broker?")
