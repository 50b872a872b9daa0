"""The process of a simulated kiosk: the daemon as it is, with the settings that lie in a folder.

Owns nothing but its start and its end. Always true: it ends when whoever started it has gone, which is seen at standard
input.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import msgspec

from edge.commands.start import InForce
from edge.daemon import Daemon
from edge.errors import LandfallError
from edge.log import Log, tell_faults_by_kind_and_place
from edge.settings import Settings
from edge.simulate.kiosk import SETTINGS
from hw.devices import DeviceError


def main() -> int:
    """Run the kiosk of the folder that is named, and return the daemon's exit status."""
    folder = Path(sys.argv[1])
    log = Log()
    tell_faults_by_kind_and_place(log)
    settings = msgspec.json.decode((folder / SETTINGS).read_bytes(), type=Settings)
    try:
        daemon = Daemon(InForce(settings, folder / SETTINGS), log, {})
    except (LandfallError, DeviceError) as error:
        print(error, file=sys.stderr)  # the last line of the log is what people are told
        return 1
    signal.signal(signal.SIGTERM, lambda *_: daemon.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal's: whoever started us hears it too

    def end_with_the_other() -> None:
        os.read(sys.stdin.fileno(), 1)  # nobody writes: it returns at the end of file
        daemon.stop()

    threading.Thread(target=end_with_the_other, name="standard input", daemon=True).start()
    return daemon.run()


if __name__ == "__main__":
    sys.exit(main())
