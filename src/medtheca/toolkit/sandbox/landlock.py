"""Landlock rulesets: no path, no port, no signal and no abstract socket outside the process; or one folder to read.

Written against the kernel's own interface: the PyPI package is a development release.
Source: landlock(7), linux/landlock.h. Which rights exist depends on the ABI the kernel offers.
"""

import ctypes
import errno
import os
import platform
import struct

_MACHINES = {"x86_64", "aarch64"}  # both number the calls alike
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1

_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}  # from that ABI on
_NETWORK_RIGHTS = {4: 0b11}  # bind and connect over TCP
_SCOPES = {6: 0b11}  # abstract Unix sockets, signals
_RULE_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64)]


def find_abi() -> int:
    """The Landlock ABI of this kernel; OSError where it has none or keeps it switched off."""
    if platform.machine() not in _MACHINES:
        raise OSError(errno.ENOSYS, f"Landlock is not known on {platform.machine()}")
    return _call(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)


def deny_everything() -> None:
    """Take every path from the calling thread, for good. Needs no_new_privs; open descriptors stay usable."""
    _restrict(None)


def allow_reading_beneath(folder: int) -> None:
    """Take every path but those beneath an open folder, whose files and folders can be read and nothing more.

    Calls that only ask about a path (stat, access, readlink) are none of Landlock's business.
    """
    _restrict(folder)


def _restrict(folder: int | None) -> None:
    abi = find_abi()
    ruleset = _Ruleset(_newest(_FILE_RIGHTS, abi), _newest(_NETWORK_RIGHTS, abi), _newest(_SCOPES, abi))
    # An older kernel refuses a structure with more fields than it knows, unless the rest is zero, as here.
    descriptor = _call(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(ctypes.sizeof(ruleset)), 0)
    try:
        if folder is not None:
            # struct landlock_path_beneath_attr is packed: 64 bits of rights, 32 of descriptor.
            rule = struct.pack("=Qi", _READ_FILE | _READ_DIR, folder)
            _call(_ADD_RULE, descriptor, _RULE_PATH_BENEATH, rule, 0)
        _call(_RESTRICT_SELF, descriptor, 0)
    finally:
        os.close(descriptor)


def _newest(rights: dict[int, int], abi: int) -> int:
    return max((value for since, value in rights.items() if since <= abi), default=0)


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.syscall(number, *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock: {os.strerror(code)}")
    return result
