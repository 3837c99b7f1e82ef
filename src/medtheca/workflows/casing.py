"""Images that are not photographs are decoded in the sandbox one by one, each in a folder of its own."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from medtheca.base.errors import NoSpace
from medtheca.base.steps import step
from medtheca.domains.storage.bundles import Part, parts_of
from medtheca.domains.storage.composing import compose
from medtheca.domains.storage.layout import laid_out
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.queries import blob_store, space_is_short
from medtheca.domains.storage.stores import Staged
from medtheca.toolkit.images.case_folders import limits_for, plain_name
from medtheca.toolkit.images.case_reports import CASE_PARTS, COPIED, find_case_fault
from medtheca.toolkit.images.formats import is_case
from medtheca.toolkit.ranges.making import read_copies
from medtheca.toolkit.ranges.readers import FileRanges
from medtheca.toolkit.ranges.recipe import MOST_ENTRIES
from medtheca.workflows.decoding import decoder_pool
from medtheca.workflows.findings import Examined, Findings

_log = logging.getLogger(__name__)
_HEAD = 4096
_MOST_COPIES = 24 * MOST_ENTRIES
Progress = Callable[[int, float], None]
"""Told of a case, by the caller's key, which part of it is done; a few times a second at most."""


def cases_among(originals: Mapping[int, Blob], names: Mapping[int, str]) -> dict[int, list[Part]]:
    """Those of the originals that are cases, by the caller's key, with the files that each is made of.

    `names` are what the files are called: their suffixes are held against their content.
    """
    bundles = parts_of(blob.pk for blob in originals.values())
    found: dict[int, list[Part]] = {}
    for key, blob in originals.items():
        if blob.pk in bundles:
            found[key] = bundles[blob.pk]
        elif is_case(_head(blob)):
            found[key] = [Part(plain_name(names.get(key, "")), blob)]
    return found


def examine_case(
    key: int,
    parts: list[Part],
    *,
    into: Findings,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> None:
    """Decode one case; what was made of it is in `into` as soon as it lies on disk.

    Raises `NoSpace` where what is made comes to the disk reserve, which is many times what came in.
    """
    store = blob_store()
    size = sum(part.blob.size for part in parts)
    outputs: dict[str, Path] = {}
    made: dict[str, Staged] = {}
    try:
        for name in (*CASE_PARTS, COPIED):
            outputs[name] = store.new_file()
        with laid_out(parts) as folder:
            step("case.laid_out")
            outcome = decoder_pool().run_case(
                {**(options or {}), "main": parts[0].path},
                folder=folder,
                outputs=outputs,
                limits=limits_for(
                    size, parts[0].path, head=_head(parts[0].blob), most=settings.ENVIRONMENT.decoder_seconds
                ),
                key=str(key),
                progress=partial(_go_on, key, progress),
            )
            step("case.decoded")
        if outcome.refusal is not None:
            if outcome.retry:
                into.missing[key] = outcome.refusal.message
            else:
                into.refusals[key] = (outcome.refusal.code, outcome.refusal.message, outcome.refusal.remedy)
            return
        # A decoder that is quicker than its first word of progress is looked at here.
        _spare_reserve()
        report = outcome.report or {}
        heads = {name: _read_head(outputs[name]) for name, length in outcome.sizes.items() if length and name != COPIED}
        if fault := find_case_fault(report, heads):
            _log.error("The report on case %s is not sound: %s.", key, fault)
            into.refusals[key] = (
                "decoder_output",
                f"What the decoder made of this file cannot be used: {fault}.",
                "Check that the file opens in another program; export it again.",
            )
            return
        for name in report["parts"]:
            if name == "public" and (composed := _compose(outputs, parts[0].blob)):
                made[name] = composed
            else:
                made[name] = store.measure(outputs.pop(name))
        step("case.measured")
        into.examined[key] = Examined(report, made)
    except FileNotFoundError as error:
        into.missing[key] = f"its bytes are not in the store ({error.filename})"
    finally:
        for path in outputs.values():
            path.unlink(missing_ok=True)


def _compose(outputs: Mapping[str, Path], original: Blob) -> Staged | None:
    """The public part as ranges of the original where that saves much: tiles of a slide that were copied undecoded."""
    said = outputs[COPIED]
    if not 0 < said.stat().st_size <= _MOST_COPIES:
        return None
    with closing(FileRanges(os.open(outputs["public"], os.O_RDONLY | os.O_CLOEXEC))) as content:
        return compose(content, read_copies(said.read_bytes()), source=original)


def _go_on(key: int, progress: Progress | None, share: float) -> None:
    # Whatever is raised here ends the decoder, and its outputs go.
    _spare_reserve()
    if progress is not None:
        progress(key, share)


def _spare_reserve() -> None:
    if space_is_short():
        raise NoSpace("There is no space for what is made of an image; it waits.", remedy="Make space on the disk.")


def _head(blob: Blob) -> bytes:
    try:
        return _read_head(blob_store().path(blob.sha256))
    except FileNotFoundError:
        return b""  # The decoder finds that out again, and says it.


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)
