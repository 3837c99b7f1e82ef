"""Ports for servers of tests: chosen long before they are bound, while sessions beside this one choose, too."""

import fcntl
import os
import secrets
import socket
import tempfile
from pathlib import Path

_LOWEST, _HIGHEST = 10_000, 32_000
"""Below what Linux gives to whoever asks for any port, or connects somewhere."""
_held = []


def reserve_port():
    """A port that is free, and that no other session of tests is given while this one lasts."""
    folder = Path(tempfile.gettempdir()) / f"medtheca-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    while True:
        # Not of `random`, which begins anew with each test.
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        lock = (folder / str(port)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        if is_free(port):
            _held.append(lock)
            return port
        lock.close()


def is_free(port):
    """Whether nobody listens on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
