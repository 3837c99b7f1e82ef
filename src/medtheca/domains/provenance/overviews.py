"""Cohorts, deliveries and publish requests at a glance: lists with their counts, a few queries a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber

from medtheca.domains.access.access import scopes_joined
from medtheca.domains.access.enums import Role
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.access import visible_cohorts, visible_contributors
from medtheca.domains.provenance.enums import AccessionState, DeliveryState, Outcome, RequestState
from medtheca.domains.provenance.models import (
    Accession,
    Cohort,
    Contributor,
    Delivery,
    PublishItem,
    PublishRequest,
    Verdict,
)
from medtheca.domains.provenance.queries import verdicts_of


@dataclass(frozen=True, slots=True)
class ImageCounts:
    """How many images a cohort has, and how many of them are published."""

    images: int = 0
    published: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """Work under way: how much of it is done; `total` is null until known."""

    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class VerdictPage:
    """Verdicts in the order of their files, and whether there are others before and after."""

    verdicts: list[Verdict]
    has_previous: bool
    has_next: bool


def owned_contributors(user: User | None) -> QuerySet[Contributor]:
    """Contributors that the person answers for, by name; all for staff."""
    contributors = visible_contributors(user).order_by("institution_name", "pk")
    if user is None or user.is_staff:
        return contributors
    return contributors.filter(scope__in=scopes_joined(user, role=Role.OWNER).values("scope"))


def contributors_for(user: User | None) -> QuerySet[Contributor]:
    """Contributors that the person belongs to, by name, with their `cohort_number`; all for staff."""
    rows = visible_contributors(user).annotate(cohort_number=Count("cohorts"))
    return rows.order_by("institution_name", "pk")


def edited_contributors(user: User) -> QuerySet[Contributor]:
    """Contributors that the person owns or edits; all for staff."""
    if user.is_staff:
        return visible_contributors(user)
    mine = scopes_joined(user).filter(role__in=[Role.OWNER, Role.EDITOR])
    return Contributor.objects.filter(scope__in=mine.values("scope"))


def sister_cohorts(cohort: Cohort, user: User) -> QuerySet[Cohort]:
    """Other cohorts of the same contributor that the person may see, by name."""
    others = visible_cohorts(user).filter(contributor=cohort.contributor_id).exclude(pk=cohort.pk)
    return others.order_by("name", "pk")


def owned_cohorts(user: User | None) -> QuerySet[Cohort]:
    """Cohorts that the person may upload to, newest first; all for staff."""
    cohorts = visible_cohorts(user).select_related("contributor").order_by("-created", "-pk")
    if user is None or user.is_staff:
        return cohorts
    mine = scopes_joined(user).filter(role__in=[Role.OWNER, Role.EDITOR]).values("scope")
    return cohorts.filter(Q(scope__in=mine) | Q(contributor__scope__in=mine))


def cohorts_for(user: User | None) -> QuerySet[Cohort]:
    """Cohorts that the person belongs to, newest first; all for staff."""
    return visible_cohorts(user).select_related("contributor").order_by("-created", "-pk")


def count_images_of(cohorts: Sequence[Cohort]) -> dict[int, ImageCounts]:
    """Images and published images of each cohort."""
    rows = (
        Accession.objects.filter(cohort__in=cohorts, state=AccessionState.CONVERTED)
        .values_list("cohort")
        .annotate(images=Count("pk"), published=Count("pk", filter=Q(published__isnull=False)))
        .order_by()
    )
    found = {cohort: ImageCounts(images, published) for cohort, images, published in rows}
    return {cohort.pk: found.get(cohort.pk, ImageCounts()) for cohort in cohorts}


def deliveries_of(cohort: Cohort) -> QuerySet[Delivery]:
    """Deliveries to a cohort, newest first. The caller has asked for the cohort by `cohort_for`."""
    return Delivery.objects.select_related("upload", "cohort").filter(cohort=cohort).order_by("-created", "-pk")


def reception_under_way(user: User | None, *, everyone: bool = False) -> Progress | None:
    """Files of whole uploads that are being taken in, to the person's cohorts or to all; None where there are none."""
    whole = Q(state=DeliveryState.ARRIVING, upload__offset=F("upload__size"))
    busy = Delivery.objects.filter(whole | Q(state__in=[DeliveryState.UNPACKING, DeliveryState.CONVERTING]))
    if not everyone:
        busy = busy.filter(cohort__in=visible_cohorts(user).values("pk"))
    found = busy.aggregate(number=Count("pk"), known=Count("members"), total=Sum("members"))
    if not found["number"]:
        return None
    done = Verdict.objects.filter(delivery__in=busy.values("pk")).exclude(outcome=Outcome.WAITING).count()
    return Progress(done, found["total"] if found["known"] == found["number"] else None)


def publication_under_way(user: User | None, *, everyone: bool = False) -> Progress | None:
    """Images that are being published now, of the person's cohorts or of all; None where there are none."""
    accepted = PublishRequest.objects.filter(state=RequestState.PUBLISHING)
    if not everyone:
        accepted = accepted.filter(cohort__in=visible_cohorts(user).values("pk"))
    found = accepted.aggregate(done=Count("items", filter=Q(items__done=True)), total=Count("items"))
    return Progress(found["done"], found["total"]) if found["total"] else None


def verdict_page(
    delivery: Delivery, *, limit: int, outcome: str = "", after: int | None = None, before: int | None = None
) -> VerdictPage:
    """Verdicts behind the file `after`, or before the file `before`, by the files' ordinals."""
    verdicts = verdicts_of(delivery, outcome=outcome)
    if before is not None:
        rows = list(verdicts.filter(ordinal__lt=before).order_by("-ordinal")[: limit + 1])
        return VerdictPage(rows[:limit][::-1], has_previous=len(rows) > limit, has_next=True)
    rows = list((verdicts if after is None else verdicts.filter(ordinal__gt=after))[: limit + 1])
    return VerdictPage(rows[:limit], has_previous=after is not None, has_next=len(rows) > limit)


def verdict_of(accession: Accession) -> Verdict | None:
    """What the uploader was told about the file of an accession."""
    return Verdict.objects.filter(accession=accession).first()


def pending_request(cohort: Cohort) -> PublishRequest | None:
    """The oldest request of a cohort that staff has not decided on, with its `number` of images."""
    waiting = PublishRequest.objects.filter(cohort=cohort, state=RequestState.REQUESTED)
    return waiting.annotate(number=Count("items")).order_by("created", "pk").first()


def sample_images_of(requests: Sequence[PublishRequest], *, each: int) -> dict[int, list[Image]]:
    """The first `each` images of each request."""
    ranked = (
        PublishItem.objects.filter(request__in=requests)
        .annotate(rank=Window(RowNumber(), partition_by=F("request"), order_by="pk"))
        .filter(rank__lte=each)
        .select_related("accession__image")
    )
    found: dict[int, list[Image]] = {request.pk: [] for request in requests}
    for item in ranked:
        if item.accession.image is not None:
            found[item.request_id].append(item.accession.image)
    return found
