"""A mosquitto on this machine, as a process that the demo and the tests can start, freeze, kill and start again.

Owns the process, its folder and its port; what the broker allows is `central.broker`'s. Always true: the port stays the
same over restarts, so that clients find it again, and a free one that was chosen is kept from others meanwhile; leaving
the context ends the process, frozen or not.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import weakref
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from central.broker import BrokerLimits, access_list, mosquitto_configuration
from edge.errors import ProvisioningError
from edge.identity.key_files import make_folder
from provisioning.authority import Authority

HOST = "127.0.0.1"
READY_WITHIN_S = 60.0
ENDS_WITHIN_S = 60.0
_SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin"  # not on an ordinary user's PATH on Debian


def find_mosquitto() -> str:
    """Return the path of mosquitto's program; raise `ProvisioningError` when it is not installed."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_FOLDERS}")
    if found is None:
        raise ProvisioningError("mosquitto is not installed", remedy="apt-get install mosquitto")
    return found


def reserve_port() -> socket.socket:
    """Return a socket that keeps a free port of this machine from others for as long as it is open.

    Nobody can connect to it. Who listens with SO_REUSEADDR, as mosquitto does, and Python's servers, may have the port
    besides; nobody else is given it, also not while the one that it is for is stopped.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind((HOST, 0))
    return reserved


class LocalBroker:
    """One mosquitto with TLS and the project's access list; use it as a context manager, or `start` and `stop` it.

    `folder` is made and holds everything (configuration, certificate, sessions, `mosquitto.log`); `authority` issues
    the broker's certificate; `centre` names the collectors. `keeps_sessions` stores sessions and queued messages over
    a restart; `revoked` is a certificate revocation list, which `reload` reads again. The broker listens on 127.0.0.1
    and is known as `localhost` and `127.0.0.1`.
    """

    def __init__(
        self,
        folder: Path,
        authority: Authority,
        *,
        centre: Iterable[str] = ("collector-1",),
        keeps_sessions: bool = True,
        limits: BrokerLimits | None = None,
        binds_client_ids: bool = True,
        port: int = 0,
        revoked: Path | None = None,
    ) -> None:
        self.host = HOST
        if not port:
            reserved = reserve_port()
            weakref.finalize(self, reserved.close)
        self.port: int = port or reserved.getsockname()[1]
        self.log = folder / "mosquitto.log"
        self._folder = folder
        self._sessions = folder / "sessions"
        self._keeps_sessions = keeps_sessions
        self._limits = limits
        self._binds_client_ids = binds_client_ids
        self._revoked = revoked
        self._broker: subprocess.Popen | None = None
        self._last_words = ""
        make_folder(self._sessions)
        if not (folder / "broker.crt").exists():
            authority.issue_broker(folder, ["localhost", HOST])
        self.set_centre(centre)

    def __enter__(self) -> LocalBroker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Tell whether the process lives; a frozen one does."""
        return self._broker is not None and self._broker.poll() is None

    @property
    def pid(self) -> int:
        """Return the process id; raise `ProvisioningError` when it does not run."""
        if self._broker is None:
            raise ProvisioningError("the broker does not run", remedy="start it first")
        return self._broker.pid

    def set_centre(self, names: Iterable[str]) -> None:
        """Write the access list for these collectors; a running broker reads it again."""
        (self._folder / "access.acl").write_text(access_list(names), encoding="utf-8")
        (self._folder / "access.acl").chmod(0o600)
        if self.is_running:
            self.reload()

    def reload(self) -> None:
        """Have access list, certificates and revocation list read again; connections stay."""
        self._signal(signal.SIGHUP)

    def start(self) -> None:
        """Start the broker and return when it listens; raise `ProvisioningError` with its last words otherwise."""
        if self.is_running:
            return
        if not self._has_started():
            raise ProvisioningError(
                f"mosquitto did not start on port {self.port}: {self._last_words}", remedy=f"see {self.log}"
            )

    def stop(self) -> None:
        """End the broker in order: sessions are saved. Does nothing when it does not run."""
        if self.is_running:
            self._signal(signal.SIGTERM)
            self._signal(signal.SIGCONT)
        self._reap()

    def kill(self) -> None:
        """End the broker at once, as a power cut would: nothing is saved."""
        if self.is_running:
            self._signal(signal.SIGKILL)
        self._reap()

    def freeze(self) -> None:
        """Stop the clock of the broker: connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen broker go on."""
        self._signal(signal.SIGCONT)

    def restart(self, *, forgets_sessions: bool = False) -> None:
        """Stop and start on the same port; `forgets_sessions` removes what was saved, as a replaced broker would."""
        self.stop()
        if forgets_sessions:
            self.forget_sessions()
        self.start()

    def forget_sessions(self) -> None:
        """Remove saved sessions, queued and retained messages; the broker must not run."""
        (self._sessions / "mosquitto.db").unlink(missing_ok=True)

    def log_text(self) -> str:
        """Return what the broker has logged so far, over all starts."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def _has_started(self) -> bool:
        configuration = mosquitto_configuration(
            port=self.port,
            host=self.host,
            certificates=self._folder,
            access_file=self._folder / "access.acl",
            persistence=self._sessions if self._keeps_sessions else None,
            user="root" if os.geteuid() == 0 else "",
            limits=self._limits,
            binds_client_ids=self._binds_client_ids,
            revoked=self._revoked,
        )
        (self._folder / "mosquitto.conf").write_text(configuration, encoding="utf-8")
        command = [find_mosquitto(), "-c", str(self._folder / "mosquitto.conf")]
        with self.log.open("ab") as log:
            said_before = log.tell()
            # A session of its own: Ctrl-C at the terminal reaches the demo alone, which then stops in order.
            self._broker = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and self._broker.poll() is None:
            # Its own word, not an open port: somebody else's listener would answer on that too.
            if " running\n" in self._words_since(said_before):
                return True
            time.sleep(0.005)
        self._last_words = self._words_since(said_before).strip().rpartition("\n")[2]
        self.kill()
        return False

    def _words_since(self, offset: int) -> str:
        with self.log.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace")

    def _signal(self, number: signal.Signals) -> None:
        if self._broker is None or self._broker.poll() is not None:
            raise ProvisioningError("the broker does not run", remedy="start it first")
        self._broker.send_signal(number)

    def _reap(self) -> None:
        if self._broker is None:
            return
        try:
            self._broker.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._broker.kill()
            self._broker.wait()
        self._broker = None
