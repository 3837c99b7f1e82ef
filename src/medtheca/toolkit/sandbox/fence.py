"""Locking a decoder down: import first, lock after, decode last. Runs in the child, before it sees a file."""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

from . import landlock, seccomp
from .values import Level, Limits

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_NOBODY = 65534
RETIRING_SHARE = 4  # a child retires once its files have used a quarter of one file's processor time


def lock_down(level: Level, limits: Limits, *, address_space: int, parent: int) -> None:
    """Give up everything that `level` and `limits` do not leave, for good. OSError if a fence is refused."""
    _become_nobody()
    _limit_resources(limits, address_space)
    if sys.platform != "linux":
        return  # only reached with unsafe decoders allowed: the level is then RLIMITS_ONLY
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of account, which clears it
    if os.getppid() != parent:
        raise OSError("the fork server is gone")
    _prctl(_PR_SET_DUMPABLE, 0)
    forgo_privileges()
    if level.uses_landlock:
        landlock.deny_everything()
    if level.uses_seccomp:
        seccomp.install()


def forgo_privileges() -> None:
    """Set no_new_privs, without which the kernel takes no fence from an ordinary account."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def count_address_space() -> int:
    """Bytes of address space this process has mapped; what its children start with."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return 1 << 32  # no /proc: a generous guess, where there is no real fence anyway
    return pages * resource.getpagesize()


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
