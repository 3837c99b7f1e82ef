"""Reading contributors, cohorts, accessions and what became of deliveries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from medtheca.base.errors import NotFound
from medtheca.domains.access.access import scopes_joined
from medtheca.domains.access.enums import Role
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.access import visible_accessions, visible_cohorts, visible_contributors
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
from medtheca.domains.storage.bundles import Part, parts_of
from medtheca.toolkit.names import name_key

ANONYMOUS = "Anonymous"
"""Whose work an image is of which nobody is named."""

_CHUNK = 2000


def contributor_for(user: User | None, contributor_id: int) -> Contributor:
    """A contributor that the person may see. Raises `NotFound`."""
    found = visible_contributors(user).filter(pk=contributor_id).first()
    if found is None:
        raise NotFound(f"There is no contributor {contributor_id}.")
    return found


def cohort_for(user: User | None, cohort_id: int) -> Cohort:
    """A cohort that the person may see. Raises `NotFound`."""
    found = visible_cohorts(user).select_related("contributor").filter(pk=cohort_id).first()
    if found is None:
        raise NotFound(f"There is no cohort {cohort_id}.")
    return found


def accession_for(user: User | None, accession_id: int) -> Accession:
    """An accession that the person may see. Raises `NotFound`."""
    found = visible_accessions(user).select_related("cohort", "image").filter(pk=accession_id).first()
    if found is None:
        raise NotFound(f"There is no accession {accession_id}.")
    return found


def original_files(accession: Accession) -> list[Part]:
    """The files that an accession's image is made of, one or several; none where it was refused.

    The caller has found the accession by `accession_for`: their names may tell more than the public may know.
    """
    original = accession.original
    if original is None:
        return []
    return parts_of([original.pk]).get(original.pk) or [Part(accession.name, original)]


def delivery_for(user: User | None, upload_id: UUID) -> Delivery:
    """A delivery to a cohort that the person may see. Raises `NotFound`."""
    found = (
        Delivery.objects.select_related("upload", "cohort__contributor")
        .filter(_told(user), upload_id=upload_id)
        .first()
    )
    if found is None:
        raise NotFound(f"There is no upload {upload_id}.")
    return found


def deliveries_for(user: User | None) -> QuerySet[Delivery]:
    """Deliveries to the person's cohorts, newest first."""
    return Delivery.objects.select_related("upload", "cohort").filter(_told(user)).order_by("-created", "-pk")


def _told(user: User | None) -> Q:
    """Deliveries of which the person is told: to their cohorts, and their own to archives in which they may upload."""
    told = Q(cohort__in=visible_cohorts(user).values("pk"))
    if user is None:
        return told
    uploading = scopes_joined(user, role=Role.UPLOADER).values("scope")
    return told | Q(upload__owner=user, cohort__archive__in=uploading)


def cohort_to_upload(user: User | None, cohort_id: int) -> Cohort:
    """A cohort that the person may see, or that of an archive in which they may upload. Raises `NotFound`."""
    if user is not None:
        uploading = scopes_joined(user, role=Role.UPLOADER).values("scope")
        found = Cohort.objects.select_related("contributor").filter(pk=cohort_id, archive__in=uploading).first()
        if found is not None:
            return found
    return cohort_for(user, cohort_id)


@dataclass(frozen=True, slots=True)
class DeliverySummary:
    """Counts of a delivery's verdicts; `members` is null until the container was read."""

    state: str
    members: int | None
    waiting: int
    accepted: int
    linked: int
    duplicate: int
    skipped: int
    refused: int

    @property
    def settled(self) -> int:
        """Files whose verdict is final."""
        return self.accepted + self.linked + self.duplicate + self.skipped + self.refused

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in {DeliveryState.DONE, DeliveryState.REFUSED}


def summarise_delivery(delivery: Delivery) -> DeliverySummary:
    """Count what became of a delivery's files so far."""
    counts = dict(
        Verdict.objects.filter(delivery=delivery).values_list("outcome").annotate(number=Count("pk")).order_by()
    )
    return DeliverySummary(
        state=delivery.state,
        members=delivery.members,
        **{outcome.value: counts.get(outcome.value, 0) for outcome in Outcome},
    )


