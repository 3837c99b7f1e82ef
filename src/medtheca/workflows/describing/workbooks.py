"""Workbooks are opened in the sandbox, by a pool that lives as long as the reading.

They are few, and a fork server that waits for the next one would cost memory all day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from medtheca.toolkit.sandbox import DecoderPool, Limits
from medtheca.toolkit.schemas import Sheet, TableError, TableLimits, TableProblem
from medtheca.toolkit.schemas.workbook import sheet_of_lines

if TYPE_CHECKING:
    from pathlib import Path

_TASK = "medtheca.toolkit.schemas.workbook:read_workbook"
_FENCE = Limits(memory_bytes=900_000_000, cpu_seconds=60, wall_seconds=120, output_bytes=128_000_000)
_REMEDY = "Save the sheet as CSV UTF-8 in your spreadsheet program and give that."


def read_workbook_file(path: Path, *, limits: TableLimits | None = None) -> Sheet:
    """The sheet of a workbook. Raises `TableError`, and `SandboxUnavailable` where the kernel has no fence."""
    limits = limits or TableLimits()
    options = {"rows": limits.rows, "columns": limits.columns}
    with DecoderPool(_TASK, size=1, limits=_FENCE, allow_unsafe=settings.ENVIRONMENT.unsafe_decoders) as pool:
        (outcome,) = pool.run([("workbook", path)], options)
    if outcome.refusal is not None:
        code, message, remedy = outcome.refusal.code, outcome.refusal.message, outcome.refusal.remedy
        if code.startswith("decoder_"):
            # What kills its child is damaged, or made to: the person needs to know no more than that.
            message, remedy = f"The workbook cannot be read ({code.removeprefix('decoder_')}).", _REMEDY
        raise TableError([TableProblem(line=0, code=code, message=message, remedy=remedy)])
    assert outcome.report is not None
    return sheet_of_lines(outcome.report, outcome.parts["lines"], limits=limits)
