"""What every page of a spreadsheet shows on top: its name, its state, and the steps to its application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse

from medtheca.domains.metadata.enums import MetadataFileState
from medtheca.domains.metadata.sheets import CHANGEABLE, RUNNING
from medtheca.interfaces.web.deliveries import metadata_words
from medtheca.workflows.describing.report import unclear_columns

if TYPE_CHECKING:
    from medtheca.domains.metadata.models import MetadataFile

_OVER = {MetadataFileState.APPLIED, MetadataFileState.UNDONE}


def sheet_context(file: MetadataFile, *, step: str = "") -> dict[str, Any]:
    """Context of `pages/sheets/frame.html`; `step` is the one that is looked at."""
    report = file.report
    return {
        "file": {
            "id": file.pk,
            "name": file.name,
            "state": file.state,
            "created": file.created,
            "by": file.creator.shown_name,
            "words": metadata_words(file),
            "rows": file.rows,
            "done": file.done,
            "total": file.total,
            "reason": file.reason,
            "url": reverse("metadata_file", args=[file.pk]),
        },
        "running": file.state in RUNNING,
        # While it is being applied or undone, and where it was applied, what it says is fixed.
        "changeable": file.state in CHANGEABLE and file.state != MetadataFileState.CHECKING,
        "cohort": {"name": file.cohort.name, "url": reverse("cohort", args=[file.cohort_id])},
        "report": report,
        "steps": _steps(file, step) if report.get("columns") else [],
    }


def _steps(file: MetadataFile, current: str) -> list[dict[str, Any]]:
    report = file.report
    to_do = {
        "columns": len(unclear_columns(report)),
        "names": len(report.get("unmatched_rows", [])),
        "problems": report.get("problem_count", 0),
        "preview": 0,
    }
    words = {"columns": "Columns", "names": "File names", "problems": "Problems", "preview": "What changes"}
    if file.state in _OVER:
        words = {"preview": "What it changed"}
    return [
        {
            "name": name,
            "label": words[name],
            "count": to_do[name],
            "url": reverse(f"metadata_{name}", args=[file.pk]),
            "current": name == current,
        }
        for name in words
    ]
