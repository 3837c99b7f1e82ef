"""The report of a metadata file: problems that are alike stand together, with the rows that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medtheca.domains.metadata.models import MetadataFile

_MOST_ROWS = 12
_MOST_GROUPS = 200


def grouped_problems(file: MetadataFile) -> list[dict[str, Any]]:
    """Problems by column and value, most frequent first: what is wrong, what would be right, and where."""
    groups: dict[tuple[str, str, str], dict[str, Any]] = {}
    for problem in file.report.get("problems", []):
        column = problem.get("field") or problem.get("column") or ""
        key = (column, problem.get("code", ""), problem.get("message", ""))
        group = groups.setdefault(
            key,
            {
                "column": column,
                "value": problem.get("value", ""),
                "message": problem.get("message", ""),
                "remedy": problem.get("remedy", ""),
                "rows": [],
                "count": 0,
            },
        )
        group["count"] += 1
        if len(group["rows"]) < _MOST_ROWS:
            group["rows"] += _rows(problem)
    ordered = sorted(groups.values(), key=lambda group: -group["count"])
    return [group | {"more": max(0, group["count"] - len(group["rows"]))} for group in ordered[:_MOST_GROUPS]]


def _rows(problem: dict[str, Any]) -> list[str]:
    # Problems between rows name them in their own way; those of one row have its line and file name.
    if problem.get("rows"):
        return [str(row) for row in problem["rows"][:_MOST_ROWS]]
    line, file = problem.get("line"), problem.get("file", "")
    return [f"row {line}" + (f" ({file})" if file else "")] if line else []
