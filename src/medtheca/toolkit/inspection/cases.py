"""One case of a trial, decoded as the server decodes it; what is made of it is looked at and forgotten."""

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from medtheca.toolkit.errors import Problem
from medtheca.toolkit.images.case_folders import folder_of, limits_for
from medtheca.toolkit.images.case_reports import CASE_PARTS, find_case_fault
from medtheca.toolkit.sandbox import DecoderPool

_log = logging.getLogger(__name__)
_HEAD = 4096


def try_case(pool: DecoderPool, files: Sequence[tuple[str, Path]], *, scratch: Path) -> dict[str, Any] | Problem:
    """The report on a case, or why it is refused. `files` are paths within the case and where the bytes lie."""
    main = files[0][0]
    size = sum(path.stat().st_size for _, path in files)
    with (
        folder_of(files, scratch=scratch) as folder,
        tempfile.TemporaryDirectory(dir=scratch, prefix="made-", ignore_cleanup_errors=True) as made,
    ):
        outputs = {name: Path(made) / name for name in CASE_PARTS}
        options = {"main": main, "trial": True}
        limits = limits_for(size, main, head=_read_head(files[0][1]), most=pool.most_seconds)
        outcome = pool.run_case(options, folder=folder, outputs=outputs, limits=limits)
        if outcome.refusal is not None:
            return outcome.refusal
        report = outcome.report or {}
        heads = {name: _read_head(outputs[name]) for name, length in outcome.sizes.items() if length}
    if fault := find_case_fault(report, heads, trial=True):
        _log.error("The report on a case is not sound: %s.", fault)
        return unusable(fault)
    return report


def unusable(fault: str) -> Problem:
    """The refusal of a file whose report cannot be true: it had taken its decoder over, or the decoder is wrong."""
    return Problem(
        "decoder_output",
        f"What the decoder made of this file cannot be used: {fault}.",
        "Check that the file opens in another program; export it again.",
    )


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)
