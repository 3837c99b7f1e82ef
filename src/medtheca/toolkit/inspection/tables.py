"""The report of a trial as plain JSON, and as rows for a CSV."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from medtheca.toolkit.inspection.sheets import SheetReport
from medtheca.toolkit.inspection.values import REFUSALS, FilesReport

CSV_HEADER = (
    "path", "container", "outcome", "code", "words", "remedy", "size", "format", "width", "height", "removed", "exif",
    "alike",
)  # fmt: skip


def report_of(files: FilesReport, sheet: SheetReport | None) -> dict[str, Any]:
    """Everything found, as JSON can hold it. `clean` says that nothing would be refused."""
    refused = [{"container": name, **asdict(problem)} for name, problem in files.refused.items()]
    bad = bool(refused) or any(verdict.outcome in REFUSALS for verdict in files.verdicts)
    return {
        "clean": not bad and (sheet is None or not sheet.problem_count),
        "counts": files.counts(),
        "refused": refused,
        "files": [asdict(verdict) for verdict in files.verdicts],
        "metadata": None if sheet is None else asdict(sheet),
    }


def csv_rows(report: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """The header, ZIPs that could not be read, then every file."""
    yield CSV_HEADER
    for item in report["refused"]:
        yield (item["container"], "", "refused", item["code"], item["message"], item["remedy"], *[""] * 7)
    for file in report["files"]:
        yield (
            file["path"],
            file["container"],
            file["outcome"],
            file["code"],
            file["message"],
            file["remedy"],
            file["size"],
            file["format"],
            file["width"] or "",
            file["height"] or "",
            "; ".join(file["removed"]),
            "; ".join(file["exif"]),
            "; ".join(file["alike"]),
        )