def verdicts_of(delivery: Delivery, *, outcome: str = "") -> QuerySet[Verdict]:
    """Verdicts of a delivery in the order of its files, of one outcome where that is given."""
    verdicts = Verdict.objects.filter(delivery=delivery).select_related("accession__image", "other").order_by("ordinal")
    return verdicts.filter(outcome=outcome) if outcome else verdicts


def publishable_accessions(cohort: Cohort) -> QuerySet[Accession]:
    """Converted accessions of a cohort that nobody has yet asked to publish, and that are not withdrawn."""
    asked = PublishItem.objects.filter(
        request__cohort=cohort, request__state__in=[RequestState.REQUESTED, RequestState.PUBLISHING]
    )
    return (
        Accession.objects.filter(cohort=cohort, state=AccessionState.CONVERTED, published__isnull=True)
        .filter(image__withdrawal__isnull=True)
        .exclude(pk__in=asked.values("accession"))
        .order_by("pk")
    )


def publish_requests_for(user: User | None) -> QuerySet[PublishRequest]:
    """Requests to publish from the person's cohorts; all for staff; newest first."""
    return (
        PublishRequest.objects.select_related("cohort__contributor", "requester", "decided_by")
        .prefetch_related("groups")
        .filter(cohort__in=visible_cohorts(user).values("pk"))
        .annotate(number=Count("items"))
        .order_by("-created", "-pk")
    )


def counts_of_cohort(cohort: Cohort) -> dict[str, int]:
    """Accessions of a cohort by state, and how many are published."""
    states = dict(Accession.objects.filter(cohort=cohort).values_list("state").annotate(number=Count("pk")).order_by())
    return {
        **{state.value: states.get(state.value, 0) for state in AccessionState},
        "published": Accession.objects.filter(cohort=cohort, published__isnull=False).count(),
    }


def accessions_of_images(image_ids: Iterable[int]) -> dict[int, Accession]:
    """The accession of each image, with cohort, patient, lesion and description."""
    rows = Accession.objects.filter(image__in=list(image_ids)).select_related(
        "cohort", "patient", "lesion", "description"
    )
    return {row.image_id: row for row in rows if row.image_id is not None}


@dataclass(frozen=True, slots=True)
class Credit:
    """Whose work images are and under which licence (SPDX), with their number."""

    licence: str
    attribution: str
    count: int


def credits_among(images: QuerySet[Image]) -> list[Credit]:
    """Licences and attributions of images, most images first, anonymous ones last. The caller may see the images."""
    rows = Accession.objects.filter(image__in=images.values("pk"))
    counted = rows.values_list("licence", "attribution").annotate(number=Count("pk")).order_by()
    found = [Credit(licence, attribution or ANONYMOUS, number) for licence, attribution, number in counted]
    return sorted(found, key=lambda one: (one.attribution == ANONYMOUS, -one.count, one.attribution, one.licence))


def accessions_by_name(cohort: Cohort, names: Iterable[str]) -> dict[str, Accession]:
    """Accessions of a cohort for names as a spreadsheet writes them: with or without folder and extension.

    A name without extension counts only where one accession alone has it. Refused accessions are not there.
    """
    there = Accession.objects.filter(cohort=cohort).exclude(state=AccessionState.REFUSED)
    # Of the whole cohort only names are held; what is said of an accession is read for those that are named.
    by_key = dict(there.values_list("name_key", "pk").iterator())
    stems: dict[str, list[int]] = {}
    for key, pk in by_key.items():
        stems.setdefault(key.rpartition(".")[0] or key, []).append(pk)
    wanted: dict[str, int] = {}
    for name in names:
        key = name_key(name.replace("\\", "/").rsplit("/", 1)[-1])
        alike = stems.get(key, [])
        if key in by_key:
            wanted[name] = by_key[key]
        elif len(alike) == 1:
            wanted[name] = alike[0]
    ids = sorted(set(wanted.values()))
    rows: dict[int, Accession] = {}
    for start in range(0, len(ids), _CHUNK):
        rows |= there.select_related("description").in_bulk(ids[start : start + _CHUNK])
    return {name: rows[pk] for name, pk in wanted.items() if pk in rows}


def find_cohorts_named(user: User | None, name_or_id: str) -> list[Cohort]:
    """The person's cohorts of this id, or else of this name."""
    mine = visible_cohorts(user).select_related("contributor")
    if name_or_id.isdecimal() and (found := mine.filter(pk=int(name_or_id)).first()):
        return [found]
    return list(mine.filter(name=name_or_id).order_by("pk"))
