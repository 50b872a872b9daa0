"""As whom root comes to the database: as its owner, as other services' tools do that root may run.

Owns whom that is: of an SQLite file the owner of its folder, of PostgreSQL on this machine the user who is called as
the role, `landfall-collector` where the settings name none. PostgreSQL believes the kernel who is at the other end of
its socket (peer authentication), and has no role for root; a file that root makes could be opened by no collector.
Always true: who is not root stays who they are, and so does root where a password or a network is between.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL

COLLECTOR = "landfall-collector"  # see systemd/sysusers.d


@dataclass(frozen=True, slots=True)
class Owner:
    """A user of this machine, by number."""

    uid: int
    gid: int


def owner_for(url: URL) -> Owner | None:
    """Return who this process has to be when it opens that database; None when it is right as it is."""
    if os.geteuid() != 0:
        return None
    found = _folder_owner(url) if url.get_backend_name() == "sqlite" else _role_owner(url)
    return found if found is not None and found.uid != 0 else None


@contextmanager
def acting_as(owner: Owner | None) -> Iterator[None]:
    """Be that user for a moment, all threads of the process; not at all for None."""
    if owner is None:
        yield
        return
    gid = os.getegid()
    os.setegid(owner.gid)
    try:
        os.seteuid(owner.uid)
        try:
            yield
        finally:
            os.seteuid(0)
    finally:
        os.setegid(gid)


def _folder_owner(url: URL) -> Owner | None:
    if not url.database or url.database.startswith((":memory:", "file:")):
        return None
    with suppress(OSError):  # the error is told where the file is opened
        folder = Path(url.database).absolute().parent.stat()
        return Owner(folder.st_uid, folder.st_gid)
    return None


def _role_owner(url: URL) -> Owner | None:
    sockets = url.query.get("host", "")
    is_near = not url.host and (not sockets or (isinstance(sockets, str) and sockets.startswith("/")))
    if not is_near or url.password:
        return None
    try:
        user = pwd.getpwnam(url.username or COLLECTOR)
    except KeyError:
        return None
    return Owner(user.pw_uid, user.pw_gid)
