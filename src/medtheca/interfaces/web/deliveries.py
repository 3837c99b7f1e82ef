"""Uploads and metadata files in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from medtheca.domains.metadata.enums import MetadataFileState
from medtheca.domains.provenance.enums import DeliveryState, Outcome
from medtheca.domains.provenance.queries import DeliverySummary
from medtheca.domains.provenance.summaries import summarise_deliveries

if TYPE_CHECKING:
    from medtheca.domains.metadata.models import MetadataFile
    from medtheca.domains.provenance.models import Delivery

OUTCOMES = {
    Outcome.ACCEPTED: "accepted",
    Outcome.LINKED: "accepted and linked",
    Outcome.DUPLICATE: "with a name that is taken",
    Outcome.SKIPPED: "skipped",
    Outcome.REFUSED: "refused",
    Outcome.WAITING: "waiting",
}


def summary_words(summary: DeliverySummary) -> str:
    """Such as "212 accepted, 3 refused, 5 skipped"; nothing before the first verdict."""
    counts = [(getattr(summary, outcome.value), words) for outcome, words in OUTCOMES.items()]
    return ", ".join(f"{number:,} {words}" for number, words in counts if number)


def upload_rows(deliveries: Iterable[Delivery], *, with_cohort: bool = False) -> list[dict[str, Any]]:
    """Rows of `pages/parts/deliveries.html`."""
    listed = list(deliveries)
    summaries = summarise_deliveries(listed)
    return [
        {
            "name": delivery.upload.filename,
            "url": reverse("upload_verdicts", args=[delivery.upload_id]),
            "state": shown_state(delivery),
            "words": delivery.refusal or _words(delivery, summaries[delivery.upload_id]),
            "cohort": delivery.cohort.name if with_cohort else "",
            "created": delivery.created,
        }
        for delivery in listed
    ]


def shown_state(delivery: Delivery) -> str:
    """`uploading` while bytes are missing, else the delivery's own state."""
    incomplete = delivery.upload.offset < delivery.upload.size
    return "uploading" if delivery.state == DeliveryState.ARRIVING and incomplete else delivery.state


def _words(delivery: Delivery, summary: DeliverySummary) -> str:
    if shown_state(delivery) == "uploading":
        return f"{100 * delivery.upload.offset // delivery.upload.size} % is here"
    return summary_words(summary)


def metadata_rows(files: Iterable[MetadataFile]) -> list[dict[str, Any]]:
    """Rows of `pages/parts/deliveries.html` for spreadsheets."""
    return [
        {
            "name": file.name,
            "url": reverse("metadata_file", args=[file.pk]),
            "state": file.state,
            "words": metadata_words(file),
            "created": file.created,
        }
        for file in files
    ]


def metadata_words(file: MetadataFile) -> str:
    """What came of a spreadsheet, in one line."""
    report, state = file.report, MetadataFileState(file.state)
    if state == MetadataFileState.INVALID:
        number = report.get("problem_count") or len(report.get("problems", []))
        return f"{number:,} problem{'' if number == 1 else 's'}; nothing was applied"
    if state == MetadataFileState.READY:
        return f"ready: it would change {report.get('changing', 0):,} images"
    if state == MetadataFileState.UNDONE:
        left = report.get("conflicts", 0)
        return f"undone: {report.get('undone', 0):,} images are as before" + (f", {left:,} left alone" if left else "")
    if state != MetadataFileState.APPLIED:
        return ""
    parts = [f"{report.get('matched', 0):,} of {file.rows or 0:,} rows matched an image"]
    parts.append(f"{report.get('changed', 0):,} changed one")
    return ", ".join(parts)
