"""Bytes of a reader into frames, one framing for each family of readers, and a default that finds out by itself.

Pure: no port, no thread, no clock. `Framer.receive` buffers and parses; `Framer.flush` is for the caller who saw the
line go quiet, which is how a reader without a terminator says that it is done. Always true: the buffer is bounded,
whatever arrives; damaged input costs `FrameError`s that quote nothing, and the next good frame is found.
"""

from hw.framing.encoders import encode
from hw.framing.families import Commands, Family
from hw.framing.findings import CUT, FrameError
from hw.framing.framer import Framer

__all__ = ["CUT", "Commands", "Family", "FrameError", "Framer", "encode"]
