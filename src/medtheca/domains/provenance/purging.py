"""Accessions that were never published are removed for good. For staff; verdicts say what became of the files."""

from __future__ import annotations

from collections.abc import Sequence

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import require_staff
from medtheca.domains.provenance.enums import AccessionState, Outcome, RequestState, VersionState
from medtheca.domains.provenance.linking import loosen, relink
from medtheca.domains.provenance.models import (
    Accession,
    Delivery,
    FileVersion,
    Origin,
    PublishItem,
    Verdict,
    VersionFile,
)
from medtheca.domains.provenance.plans import Plan, Reason, Step, require_as_planned
from medtheca.domains.provenance.replacements import give_up_replacements
from medtheca.domains.provenance.selecting import Selection, selected, was_published
from medtheca.domains.storage.letting_go import mark_let_go
from medtheca.domains.storage.operations import keeping_blobs

_CHUNK = 500
_OPEN = [RequestState.REQUESTED, RequestState.PUBLISHING]
_UNDER_WAY = [VersionState.WAITING, VersionState.CANDIDATE]


def plan_purge(*, selection: Selection, actor: User) -> Plan:
    """What would be removed for good. Raises `NotAllowed` for all but staff."""
    require_staff(actor, to="remove images for good")
    return _plan(selection, lock=False)[0]


def purge(*, selection: Selection, reason: str, actor: User, expected: int | None = None) -> Plan:
    """Remove accessions that were never published, with their images, values and reviews; their bytes are let go of.

    The rows of verdicts stay and say so. Raises `NotAllowed` for all but staff, `Invalid` without a reason, or
    `Conflict` where nothing would go or not as many as expected.
    """
    require_staff(actor, to="remove images for good")
    if not reason.strip() or len(reason.strip()) > 500:
        problem = Problem("reason", "Say why, in 500 characters at most; uploaders read it.")
        raise Invalid("A reason is missing or too long.", problems=[problem])
    with keeping_blobs():
        plan, rows = _plan(selection, lock=True)
        require_as_planned(plan, expected=expected)
        for start in range(0, len(rows), _CHUNK):
            _remove(rows[start : start + _CHUNK], reason.strip())
        for cohort_id in sorted({row.cohort_id for row in rows}):
            record(
                actor_id=actor.pk,
                verb="accessions.purged",
                subject_type="cohort",
                subject_id=cohort_id,
                cohort_id=cohort_id,
                details={
                    "accessions": [row.pk for row in rows if row.cohort_id == cohort_id],
                    "reason": reason.strip(),
                },
            )
    return plan


def _plan(selection: Selection, *, lock: bool) -> tuple[Plan, list[Accession]]:
    found = selected(selection)
    rows = list(found.select_for_update(of=("self",)) if lock else found)
    ids = [row.pk for row in rows]
    asked = PublishItem.objects.filter(accession__in=ids, request__state__in=_OPEN)
    changing = FileVersion.objects.filter(accession__in=ids, state__in=_UNDER_WAY)
    busy = dict.fromkeys(asked.values_list("accession", flat=True), "It was asked to be published.")
    busy |= dict.fromkeys(changing.values_list("accession", flat=True), "A new file of it waits.")
    going: list[Accession] = []
    left: list[Reason] = []
    for row in rows:
        if was_published(row):
            words, remedy = "It is or was published, and its public id stays taken.", "Withdraw it instead."
            name = row.image.public_id if row.image and row.image.public_id else row.name
            left.append(Reason(name, words, remedy))
        elif row.state == AccessionState.RECEIVED:
            left.append(Reason(row.name, "It is being read.", "Wait until it is there."))
        elif row.pk in busy:
            left.append(Reason(row.name, busy[row.pk], "Have that decided first."))
        else:
            going.append(row)
    steps = [Step(row.name, str(AccessionState(row.state).label).lower(), "removed for good") for row in going]
    facts = {"published, so they stay": sum(was_published(row) for row in rows), "left alone": len(left)}
    return Plan(len(going), facts, steps, left), going


def _remove(rows: Sequence[Accession], reason: str) -> None:
    ids = [row.pk for row in rows]
    images = [row.image_id for row in rows if row.image_id is not None]
    blobs = {blob.pk for blob in give_up_replacements(accession_ids=ids)}
    blobs |= _blobs_of(ids, images) | {row.original_id for row in rows if row.original_id is not None}
    cohorts = {row.cohort_id for row in rows}
    contents = loosen(ids, cohort_ids=cohorts)
    told = Verdict.objects.filter(accession__in=ids)
    told.update(
        outcome=Outcome.REFUSED, code="purged", words=f"Staff removed it for good: {reason}", remedy="", other=None
    )
    # What replaced its file was given to it alone; the delivery stays, as the record of an upload.
    Delivery.objects.filter(replaces__in=ids).update(replaces=None)
    # What another archive said of it goes too. Unlike after an erasure, it may be brought again.
    Origin.objects.filter(accession__in=ids).delete()
    Accession.objects.filter(pk__in=ids).delete()
    Image.objects.filter(pk__in=images).delete()
    relink(contents, cohort_ids=cohorts)
    mark_let_go(blobs)


def _blobs_of(accession_ids: Sequence[int], image_ids: Sequence[int]) -> set[int]:
    """What the images are made of, present and earlier versions."""
    versions = FileVersion.objects.filter(accession__in=accession_ids)
    earlier = VersionFile.objects.filter(version__accession__in=accession_ids)
    return {
        *ImageFile.objects.filter(image__in=image_ids).values_list("blob", flat=True),
        *(pk for pk in versions.values_list("original", flat=True) if pk is not None),
        *earlier.values_list("blob", flat=True),
    }
