"""What became of files in the sandbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import Staged


@dataclass(frozen=True, slots=True)
class Examined:
    """What the sandbox found in one file, its parts staged."""

    report: dict[str, Any]
    parts: dict[str, Staged] = field(default_factory=dict)


@dataclass(slots=True)
class Findings:
    """What became of files, by the callers' keys: examined, refused with code, words and remedy, or not readable."""

    examined: dict[int, Examined] = field(default_factory=dict)
    refusals: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    missing: dict[int, str] = field(default_factory=dict)

    def knows(self, key: int) -> bool:
        """Whether anything became of a file."""
        return key in self.examined or key in self.refusals or key in self.missing

    def discard(self) -> None:
        """Let go of staged parts that were not kept: they must not pile up on a disk that may be full."""
        blob_store().discard(part for found in self.examined.values() for part in found.parts.values())
