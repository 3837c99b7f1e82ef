"""The words of the sandbox: limits, levels, outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from medtheca.toolkit.errors import Problem as Refusal

__all__ = ["CaseLimits", "CaseOutcome", "Level", "Limits", "Outcome", "Refusal", "SandboxUnavailable"]


class SandboxUnavailable(Exception):
    """Decoding is not possible here: the fence is missing, or the decoder's code cannot be loaded."""


class Level(StrEnum):
    """Which fences stand between a decoder and the machine."""

    FULL = "landlock+seccomp+rlimits"
    SECCOMP = "seccomp+rlimits"
    LANDLOCK = "landlock+rlimits"
    RLIMITS_ONLY = "rlimits"

    @property
    def uses_landlock(self) -> bool:
        return self in {Level.FULL, Level.LANDLOCK}

    @property
    def uses_seccomp(self) -> bool:
        return self in {Level.FULL, Level.SECCOMP}

    @classmethod
    def of(cls, *, landlock: bool, seccomp: bool) -> "Level":
        """The level that these two fences make.

        >>> Level.of(landlock=True, seccomp=False)
        <Level.LANDLOCK: 'landlock+rlimits'>
        """
        if seccomp:
            return cls.FULL if landlock else cls.SECCOMP
        return cls.LANDLOCK if landlock else cls.RLIMITS_ONLY


@dataclass(frozen=True, slots=True)
class Limits:
    """What decoding one file may cost.

    `memory_bytes` is address space beyond what the loaded libraries and the mapped input take.
    `cpu_seconds` is what a file is sure to get; a child that has decoded others before it may grant a quarter more.
    `wall_seconds` counts while somebody waits for the outcome. `output_bytes` is report and parts together.
    """

    memory_bytes: int = 1_500_000_000
    cpu_seconds: int = 60
    wall_seconds: float = 90
    output_bytes: int = 256_000_000
    report_bytes: int = 8_000_000
    open_files: int = 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: a report with named parts, or a refusal. `key` is the caller's own."""

    key: str
    report: dict[str, Any] | None
    parts: dict[str, bytes]
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class CaseLimits:
    """What decoding one case may cost. Slides take minutes, so these are wider than those of a photograph.

    `memory_bytes` is memory of the child's own beyond what the loaded libraries take; mapped files do not count.
    `wall_seconds` counts without the time that the caller's `progress` takes. `output_bytes` is all outputs together.
    `open_files` is how many files of the folder may be open at once. `threads` allows starting some, which OpenSlide
    cannot do without for one format (.vms: it dies of SIGTRAP); processes are never allowed.
    """

    memory_bytes: int = 1_500_000_000
    cpu_seconds: int = 1800
    wall_seconds: float = 3600
    output_bytes: int = 16_000_000_000
    report_bytes: int = 8_000_000
    open_files: int = 256
    threads: bool = False


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """What became of a case: a report and the sizes of the outputs in bytes, or a refusal.

    `retry`: the fault is ours and not the files' (a full disk, a folder that cannot be read, a machine without
    memory), so the same case may do well later. What is in the outputs of a refused case is of no use.
    """

    report: dict[str, Any] | None
    sizes: Mapping[str, int]
    refusal: Refusal | None
    retry: bool = False
