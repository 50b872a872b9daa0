"""Runs the true camera child with the true picamera2 on libcamera's virtual pipeline; the arguments are the child's.

What a Pi has and this pipeline has not is put in its place: anonymous memory instead of the camera's heap, and a mode
of the sensor, which picamera2 always asks for. `hw/camera_child.py` itself runs as it is.
"""

from __future__ import annotations

import mmap
import os
import runpy
import sys
from pathlib import Path
from unittest.mock import MagicMock

sys.modules["pykms"] = MagicMock()  # a preview would draw with it

import libcamera  # noqa: E402
import picamera2.picamera2  # noqa: E402
from picamera2.allocators.allocator import Allocator, Sync  # noqa: E402


class MemoryMap(Sync):
    """The bytes of a buffer; picamera2's own looks for one descriptor, and libcamera makes one for each plane."""

    def __init__(self, allocator: Allocator, buffer: libcamera.FrameBuffer, write: bool) -> None:
        self._planes = buffer.planes

    def __enter__(self) -> mmap.mmap:
        self._map = mmap.mmap(self._planes[0].fd, sum(plane.length for plane in self._planes))
        return self._map

    def __exit__(self, *_: object) -> None:
        self._map.close()


class MemoryAllocator(Allocator):
    """Buffers in anonymous memory, two planes each, as NV12 wants them."""

    def __init__(self) -> None:
        super().__init__()
        self.sync = MemoryMap
        self._buffers: dict[object, list[object]] = {}
        self._descriptors: list[int] = []

    def allocate(self, libcamera_config, use_case) -> None:
        self.close()
        for config in libcamera_config:
            self._buffers[config.stream] = [self._buffer(config) for _ in range(config.buffer_count)]

    def _buffer(self, config) -> object:
        descriptor = os.memfd_create("picture")
        os.ftruncate(descriptor, config.frame_size)
        self._descriptors.append(descriptor)
        luma = config.stride * config.size.height
        planes = [libcamera.FrameBuffer.Plane() for _ in range(2)]
        for plane, offset, length in zip(planes, (0, luma), (luma, config.frame_size - luma), strict=True):
            plane.fd, plane.offset, plane.length = descriptor, offset, length
        return libcamera.FrameBuffer(planes)

    def buffers(self, stream) -> list[object]:
        return self._buffers[stream]

    def close(self) -> None:
        self._buffers = {}
        while self._descriptors:
            os.close(self._descriptors.pop())


picamera2.picamera2.DmaAllocator = MemoryAllocator
picamera2.picamera2.Picamera2._get_raw_modes = lambda self: [{"format": "NV12", "size": (640, 480)}]
runpy.run_path(str(Path(__file__).parents[3] / "hw" / "camera_child.py"), run_name="__main__")
