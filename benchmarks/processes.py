"""What a running `medtheca up` costs: processor time and memory of all its processes, by kind."""

import os
import threading
from collections import Counter
from pathlib import Path
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """A process and all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def kind(process: int) -> str:
    """postgres, decoders, web, worker or up."""
    words = _read(process, "cmdline").split(b"\0")
    if b"medtheca.toolkit.sandbox.server" in words:
        return "decoders"
    if words[0].startswith(b"postgres") or words[0].endswith(b"/postgres"):
        return "postgres"
    for name in (b"web", b"worker"):
        if name in words:
            return name.decode()
    return "up"


def cpu_seconds(root: int) -> Counter[str]:
    """Processor seconds so far, user and system, by kind.

    Those of a child that has ended are in its parent's `cutime` and `cstime`; here every parent waits for its children
    (the postmaster, the decoders' fork server, `up`), so nothing is lost, and nothing counted twice.
    """
    spent: Counter[str] = Counter()
    for process in tree(root):
        if fields := _stat(process):
            spent[kind(process)] += sum(map(int, fields[11:15])) / _TICKS  # type: ignore[assignment] - seconds
    return spent


def memory_mb(root: int) -> Counter[str]:
    """Proportional set size in MB, by kind: shared pages are shared out, so the sum is what the machine gives."""
    used: Counter[str] = Counter()
    for process in tree(root):
        for line in _read(process, "smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                used[kind(process)] += int(line.split()[1]) * 1024 / 1e6  # type: ignore[assignment] - megabytes
    return used


class PeakMemory:
    """Samples the memory of a tree of processes from the beginning to the end of a `with` block."""

    def __init__(self, root: int, *, every: float = 0.2) -> None:
        self.peak: Counter[str] = Counter()
        self.samples = 0
        self._root = root
        self._every = every
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._end.wait(self._every):
            now = memory_mb(self._root)
            self.samples += 1
            if now.total() > self.peak.total():
                self.peak = now


def _stat(process: int) -> list[bytes]:
    """Fields of /proc/PID/stat from the state on; empty where the process has gone."""
    return _read(process, "stat").rpartition(b")")[2].split()


def _read(process: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{process}/{name}").read_bytes()
    except OSError:
        return b""
