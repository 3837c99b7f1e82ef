"""A spreadsheet of this machine as its cells; a workbook only behind the fence."""

from pathlib import Path

from medtheca.toolkit.sandbox import DecoderPool, Limits
from medtheca.toolkit.schemas import Sheet, TableError, TableLimits, TableProblem, read_sheet
from medtheca.toolkit.schemas.workbook import is_workbook, sheet_of_lines

_TASK = "medtheca.toolkit.schemas.workbook:read_workbook"
_FENCE = Limits(memory_bytes=900_000_000, cpu_seconds=60, wall_seconds=120, output_bytes=128_000_000)
_REMEDY = "Save the sheet as CSV UTF-8 in your spreadsheet program and give that."


def open_spreadsheet(path: Path, *, limits: TableLimits, allow_unsafe: bool = False) -> Sheet:
    """The sheet. Raises `TableError`, and `SandboxUnavailable` for a workbook where the kernel has no fence."""
    size = path.stat().st_size
    if size > limits.size:
        message = f"The file has {size:,} bytes; {limits.size:,} is the most."
        raise _error("too_big", message, "Split it into several spreadsheets.")
    with path.open("rb") as file:
        head = file.read(8)
    if not is_workbook(head):
        return read_sheet(path.read_bytes(), limits=limits)
    # A pool that lives as long as the reading: workbooks are few.
    with DecoderPool(_TASK, size=1, limits=_FENCE, allow_unsafe=allow_unsafe) as pool:
        (outcome,) = pool.run([("workbook", path)], {"rows": limits.rows, "columns": limits.columns})
    if outcome.refusal is not None:
        code = outcome.refusal.code
        if code.startswith("decoder_"):
            raise _error(code, f"The workbook cannot be read ({code.removeprefix('decoder_')}).", _REMEDY)
        raise _error(code, outcome.refusal.message, outcome.refusal.remedy)
    assert outcome.report is not None
    return sheet_of_lines(outcome.report, outcome.parts["lines"], limits=limits)


def _error(code: str, message: str, remedy: str) -> TableError:
    return TableError([TableProblem(line=0, code=code, message=message, remedy=remedy)])
