"""The kiosk's keys as its unit has them: systemd shows them to root in a folder (systemd.exec(5), Credentials).

Owns how a command that root types finds them. Always true: who names a folder in `CREDENTIALS_DIRECTORY` is believed.
"""

from __future__ import annotations

import os
from pathlib import Path

UNIT_CREDENTIALS = Path("/run/credentials/landfall-kiosk.service")


def environment() -> dict[str, str]:
    """Return the environment of this process, with the unit's credentials in it where the kiosk runs.

    It is set for the whole process, since the mode of a key file is judged by it too.
    """
    if UNIT_CREDENTIALS.is_dir():
        os.environ.setdefault("CREDENTIALS_DIRECTORY", str(UNIT_CREDENTIALS))
    return dict(os.environ)
