"""What became of each accession of a publish request."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from medtheca.base.bulk import update_rows
from medtheca.base.clock import now
from medtheca.domains.access.enums import Visibility
from medtheca.domains.provenance.enums import PublishOutcome, RequestState, ReviewState
from medtheca.domains.provenance.models import Accession, PublishItem, PublishRequest


@dataclass(frozen=True, slots=True)
class PublishCounts:
    """How many accessions of a request came to what; `waiting` ones are still to be looked at."""

    waiting: int = 0
    published: int = 0
    withdrawn: int = 0
    not_accepted: int = 0

    @property
    def total(self) -> int:
        """All that were asked for."""
        return self.waiting + self.published + self.withdrawn + self.not_accepted

    @property
    def done(self) -> int:
        """Those whose outcome is final."""
        return self.total - self.waiting


def count_outcomes(requests: Iterable[PublishRequest]) -> dict[int, PublishCounts]:
    """What became of the accessions of each request so far, by its id."""
    found: dict[int, dict[str, int]] = {request.pk: {} for request in requests}
    rows = PublishItem.objects.filter(request__in=list(found)).order_by().values_list("request", "outcome", "done")
    for request, outcome, done, number in rows.annotate(number=Count("pk")):
        # Before outcomes were kept, what was done was published.
        name = PublishOutcome.PUBLISHED if done and outcome == PublishOutcome.WAITING else PublishOutcome(outcome)
        found[request][name.value] = found[request].get(name.value, 0) + number
    return {pk: PublishCounts(**counts) for pk, counts in found.items()}


def items_of(request: PublishRequest) -> QuerySet[PublishItem]:
    """Accessions of a request in the order of their taking-in, with their images."""
    return PublishItem.objects.filter(request=request).select_related("accession__image").order_by("accession")


def next_items(request: PublishRequest, *, limit: int) -> list[PublishItem]:
    """Items that are still to be published, locked with their accessions. Call inside a transaction."""
    # Whoever takes an image back, judges it or replaces its file locks its accession: that happens wholly before this
    # batch, or wholly after.
    rows = PublishItem.objects.select_for_update(of=("self", "accession")).select_related("accession")
    return list(rows.filter(request=request, done=False).order_by("pk")[:limit])


def judge_items(items: Sequence[PublishItem], *, withdrawn: Container[int] = ()) -> list[int]:
    """Write each item's outcome; return the images to be shown. `items` are locked by `next_items`."""
    images = []
    for item in items:
        accession, item.done = item.accession, True
        if accession.image_id in withdrawn:
            item.outcome = PublishOutcome.WITHDRAWN
        elif accession.image_id is None or accession.review_state != ReviewState.ACCEPTED:
            item.outcome = PublishOutcome.NOT_ACCEPTED
        else:
            item.outcome = PublishOutcome.PUBLISHED
            images.append(accession.image_id)
    update_rows(items, ["outcome", "done"])
    shown = [item.accession_id for item in items if item.outcome == PublishOutcome.PUBLISHED]
    Accession.objects.filter(pk__in=shown, published__isnull=True).update(published=now())
    return images


def finish_request(request: PublishRequest) -> bool:
    """Note that everything asked for has its outcome; False where that was noted before."""
    waiting = PublishRequest.objects.filter(pk=request.pk, state=RequestState.PUBLISHING)
    return bool(waiting.update(state=RequestState.PUBLISHED))


def mark_unpublished(accession_ids: Iterable[int]) -> None:
    """Accessions that are private again may be published anew; their public ids stay their own."""
    Accession.objects.filter(pk__in=list(accession_ids)).update(published=None)


def items_published(accession: Accession) -> QuerySet[PublishItem]:
    """By which requests an accession was published, oldest first."""
    published = [PublishOutcome.PUBLISHED, PublishOutcome.WAITING]
    rows = PublishItem.objects.filter(accession=accession, done=True, outcome__in=published)
    return rows.select_related("request").order_by("pk")


def was_public(accession_ids: Iterable[int]) -> set[int]:
    """Those of the accessions that a request has shown to the public, from which their public ids may be known."""
    shown = PublishItem.objects.filter(
        Q(request__opens__isnull=True) | Q(request__opens__lte=now()),
        accession__in=list(accession_ids),
        done=True,
        outcome__in=[PublishOutcome.PUBLISHED, PublishOutcome.WAITING],
        request__visibility=Visibility.PUBLIC,
    )
    return set(shown.values_list("accession", flat=True))
