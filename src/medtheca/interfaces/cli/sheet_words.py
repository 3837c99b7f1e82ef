"""What came of a sheet, in lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medtheca.domains.metadata.models import MetadataFile

_TOLD = 20
_NAMED = 5


def checked_lines(file: MetadataFile, email: str) -> list[str]:
    """What checking found: every cause of errors with its lines, or what would change and how to go on."""
    report = file.report
    lines = []
    if file.state == "invalid":
        number = report["problem_count"]
        lines.append(f"{number:,} error{'' if number == 1 else 's'}. Nothing was changed.")
        lines += [line for group in report["groups"][:_TOLD] for line in _group_lines(group)]
        if len(report["groups"]) > _TOLD:
            lines.append(f"  … and {len(report['groups']) - _TOLD:,} more kinds of error; --json lists them all.")
        lines.append("Mend the sheet and check it again. --errors FILE writes it with a column of errors.")
    else:
        lines.append(f"No errors. {report['matched']:,} rows name an image; {report['changing']:,} would change one.")
        for field, counts in report["fields"].items():
            lines.append(f"  {field}: {', '.join(f'{number:,} {kind}' for kind, number in counts.items())}")
        why = " --reason WHY" if report["published"] else ""
        lines.append(f"To apply it: medtheca metadata apply {file.pk} --as {email}{why}")
        if report["published"]:
            lines.append(f"  {report['published']:,} of the images are published: a reason is needed, and is public.")
    return lines + _remarks(report)


def ended_lines(file: MetadataFile) -> list[str]:
    """What applying or undoing came to."""
    report = file.report
    if file.state == "applied":
        lines = [f"Applied: {report['changed']:,} images have new values."]
        if report.get("skipped"):
            lines.append(f"  {report['skipped']:,} rows were left out: their images have changed since the check.")
        return [*lines, f"To take it back: medtheca metadata undo {file.pk}"]
    if file.state == "undone":
        lines = [f"Undone: {report['undone']:,} images are as they were."]
        if report.get("conflicts"):
            left = f"{report['conflicts']:,} have changed since and were left"
            lines.append(f"  {left}; --accept-conflicts takes them back too.")
        return lines
    return [f"The sheet is {file.state}."]


def _group_lines(group: dict[str, Any]) -> list[str]:
    where = ", ".join(f"{line:,}" for line in group["lines"][:_NAMED])
    more = " …" if group["count"] > _NAMED else ""
    column = group["column"] or group["field"] or "the sheet"
    return [
        f"  {column}, {group['count']:,} times (line {where}{more}): {group['message']}",
        f"      {group['remedy']}",
    ]


def _remarks(report: dict[str, Any]) -> list[str]:
    lines = []
    if unmatched := report.get("unmatched", []):
        number = report.get("unmatched_count", len(unmatched))
        more = " …" if number > _NAMED else ""
        lines.append(f"{number:,} rows name no image of the cohort: {', '.join(unmatched[:_NAMED])}{more}")
    for column in report.get("columns", []):
        if column["suggested"] and column["how"] != "chosen":
            name, field = column["column"], column["suggested"]
            lines.append(f"The column {name} is kept as it is. For the field {field}: --map {name}={field}")
    return lines + [f"Note: {note}" for note in report.get("notes", [])]
