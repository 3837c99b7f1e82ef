"""Locking a decoder down: import first, lock after, decode last. Runs in the child, before it sees a file.

A decoder of photographs can open nothing. A decoder of a case can read its folder, and what is written is counted.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import landlock, seccomp
from .values import CaseLimits, Level, Limits

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CLONE_NEWUSER = 0x10000000
_CAPABILITIES_VERSION_3 = 0x20080522
_NOBODY = 65534
_MOST_THREADS = 4096
RETIRING_SHARE = 4  # a child retires once its files have used a quarter of one file's processor time


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process has mapped before it has done anything: all of it, and of that the memory of its own (bytes)."""

    address_space: int
    data: int


def lock_down(level: Level, limits: Limits, *, address_space: int, parent: int) -> None:
    """Give up everything that `level` and `limits` do not leave, for good. OSError if a fence is refused."""
    _become_nobody()
    _limit_resources(limits, address_space)
    _put_up(level, parent, keep_from_files=landlock.deny_everything, filter_calls=seccomp.install)


def lock_down_case(
    level: Level, limits: CaseLimits, *, folder: int, start: Footprint, room: int, held: int, parent: int
) -> None:
    """Go into an open folder and give up everything but reading it. OSError if a fence is refused.

    `room` is what may be mapped without being memory of the child's own (files, outputs); `held` is how many
    descriptors it has already.
    """
    os.fchdir(folder)
    _hide_what_is_not_here()
    _become_nobody()
    _limit(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1)
    _limit(resource.RLIMIT_AS, start.address_space + limits.memory_bytes + room)
    if sys.platform == "linux":
        # Elsewhere it does not count mapped memory. Here it is what keeps `room` from being taken as memory.
        _limit(resource.RLIMIT_DATA, start.data + limits.memory_bytes)
    _limit(resource.RLIMIT_FSIZE, max(limits.output_bytes, 8))  # 8: a fraction of the progress
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, held + limits.open_files)
    # It counts all threads of the account, so this is no exact number.
    _limit(resource.RLIMIT_NPROC, _MOST_THREADS if limits.threads else 0)
    _put_up(
        level,
        parent,
        keep_from_files=lambda: landlock.allow_reading_beneath(folder),
        filter_calls=lambda: seccomp.install(opens_files=True, threads=limits.threads),
    )


def _put_up(
    level: Level, parent: int, *, keep_from_files: Callable[[], None], filter_calls: Callable[[], None]
) -> None:
    if sys.platform != "linux":
        return  # only reached with unsafe decoders allowed: the level is then RLIMITS_ONLY
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of account, which clears it
    if os.getppid() != parent:
        raise OSError("the fork server is gone")
    _prctl(_PR_SET_DUMPABLE, 0)
    forgo_privileges()
    if level.uses_landlock:
        keep_from_files()
    if level.uses_seccomp:
        filter_calls()


def forgo_privileges() -> None:
    """Set no_new_privs, without which the kernel takes no fence from an ordinary account."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def take_footprint() -> Footprint:
    """What this process has mapped; what its children start with."""
    try:
        pages = [int(word) for word in Path("/proc/self/statm").read_text(encoding="ascii").split()]
    except OSError:
        return Footprint(1 << 32, 1 << 32)  # no /proc: a generous guess, where there is no real fence anyway
    size = resource.getpagesize()
    return Footprint(address_space=pages[0] * size, data=pages[5] * size)


def _hide_what_is_not_here() -> None:
    """Make the working directory the root, where the machine lets us: then no other path so much as exists.

    Landlock keeps files from being read, but not from being asked for (stat, access, readlink). One fence more, and
    not counted on: a container may keep root from it, and an ordinary account needs a user namespace of its own.
    """
    if os.geteuid() == 0 or sys.platform != "linux":
        with contextlib.suppress(OSError):
            os.chroot(".")
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        return
    with contextlib.suppress(OSError):
        os.chroot(".")
    # The namespace came with all capabilities within it.
    version, none = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    if libc.capset(version, none) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"capset: {os.strerror(number)}")


def _become_nobody() -> None:
    if os.geteuid() != 0:
        return
    # One fence more, where it can be had: inside a user namespace that account may not exist.
    with contextlib.suppress(OSError):
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)


def _limit_resources(limits: Limits, address_space: int) -> None:
    processor = limits.cpu_seconds + max(1, limits.cpu_seconds // RETIRING_SHARE)
    _limit(resource.RLIMIT_CPU, processor, processor + 1)
    _limit(resource.RLIMIT_AS, address_space)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, limits.open_files)
    _limit(resource.RLIMIT_NPROC, 0)


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    hard = soft if hard is None else hard
    _, ceiling = resource.getrlimit(kind)
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    # Some systems know no limit on address space; where the fence is whole, all of these exist.
    with contextlib.suppress(ValueError) if sys.platform != "linux" else contextlib.nullcontext():
        resource.setrlimit(kind, (soft, hard))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option}: {os.strerror(number)}")
