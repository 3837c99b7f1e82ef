"""Seccomp filters that leave a decoder what computing on open files needs, or on files it opens, and nothing else.

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
# What a decoder of cases may beside it. Still absent: whatever makes, renames, removes or marks a file.
_ALLOWED_FOR_CASES: dict[str, tuple[int | None, int | None]] = {
    "stat": (4, None),
    "lstat": (6, None),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getdents64": (217, 61),
    "getcwd": (79, 17),
    # These need a descriptor that is open for writing: only outputs and the file of the progress are.
    "pwrite64": (18, 68),
    "ftruncate": (77, 46),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "msync": (26, 227),
}
_OPEN, _OPENAT = (2, None), (257, 56)
# Flags of reading: O_NOCTTY, O_NONBLOCK, O_CLOEXEC; O_LARGEFILE, O_DIRECTORY, O_NOFOLLOW, which differ by machine.
# O_PATH is not among them: such descriptors are had without asking Landlock.
_READING_FLAGS = (
    0o400 | 0o4000 | 0o2000000 | 0o100000 | 0o200000 | 0o400000,
    0o400 | 0o4000 | 0o2000000 | 0o400000 | 0o40000 | 0o100000,
)
# Threads share all that the process may and may not, so they take no fence down; they are still only for who asks.
_ALLOWED_FOR_THREADS: dict[str, tuple[int | None, int | None]] = {"set_robust_list": (273, 99), "rseq": (334, 293)}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_THREAD_FLAGS = 0x3D0F00  # what the C library asks of clone for a thread, and nothing that would make a process
_SHARED_ANONYMOUS = 0x21  # MAP_SHARED | MAP_ANONYMOUS: memory that RLIMIT_DATA does not count

_MMAP, _MPROTECT, _FCNTL = (9, 222), (10, 226), (72, 25)
_PROT_EXEC = 4
_FCNTL_COMMANDS = (1, 3, 1030)  # F_GETFD, F_GETFL and F_DUPFD_CLOEXEC, which Python's mmap uses

_ARCHITECTURES = {"x86_64": (0, 0xC000003E, 317), "aarch64": (1, 0xC00000B7, 277)}  # column, audit name, seccomp(2)

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_BITS, _RETURN, _AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
_ALLOW, _DENY, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_NOT_KNOWN = 0x00050000 | errno.ENOSYS
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_SET_MODE_FILTER = 1
_X32_BIT = 0x40000000  # the x32 calls of x86_64 would slip past a list of 64-bit numbers


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def build_filter(machine: str, *, opens_files: bool = False, threads: bool = False) -> bytes:
    """The BPF program for a machine name as `platform.machine` gives it, eight bytes an instruction.

    With `opens_files`, files can be opened by path, for reading, and outputs be written anywhere in them; with
    `threads`, threads can be started.

    >>> len(build_filter("aarch64")) % 8
    0
    """
    column, audit_name, _ = _ARCHITECTURES[machine]
    allowed = _ALLOWED | (_ALLOWED_FOR_CASES if opens_files else {}) | (_ALLOWED_FOR_THREADS if threads else {})
    numbers = [pair[column] for pair in allowed.values()]
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
    # The third argument is the protection: memory that can be run is never given out.
    runnable = _deny_bits(2, _PROT_EXEC)
    program += _allow_unless(_MMAP[column], runnable + (_deny_all_of(3, _SHARED_ANONYMOUS) if opens_files else []))
    program += _allow_unless(_MPROTECT[column], runnable)
    if opens_files:
        beyond_reading = ~_READING_FLAGS[column] & 0xFFFFFFFF
        program += _allow_unless(_OPEN[column], _deny_bits(1, beyond_reading))
        program += _allow_unless(_OPENAT[column], _deny_bits(2, beyond_reading))
    if threads:
        program += _allow_unless(_CLONE[column], _deny_other_than(0, _THREAD_FLAGS))
        # Its flags are in memory, which a filter cannot see; told that there is none, the C library takes the other.
        program += [_instruction(_JUMP_EQUAL, _CLONE3[column], 0, 1), _instruction(_RETURN, _NOT_KNOWN)]
    commands = len(_FCNTL_COMMANDS)
    program += [
        _instruction(_JUMP_EQUAL, _FCNTL[column], 0, commands + 1),
        _instruction(_LOAD, _ARGUMENTS_AT + 8),
    ]
    program += [_instruction(_JUMP_EQUAL, command, commands - i, 0) for i, command in enumerate(_FCNTL_COMMANDS)]
    program += [_instruction(_RETURN, _DENY), _instruction(_RETURN, _ALLOW)]
    return b"".join(program)


def install(*, opens_files: bool = False, threads: bool = False) -> None:
    """Put the calling thread behind the filter, for good. Needs no_new_privs; OSError where the kernel has none."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no seccomp filter is written for {machine}")
    code = build_filter(machine, opens_files=opens_files, threads=threads)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(_ARCHITECTURES[machine][2], _SET_MODE_FILTER, 0, ctypes.byref(program)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")


def _allow_unless(number: int | None, denials: list[bytes]) -> list[bytes]:
    """Allow a call that none of the denials holds against; nothing for a call that the machine does not have."""
    if number is None:
        return []
    return [_instruction(_JUMP_EQUAL, number, 0, len(denials) + 1), *denials, _instruction(_RETURN, _ALLOW)]


def _deny_bits(argument: int, bits: int) -> list[bytes]:
    """Deny if any of the bits is set. Of an int the kernel takes the lower half only, and so do we."""
    return [
        _instruction(_LOAD, _ARGUMENTS_AT + argument * 8),
        _instruction(_JUMP_BITS, bits, 0, 1),
        _instruction(_RETURN, _DENY),
    ]


def _deny_all_of(argument: int, bits: int) -> list[bytes]:
    """Deny if all of the bits are set."""
    return [
        _instruction(_LOAD, _ARGUMENTS_AT + argument * 8),
        _instruction(_AND, bits),
        _instruction(_JUMP_EQUAL, bits, 0, 1),
        _instruction(_RETURN, _DENY),
    ]


def _deny_other_than(argument: int, value: int) -> list[bytes]:
    return [
        _instruction(_LOAD, _ARGUMENTS_AT + argument * 8),
        _instruction(_JUMP_EQUAL, value, 1, 0),
        _instruction(_RETURN, _DENY),
    ]


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
