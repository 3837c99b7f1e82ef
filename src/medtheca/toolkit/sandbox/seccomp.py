"""A seccomp filter that leaves a decoder what computing on open files needs, and nothing else.

Written against the kernel's own interface: the PyPI binding for libseccomp needs that library on the system.
Source: seccomp(2), linux/filter.h, linux/audit.h; call numbers from asm/unistd_64.h and asm-generic/unistd.h.
"""

import ctypes
import errno
import os
import platform
import struct

# name: (x86_64, aarch64). What is absent is refused with EPERM; the absences that matter:
# open*, stat by path, socket*, connect, send* (a decoder has one channel and writes to it), clone, fork, exec,
# kill, ptrace, prctl, setrlimit, bpf, io_uring, memfd, userfaultfd, ioctl.
_ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "readv": (19, 65),
    "pread64": (17, 67),
    "write": (1, 64),
    "writev": (20, 66),
    "recvmsg": (47, 212),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "poll": (7, None),
    "ppoll": (271, 73),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    "futex": (202, 98),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "getrandom": (318, 278),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
_MMAP, _MPROTECT, _FCNTL = (9, 222), (10, 226), (72, 25)
_PROT_EXEC = 4
_FCNTL_COMMANDS = (1, 3, 1030)  # F_GETFD, F_GETFL and F_DUPFD_CLOEXEC, which Python's mmap uses

_ARCHITECTURES = {"x86_64": (0, 0xC000003E, 317), "aarch64": (1, 0xC00000B7, 277)}  # column, audit name, seccomp(2)

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _DENY, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_SET_MODE_FILTER = 1
_X32_BIT = 0x40000000  # the x32 calls of x86_64 would slip past a list of 64-bit numbers


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def build_filter(machine: str) -> bytes:
    """The BPF program for a machine name as `platform.machine` gives it, eight bytes an instruction.

    >>> len(build_filter("aarch64")) % 8
    0
    """
    column, audit_name, _ = _ARCHITECTURES[machine]
    numbers = [pair[column] for pair in _ALLOWED.values()]
    program = [
        _instruction(_LOAD, _ARCHITECTURE_AT),
        _instruction(_JUMP_EQUAL, audit_name, 1, 0),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER_AT),
        _instruction(_JUMP_AT_LEAST, _X32_BIT, 0, 1),
        _instruction(_RETURN, _DENY),
    ]
    for number in numbers:
        if number is not None:
            program += [_instruction(_JUMP_EQUAL, number, 0, 1), _instruction(_RETURN, _ALLOW)]
    for pair in (_MMAP, _MPROTECT):
        # The third argument is the protection: memory that can be run is never given out.
        program += [
            _instruction(_JUMP_EQUAL, pair[column], 0, 4),
            _instruction(_LOAD, _ARGUMENTS_AT + 2 * 8),
            _instruction(_JUMP_BITS, _PROT_EXEC, 0, 1),
            _instruction(_RETURN, _DENY),
            _instruction(_RETURN, _ALLOW),
        ]
    commands = len(_FCNTL_COMMANDS)
    program += [
        _instruction(_JUMP_EQUAL, _FCNTL[column], 0, commands + 1),
        _instruction(_LOAD, _ARGUMENTS_AT + 8),
    ]
    program += [_instruction(_JUMP_EQUAL, command, commands - i, 0) for i, command in enumerate(_FCNTL_COMMANDS)]
    program += [_instruction(_RETURN, _DENY), _instruction(_RETURN, _ALLOW)]
    return b"".join(program)


def install() -> None:
    """Put the calling thread behind the filter, for good. Needs no_new_privs; OSError where the kernel has none."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no seccomp filter is written for {machine}")
    code = build_filter(machine)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(_ARCHITECTURES[machine][2], _SET_MODE_FILTER, 0, ctypes.byref(program)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
