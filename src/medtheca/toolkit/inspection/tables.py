"""The report of a trial as plain JSON, and as rows for a CSV."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from medtheca.toolkit.inspection.sheets import SheetReport
from medtheca.toolkit.inspection.values import REFUSALS, FilesReport

CSV_HEADER = (
    "path", "container", "outcome", "code", "words", "remedy", "size", "format", "width", "height", "removed", "exif",
    "alike", "image", "kind", "depth", "timepoints", "spacing", "modality", "notes",
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
        "images": [asdict(image) for image in files.images],
        "metadata": None if sheet is None else asdict(sheet),
    }


def csv_rows(report: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """The header, ZIPs that could not be read, then every file."""
    yield CSV_HEADER
    for item in report["refused"]:
        yield (item["container"], "", "refused", item["code"], item["message"], item["remedy"], *[""] * 14)
    images = {image["number"]: image for image in report.get("images", ())}
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
            *_of_image(images.get(file.get("image", 0))),
        )


def _of_image(image: Mapping[str, Any] | None) -> tuple[object, ...]:
    if image is None:
        return ("",) * 7
    spacing = image["spacing"] or {}
    return (
        image["name"],
        image["kind"],
        image["size"][2] or "",
        image["timepoints"] or "",
        " ".join(f"{axis}={length:g}" for axis, length in spacing.items() if length is not None),
        image["facts"].get("modality", ""),
        " ".join(image["notes"]),
    )
