"""What the pages of review show of an image: a tile, the picture, the panel beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from medtheca.domains.access.queries import visibility_of
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.provenance.access import visible_accessions
from medtheca.domains.provenance.enums import ReviewReason, ReviewState
from medtheca.domains.provenance.lookalikes import lookalikes_of
from medtheca.domains.provenance.queries import accessions_of_images
from medtheca.domains.provenance.review_queue import (
    beside,
    candidates_of,
    may_read_reviews,
    review_states_for,
    reviews_for,
)
from medtheca.domains.provenance.versions import file_versions_of
from medtheca.interfaces.http.file_urls import file_url
from medtheca.interfaces.web.facts import private_group, public_groups
from medtheca.interfaces.web.tiles import image_url, label_of

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.imaging.models import Image
    from medtheca.domains.provenance.models import Accession, Review

REASONS = [
    {"key": number, "code": code, "words": words} for number, (code, words) in enumerate(ReviewReason.choices, 1)
]
# Chips have a word of their own for "accepted" by the machine; these are people's.
STATE_WORDS = {
    ReviewState.AWAITING.value: "unreviewed",
    ReviewState.FLAGGED.value: "flagged",
    ReviewState.ACCEPTED.value: "accepted",
    ReviewState.REJECTED.value: "rejected",
}


def items_of(user: User, accessions: Sequence[Accession]) -> list[dict[str, Any]]:
    """Accessions with their images as tiles of the review gallery."""
    states, candidates = review_states_for(user, accessions), candidates_of([row.pk for row in accessions])
    return [
        _item(row, row.image, states[row.pk]) | _candidate_urls(row.pk, candidates.get(row.pk))
        for row in accessions
        if row.image is not None
    ]


def _candidate_urls(accession_id: int, number: int | None) -> dict[str, str]:
    """Where the pictures of a file are that waits to take the place of the present one; nothing where none does."""
    if number is None:
        return {}
    web, thumbnail = (
        reverse("accession_version_file", args=[accession_id, number, name]) for name in ("web", "thumbnail")
    )
    return {"web_url": web, "full_url": web, "thumbnail_url": thumbnail}


def _item(accession: Accession, image: Image, state: str) -> dict[str, Any]:
    return {
        "accession": accession.pk,
        "label": label_of(image, accession),
        "name": accession.name,
        "state": state,
        "chip": STATE_WORDS[state],
        "thumbnail_url": file_url(image, FileKind.THUMBNAIL),
        "web_url": file_url(image, FileKind.WEB),
        "full_url": file_url(image, FileKind.PUBLIC),
        "width": image.width,
        "height": image.height,
        "panel_url": reverse("review_panel", args=[accession.cohort_id, accession.pk]),
        "url": reverse("accession", args=[accession.pk]),
    }


def panel_of(user: User, accession: Accession) -> dict[str, Any]:
    """The panel: metadata, other images of lesion and patient, near-duplicates, what was said before."""
    (item,) = items_of(user, [accession])
    found = beside(accession, visible_accessions(user).filter(image__withdrawal__isnull=True))
    private = private_group(accession)
    number = candidates_of([accession.pk]).get(accession.pk)
    return {
        "item": item,
        "groups": [*public_groups(accession), *([private] if private else [])],
        "lesion": [_neighbour(row, row.image) for row in found["lesion"] if row.image],
        "patient": [_neighbour(row, row.image) for row in found["patient"] if row.image],
        "lookalikes": _lookalikes(user, accession),
        "duplicates_url": reverse("cohort_duplicates", args=[accession.cohort_id]),
        "reviews": [review_row(row) for row in reviews_for(user, accession)],
        "is_blind": not may_read_reviews(user, accession),
        "candidate": number,
        "published": accession.published,
        "text_suspected": _suspicion(accession, number),
    }


def _suspicion(accession: Accession, candidate: int | None) -> str:
    """Why the pixels that are judged may hold text: those of the file that waits, where one does."""
    for version in file_versions_of(accession) if candidate else ():
        if version.number == candidate:
            return str(version.facts.get("text_suspected", ""))
    return accession.image.text_suspected if accession.image else ""


def _neighbour(accession: Accession, image: Image) -> dict[str, Any]:
    return {
        "label": label_of(image, accession),
        "thumbnail_url": file_url(image, FileKind.THUMBNAIL),
        "web_url": file_url(image, FileKind.WEB),
        "url": reverse("accession", args=[accession.pk]),
    }


def _lookalikes(user: User, accession: Accession) -> list[dict[str, Any]]:
    found = lookalikes_of(user, accession)
    ids = [row.image.pk for row in found]
    accessions, visibilities = accessions_of_images(ids), visibility_of(ids)
    shown = []
    for row in found:
        other = accessions.get(row.image.pk)
        words = "same pixels" if row.same_pixels else f"{row.distance} of 64 bits differ"
        where = "" if other is None or other.cohort_id == accession.cohort_id else other.cohort.name
        shown.append(
            {
                "label": label_of(row.image, other),
                "thumbnail_url": file_url(row.image, FileKind.THUMBNAIL),
                "web_url": file_url(row.image, FileKind.WEB),
                "url": reverse("accession", args=[other.pk]) if other else image_url(row.image),
                "words": words,
                "cohort": where,
                "visibility": visibilities[row.image.pk].value,
            }
        )
    return shown


def review_row(review: Review) -> dict[str, Any]:
    """One line of the history."""
    return {
        "decision": review.decision,
        "by": review.reviewer.shown_name,
        "at": review.at,
        "code": ReviewReason(review.reason_code).label if review.reason_code else "",
        "reason": review.reason,
        "standing": review.standing,
        "file_version": review.file_version,
    }
