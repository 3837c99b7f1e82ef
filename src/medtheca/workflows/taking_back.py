"""Many images taken back at once: a selection, or all that a cohort has published.

What is more than a batch is done by errands, each in a job that may be repeated: images that are taken back already are
passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.errors import Conflict
from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.operations import set_visibility, withdraw_image
from medtheca.domains.access.queries import withdrawn_among
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.many import Happening, record_each
from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.enums import ErrandKind
from medtheca.domains.provenance.errands import accessions_of, end_errand, errand_to_do, send_errand
from medtheca.domains.provenance.models import Accession, Cohort
from medtheca.domains.provenance.outcomes import mark_unpublished, was_public
from medtheca.domains.provenance.telling import tell_of_taking_back
from medtheca.workflows.publish import require_reason

BATCH = 500


@dataclass(frozen=True, slots=True)
class TakenBack:
    """How many images were taken back now, and how many jobs will take back."""

    done: int
    under_way: int = 0


def published_images(cohort: Cohort) -> QuerySet[Accession]:
    """Accessions whose images can be taken back: published and not withdrawn."""
    rows = Accession.objects.filter(cohort=cohort, published__isnull=False, image__withdrawal__isnull=True)
    return rows.select_related("image").order_by("pk")


def take_back_many(
    *,
    cohort: Cohort,
    user: User,
    reason: str,
    withdraw: bool,
    accession_ids: Iterable[int] | None = None,
) -> TakenBack:
    """Make published images of a cohort private again, or withdraw them for good; all where none are named.

    Raises `NotAllowed`, `Invalid` without a reason, or `Conflict` where nothing of it is published.
    """
    words = require_reason(reason)
    require_owner(user, cohort, to="take back its images")
    wanted = published_images(cohort)
    if accession_ids is not None:
        wanted = wanted.filter(pk__in=list(accession_ids))
    ids = list(wanted.values_list("pk", flat=True))
    if not ids:
        raise Conflict("None of these images is published.", remedy="Nothing needs to be done.")
    with transaction.atomic():
        tell_of_taking_back(cohort, actor_id=user.pk, withdrawn=withdraw)
        if len(ids) <= BATCH:
            return TakenBack(take_back_batch(accession_ids=ids, user_id=user.pk, reason=words, withdraw=withdraw))
        for start in range(0, len(ids), BATCH):
            send_errand(
                kind=ErrandKind.WITHDRAW if withdraw else ErrandKind.UNPUBLISH,
                accession_ids=ids[start : start + BATCH],
                creator=user,
                reason=words,
            )
    return TakenBack(0, len(ids))


def take_back_errand(*, errand_id: int) -> int:
    """Take back what an errand says, unless that was done; return how many images were not taken back before."""
    errand = errand_to_do(errand_id)
    if errand is None:
        return 0
    with transaction.atomic():
        ids = accessions_of(errand)
        if not end_errand(errand):
            return 0
        return take_back_batch(
            accession_ids=ids,
            user_id=errand.creator_id,
            reason=errand.reason,
            withdraw=errand.kind == ErrandKind.WITHDRAW,
        )


def take_back_batch(*, accession_ids: Sequence[int], user_id: int, reason: str, withdraw: bool) -> int:
    """Take back images by accession, in one transaction; return how many were not taken back before."""
    with transaction.atomic():
        rows = Accession.objects.select_for_update(of=("self",)).select_related("image").order_by("pk")
        held = list(rows.filter(pk__in=list(accession_ids), published__isnull=False, image__isnull=False))
        gone = withdrawn_among([row.image_id for row in held if row.image_id is not None])
        going = [row for row in held if row.image_id not in gone]
        if withdraw:
            known = was_public([row.pk for row in going])
            user = User.objects.get(pk=user_id)
            for row in going:
                assert row.image is not None
                withdraw_image(image=row.image, reason=reason, user=user, was_public=row.pk in known)
        else:
            set_visibility(image_ids=[row.image_id for row in going if row.image_id], visibility=Visibility.PRIVATE)
            mark_unpublished([row.pk for row in going])
        record_each(
            actor_id=user_id,
            verb="image.withdrawn" if withdraw else "image.unpublished",
            subject_type="image",
            happenings=[Happening(row.image_id, row.cohort_id, {"reason": reason}) for row in going],
        )
    return len(going)
