"""How often a process asks the kernel to sync, counted with ptrace: no tool to install, the same on every machine.

Owns a tracer of system calls that stops its child at each one and counts fsync and fdatasync. Linux 5.3 or newer.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
from collections.abc import Callable

_TRACEME, _CONT_SYSCALL, _SETOPTIONS, _GET_SYSCALL_INFO = 0, 24, 0x4200, 0x420E
_OPTION_SYSGOOD, _OPTION_EXITKILL = 1, 1 << 20
_ENTRY = 1
_SYNCS = {"x86_64": (74, 75), "aarch64": (82, 83)}  # fsync, fdatasync


class _SyscallInfo(ctypes.Structure):
    _fields_ = (
        ("op", ctypes.c_uint8),
        ("arch", ctypes.c_uint32),
        ("instruction_pointer", ctypes.c_uint64),
        ("stack_pointer", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
    )


def _ptrace(request: int, pid: int, address: int = 0, memory: object = 0) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    libc.ptrace.restype = ctypes.c_long
    result = libc.ptrace(request, pid, address, memory)
    if result < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    return result


def count_syncs(work: Callable[[], None]) -> int:
    """Run `work` in a forked child and return how many times it synced a file; raise if the child fails."""
    pid = os.fork()
    if pid == 0:
        try:
            _ptrace(_TRACEME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    os.waitpid(pid, 0)
    _ptrace(_SETOPTIONS, pid, 0, _OPTION_SYSGOOD | _OPTION_EXITKILL)
    syncs, info, deliver = 0, _SyscallInfo(), 0
    while True:
        _ptrace(_CONT_SYSCALL, pid, 0, deliver)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            if os.waitstatus_to_exitcode(status):
                raise RuntimeError("the traced child failed")
            return syncs
        deliver = 0
        if os.WSTOPSIG(status) != signal.SIGTRAP | 0x80:
            deliver = os.WSTOPSIG(status)
            continue
        _ptrace(_GET_SYSCALL_INFO, pid, ctypes.sizeof(info), ctypes.addressof(info))
        syncs += info.op == _ENTRY and info.number in _SYNCS[platform.machine()]
