"""What waits for reviewers: whose it is to judge, in which order, and what was said of it before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from medtheca.domains.access.access import scopes_joined
from medtheca.domains.access.enums import Role
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.access import brought_by, may_review, require_reviewer
from medtheca.domains.provenance.enums import AccessionState, ReviewState, VersionState
from medtheca.domains.provenance.models import Accession, Cohort, FileVersion, Review
from medtheca.domains.provenance.queries import cohort_for

OPEN = (ReviewState.AWAITING, ReviewState.FLAGGED)
"""States in which somebody still has to say something."""


@dataclass(frozen=True, slots=True)
class QueuedCohort:
    """A cohort with images that the person can judge: how many, how many of them flagged, since when."""

    cohort: Cohort
    waiting: int
    flagged: int
    oldest: datetime


def reviewed_cohorts(user: User | None) -> QuerySet[Cohort]:
    """Cohorts whose images the person may judge; all for staff. Owning a cohort is no licence to judge it."""
    if user is None or not user.is_active:
        return Cohort.objects.none()
    if user.is_staff:
        return Cohort.objects.all()
    judged = scopes_joined(user, role=Role.REVIEWER).values("scope")
    owned = scopes_joined(user, role=Role.OWNER).values("scope")
    mine = Cohort.objects.filter(Q(scope__in=judged) | Q(contributor__scope__in=judged))
    return mine.exclude(Q(scope__in=owned) | Q(contributor__scope__in=owned))


def reviewed_cohort_for(user: User, cohort_id: int) -> Cohort:
    """A cohort to judge. Raises `NotFound`, or `NotAllowed` for those of its people who do not judge it."""
    cohort = cohort_for(user, cohort_id)
    require_reviewer(user, cohort, to="judge its images")
    return cohort


def judged_by(user: User) -> QuerySet[Accession]:
    """Accessions with a picture that the person may judge: not withdrawn, and not brought by themselves."""
    rows = Accession.objects.filter(
        cohort__in=reviewed_cohorts(user).values("pk"),
        state=AccessionState.CONVERTED,
        image__withdrawal__isnull=True,
    )
    return rows if user.is_staff else rows.exclude(brought_by(user))


def waiting_for(user: User) -> QuerySet[Accession]:
    """Accessions that wait for the person: not decided, and not yet judged by them.

    What is published waits again only while a new file of it does.
    """
    said = Review.objects.filter(accession=OuterRef("pk"), reviewer=user, standing=True)
    candidate = FileVersion.objects.filter(accession=OuterRef("pk"), state=VersionState.CANDIDATE)
    rows = judged_by(user).filter(Q(published__isnull=True) | Exists(candidate), review_state__in=OPEN)
    return rows.exclude(Exists(said))


def found_in_state(user: User, state: str) -> QuerySet[Accession]:
    """Accessions that the person may judge in a state, as far as they may know of it."""
    rows = judged_by(user).filter(review_state=state)
    if state not in OPEN:
        return rows
    said = Review.objects.filter(accession=OuterRef("pk"), reviewer=user, standing=True)
    return rows.filter(Q(cohort__readers=1) | Exists(said))


def review_queue(user: User, *, cohort_ids: Collection[int] | None = None) -> list[QueuedCohort]:
    """Cohorts with images that wait for the person, the one with the oldest first; of all cohorts or of some."""
    rows = waiting_for(user)
    if cohort_ids is not None:
        rows = rows.filter(cohort__in=cohort_ids)
    counts = (
        rows.order_by()
        .values_list("cohort")
        .annotate(
            waiting=Count("pk"),
            # Of two readers, the second does not learn that the first has flagged.
            flagged=Count("pk", filter=Q(review_state=ReviewState.FLAGGED, cohort__readers=1)),
            oldest=Min("created"),
        )
        .order_by("oldest", "cohort")
    )
    cohorts = Cohort.objects.select_related("contributor").in_bulk([row[0] for row in counts])
    return [QueuedCohort(cohorts[pk], waiting, flagged, oldest) for pk, waiting, flagged, oldest in counts]


def may_read_reviews(user: User, accession: Accession) -> bool:
    """Whether the person may know what others said: with two readers a reader does not, until they have decided."""
    if accession.cohort.readers < 2 or accession.review_state not in OPEN or not may_review(user, accession.cohort):
        return True
    return Review.objects.filter(accession=accession, reviewer=user, standing=True).exists()


def reviews_for(user: User, accession: Accession) -> list[Review]:
    """What was said of an accession, newest first, as far as the person may know it; one's own always."""
    rows = Review.objects.filter(accession=accession).select_related("reviewer").order_by("-pk")
    return list(rows if may_read_reviews(user, accession) else rows.filter(reviewer=user))


def review_states_for(user: User, accessions: Sequence[Accession]) -> dict[int, str]:
    """What reviews come to, by accession, as far as the person may know it. Give accessions with their cohorts."""
    blind = [row for row in accessions if row.cohort.readers > 1 and row.review_state in OPEN]
    judged = {row.cohort_id: row.cohort for row in blind}
    hidden = {pk for pk, cohort in judged.items() if may_review(user, cohort)}
    said = Review.objects.filter(accession__in=[row.pk for row in blind], reviewer=user, standing=True)
    spoken = set(said.values_list("accession", flat=True)) if hidden else set()
    return {
        row.pk: ReviewState.AWAITING.value
        if row in blind and row.cohort_id in hidden and row.pk not in spoken
        else str(row.review_state)
        for row in accessions
    }


def candidates_of(accession_ids: Collection[int]) -> dict[int, int]:
    """Of accessions whose new file waits for review, the number of its version: that is what is judged."""
    rows = FileVersion.objects.filter(accession__in=accession_ids, state=VersionState.CANDIDATE)
    return dict(rows.values_list("accession", "number"))


def beside(accession: Accession, rows: QuerySet[Accession], *, most: int = 24) -> dict[str, list[Accession]]:
    """Other accessions among `rows` of the same lesion, and of the same patient but another lesion."""
    others = rows.filter(image__isnull=False).exclude(pk=accession.pk).select_related("image", "cohort")
    found: dict[str, list[Accession]] = {"lesion": [], "patient": []}
    if accession.lesion_id is not None:
        found["lesion"] = list(others.filter(lesion=accession.lesion_id).order_by("-pk")[:most])
    if accession.patient_id is not None:
        rest = others.filter(patient=accession.patient_id)
        rest = rest.exclude(lesion=accession.lesion_id) if accession.lesion_id is not None else rest
        found["patient"] = list(rest.order_by("-pk")[:most])
    return found
