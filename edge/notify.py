"""Tell systemd how the daemon is: READY, STATUS, WATCHDOG, STOPPING (sd_notify(3)).

Owns the notification socket. Always true: without systemd every call does nothing; `WATCHDOG=1` is sent by the main
loop alone, so that a daemon that no longer makes progress is restarted.
"""

from __future__ import annotations

import os
import socket


class Systemd:
    """The service manager, if there is one; `watchdog_s` is the time within which it wants a sign of life, or None."""

    def __init__(self, environment: dict[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        usec = environment.get("WATCHDOG_USEC", "")
        is_for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_s = int(usec) / 1e6 if usec.isdecimal() and int(usec) and is_for_us else None

    def notify(self, *lines: str) -> None:
        """Send assignments such as `READY=1`."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
            try:
                manager.connect(self._address)
                manager.send("\n".join(lines).encode(), socket.MSG_DONTWAIT)
            except OSError:
                pass  # the manager restarts or does not read; the loop must not wait, the next sign of life comes soon
