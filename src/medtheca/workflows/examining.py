"""Originals are decoded in the sandbox: what was found in each, its parts staged, or why it is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from medtheca.domains.storage.composing import compose
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import Staged
from medtheca.toolkit.images.reports import find_fault
from medtheca.toolkit.ranges.making import Copied
from medtheca.toolkit.ranges.readers import MemoryRanges
from medtheca.workflows.casing import Progress, cases_among, examine_case
from medtheca.workflows.decoding import decoder_pool
from medtheca.workflows.findings import Examined, Findings

_log = logging.getLogger(__name__)


def examine_originals(
    originals: Mapping[int, Blob],
    *,
    names: Mapping[int, str],
    into: Findings,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    enough: Callable[[], bool] = lambda: False,
) -> None:
    """Decode originals by key, whatever they are; what is staged is in `into` at once, so that it can be discarded.

    `names` are what the files are called. `progress` is told of cases only: photographs are done in a moment.
    Of photographs at least one is decoded, and none begun once there is `enough`: what is left is not known to `into`.
    `options` are those of `toolkit.images.tasks.run`, and of `toolkit.images.case_task.run` for cases.
    """
    cases = cases_among(originals, names)
    photographs = {key: blob for key, blob in originals.items() if key not in cases}
    if photographs:
        store = blob_store()
        items = [(key, store.path(blob.sha256)) for key, blob in photographs.items()]
        examine_files(items, into=into, options=options, enough=enough, sources=photographs)
    for key, parts in cases.items():
        examine_case(key, parts, into=into, options=options, progress=progress)


def examine_files(
    items: Sequence[tuple[int, Path]],
    *,
    into: Findings,
    options: Mapping[str, Any] | None = None,
    enough: Callable[[], bool] = lambda: False,
    sources: Mapping[int, Blob] | None = None,
) -> None:
    """Decode files by key; what is staged is in `into` at once, so that the caller can discard it after a failure.

    `options` are those of `toolkit.images.tasks.run`. `sources` are the files' blobs: public copies are composed of
    ranges of those where that saves much.
    """
    store = blob_store()
    for outcome in decoder_pool().run(_until(enough, items), options):
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
            source = (sources or {}).get(key)
            for name, data in outcome.parts.items():
                composed = _compose(data, outcome.report, source) if name == "public" and source else None
                found.parts[name] = composed or store.stage([data])


def _compose(data: bytes, report: Mapping[str, Any], source: Blob) -> Staged | None:
    """The public copy as ranges of its original, which it is but for what was taken out."""
    copies = [Copied(*numbers) for numbers in report.get("copied", [])]
    return compose(MemoryRanges(data), copies, source=source) if copies else None


def _until(enough: Callable[[], bool], items: Sequence[tuple[int, Path]]) -> Iterator[tuple[str, Path]]:
    # The first goes in any case, so that every turn gets something done.
    for place, (key, path) in enumerate(items):
        if place and enough():
            return
        yield str(key), path
