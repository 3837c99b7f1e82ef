"""What publishing would show, to whom, and what is rare in it: asked before anybody asks for it. Changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.access import require_editor
from medtheca.domains.provenance.enums import ReviewState
from medtheca.domains.provenance.models import Accession, Cohort
from medtheca.domains.provenance.publication import askable_accessions, check_visibility
from medtheca.toolkit.anonymity import Person, Rare, find_rare, identifying_values
from medtheca.toolkit.schemas import DERMATOLOGY, public_metadata

_COLUMNS = (
    "pk",
    "image",
    "patient",
    "licence",
    "attribution",
    "review_state",
    "description__structured",
    "patient__public_id",
    "lesion__public_id",
    "image__width",
    "image__height",
)
_LEFT_OUT = {
    ReviewState.REJECTED: "rejected in review",
    ReviewState.FLAGGED: "flagged in review",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What a request to publish would come to as things stand.

    `left_out` counts images by reason; `example` is the public metadata of one that would be shown; `rare` are
    combinations that fewer than five patients share, here and in what the contributor has published.
    """

    visibility: str
    groups: list[str]
    opens: datetime | None
    number: int = 0
    awaiting: int = 0
    readers: int = 1
    left_out: dict[str, int] = field(default_factory=dict)
    licences: dict[str, int] = field(default_factory=dict)
    attributions: dict[str, int] = field(default_factory=dict)
    undescribed: int = 0
    without_patient: int = 0
    example: dict[str, dict[str, Any]] = field(default_factory=dict)
    rare: list[Rare] = field(default_factory=list)


def preview_publication(
    *,
    cohort: Cohort,
    user: User,
    visibility: str,
    accession_ids: Iterable[int] | None = None,
    opens: datetime | None = None,
    group_ids: Iterable[int] = (),
) -> Preview:
    """What `request_publication` with the same arguments would lead to. Raises `NotAllowed` or `Invalid`."""
    require_editor(user, cohort, to="ask for the publication of its images")
    groups = check_visibility(visibility=visibility, group_ids=group_ids, requester=user)
    found = askable_accessions(cohort, visibility)
    left_out: Counter[str] = Counter()
    if accession_ids is not None:
        named = set(accession_ids)
        found = found.filter(pk__in=named)
        left_out["not ready, asked for already, or published as widely"] = len(named) - found.count()
    rows = list(found.values_list(*_COLUMNS, named=True))
    for row in rows:
        if row.review_state in _LEFT_OUT:
            left_out[_LEFT_OUT[ReviewState(row.review_state)]] += 1
    shown = [row for row in rows if row.review_state not in _LEFT_OUT]
    return Preview(
        visibility=visibility,
        groups=[group.name for group in groups],
        opens=opens,
        number=len(shown),
        awaiting=sum(row.review_state == ReviewState.AWAITING for row in shown),
        readers=cohort.readers,
        left_out={reason: number for reason, number in left_out.items() if number},
        licences=dict(Counter(row.licence for row in shown).most_common()),
        attributions=dict(Counter(row.attribution for row in shown).most_common()),
        undescribed=sum(not row.description__structured for row in shown),
        without_patient=sum(row.patient is None for row in shown),
        example=_example(shown),
        rare=find_rare([_person(row) for row in shown], _published_beside(cohort, {row.pk for row in shown})),
    )


def _published_beside(cohort: Cohort, asked: set[int]) -> Iterator[Person]:
    """What the contributor has published before: its patients make combinations less rare."""
    rows = Accession.objects.filter(cohort__contributor=cohort.contributor_id, published__isnull=False)
    for row in rows.values_list("pk", "image", "patient", "description__structured", named=True).iterator():
        if row.pk not in asked:
            yield _person(row)


def _person(row: Any) -> Person:
    # Where no patient is named each image may be of another person, which is the careful way to count.
    subject = ("patient", row.patient) if row.patient is not None else ("image", row.image)
    return Person(subject, identifying_values(row.description__structured or {}))


def _example(shown: list[Any]) -> dict[str, dict[str, Any]]:
    """Public metadata of the image of which most is said."""
    if not shown:
        return {}
    row = max(shown, key=lambda row: len(row.description__structured or {}))
    ids = {"patient_id": row.patient__public_id, "lesion_id": row.lesion__public_id}
    return public_metadata(
        row.description__structured or {},
        pack=DERMATOLOGY,
        pixels_x=row.image__width,
        pixels_y=row.image__height,
        public_ids={name: value for name, value in ids.items() if value},
    )
