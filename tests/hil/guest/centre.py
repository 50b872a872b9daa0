"""A centre inside the virtual machine: authority, broker, collector, and the kiosk's keys where its unit expects them.

    python -m tests.hil.guest.centre FOLDER

Runs until it is ended; the file `ready` in the folder says that everything listens.
"""

from __future__ import annotations

import shutil
import signal
import sys
import threading
from pathlib import Path

from provisioning.local_deployment import LocalDeployment

SITE, NAME = "dm-roseau", "ferry-01"
KEYS = Path("/etc/landfall/keys")
WANTED = ("record.key.json", "client.key", "client.crt", "ca.crt")


def main(folder: Path) -> None:
    """Run the centre in `folder` and give the kiosk what it needs."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with LocalDeployment(folder) as deployment:
        deployment.start_collectors()
        deployment.add_kiosk(SITE, NAME, lane="")
        KEYS.mkdir(parents=True, mode=0o700)
        made = [deployment.kiosk_folder(SITE, NAME) / name for name in WANTED]
        for file in (*made, deployment.centre / "opening.pub.json", deployment.centre / "receipt.pub.json"):
            shutil.copy(file, KEYS)
        (folder / "port").write_text(str(deployment.broker.port))
        (folder / "ready").touch()
        ended.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
