"""Files are decoded in the sandbox: what was found in each, its parts staged, or why it is refused."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import Staged
from medtheca.toolkit.images.reports import find_fault
from medtheca.workflows.decoding import decoder_pool

_log = logging.getLogger(__name__)


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

    def discard(self) -> None:
        """Let go of staged parts that were not kept: they must not pile up on a disk that may be full."""
        blob_store().discard(part for found in self.examined.values() for part in found.parts.values())


def examine_files(
    items: Sequence[tuple[int, Path]], *, into: Findings, options: Mapping[str, Any] | None = None
) -> None:
    """Decode files by key; what is staged is in `into` at once, so that the caller can discard it after a failure.

    `options` are those of `toolkit.images.tasks.run`.
    """
    store = blob_store()
    for outcome in decoder_pool().run([(str(key), path) for key, path in items], options):
        key, refusal = int(outcome.key), outcome.refusal
        if refusal is not None and refusal.code == "input_unreadable":
            into.missing[key] = refusal.message
        elif refusal is not None:
            into.refusals[key] = (refusal.code, refusal.message, refusal.remedy)
        elif fault := find_fault(outcome.report or {}, outcome.parts):
            # The file had taken its decoder over, or the decoder is ours and wrong: the log tells which.
            _log.error("The report on file %s is not sound: %s.", key, fault)
            into.refusals[key] = (
                "decoder_output",
                f"What the decoder made of this file cannot be used: {fault}.",
                "Check that the file opens in another program; export it again.",
            )
        elif outcome.report is not None:
            found = into.examined[key] = Examined(outcome.report)
            for name, data in outcome.parts.items():
                found.parts[name] = store.stage([data])
