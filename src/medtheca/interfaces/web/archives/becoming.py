"""What became of files that were uploaded to an archive: shown beside their verdicts, and on the upload's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse

from medtheca.domains.archives.access import may_edit
from medtheca.domains.archives.intakes import OPEN
from medtheca.domains.archives.queries import archive_of_cohort
from medtheca.domains.archives.uploaded import intake_of_delivery, items_of_intake

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.models import Intake
    from medtheca.domains.provenance.models import Delivery

_MOST_ITEMS = 12


def becoming(user: User, delivery: Delivery) -> dict[str, Any] | None:
    """For the page of verdicts: the archive of the delivery and what its images became there; nothing for others."""
    archive = archive_of_cohort(user, delivery.cohort_id)
    if archive is None or not (may_edit(user, archive) or delivery.upload.owner_id == user.pk):
        return None
    intake = intake_of_delivery(user, delivery.pk)
    shown: dict[str, Any] = {
        "title": archive.title,
        "url": reverse("archive", args=[archive.slug]),
        "items_url": reverse("archive_items", args=[archive.slug]),
        "uploads_url": reverse("archive_uploads", args=[archive.slug]),
        # Items are made by a job of their own, a moment after the last verdict.
        "running": intake is None or intake.state in OPEN,
    }
    if intake is None:
        return shown
    upload_url = reverse("archive_upload", args=[archive.slug, intake.pk])
    return (
        shown
        | {"words": intake.words, "failed": intake.state == "failed", "upload_url": upload_url}
        | items_shown(user, intake)
    )


def items_shown(user: User, intake: Intake) -> dict[str, Any]:
    """The first of the items that an upload became, with their pages, and how many there are."""
    found = items_of_intake(user, intake)
    return {
        "items": [
            {
                "label": item.title or f"Item {item.number}",
                "url": reverse("archive_item", args=[intake.archive.slug, item.pk]),
            }
            for item in found[:_MOST_ITEMS]
        ],
        "count": found.count(),
    }
