"""Images are made again from their originals by the present recipe: renditions and hashes. For staff.

The image, its key and its public id stay. Where the pixels would be others than those that were reviewed, nothing is
changed and it is told.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.enums import FileKind, ImageKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import require_staff
from medtheca.domains.provenance.enums import AccessionState, ErrandKind, VersionKind, VersionState
from medtheca.domains.provenance.errands import accessions_of, end_errand, errand_to_do, send_errand
from medtheca.domains.provenance.models import Accession, Errand, FileVersion
from medtheca.domains.provenance.plans import Plan, Reason, Step, require_as_planned
from medtheca.domains.provenance.selecting import Selection, label_of, selected
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.workflows.converted import derived_files, image_of
from medtheca.workflows.examining import examine_originals
from medtheca.workflows.findings import Findings

log = logging.getLogger(__name__)

BATCH = 64
_COLUMNS = (
    "icc_profile",
    "perceptual_hash",
    "stripped",
    "colour_space",
    "bits",
    "channels",
    "orientation",
    # The hash is that of values alone: where they lie may be read better than it was.
    "spacing_x",
    "spacing_y",
    "spacing_z",
    "geometry",
    "facts",
    "text_suspected",
)
_REDACTED = "Its public copy is redacted, and would show again what was covered."
_UNDER_WAY = "A new file of it waits."


@dataclass(slots=True)
class Outcome:
    """What came of some accessions, by their ids: made anew, left alone as the pixels differ, or not readable."""

    made: list[int] = field(default_factory=list)
    different: list[int] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)


def plan_reconversion(*, selection: Selection, actor: User) -> Plan:
    """Which images would be made again. Raises `NotAllowed` for all but staff."""
    require_staff(actor, to="make images again")
    return _plan(selection)[0]


def begin_reconversion(*, selection: Selection, actor: User, expected: int | None = None) -> Plan:
    """Set it going: errands of some dozens of images each. Raises `NotAllowed`, or `Conflict` as the plan says."""
    require_staff(actor, to="make images again")
    plan, ids = _plan(selection)
    require_as_planned(plan, expected=expected)
    with transaction.atomic():
        for batch in _batches(ids):
            send_errand(kind=ErrandKind.RECONVERT, accession_ids=batch, creator=actor)
        record(
            actor_id=actor.pk,
            verb="accessions.reconversion_begun",
            subject_type="cohort" if selection.cohort else "accessions",
            subject_id=selection.cohort.pk if selection.cohort else len(ids),
            cohort_id=selection.cohort.pk if selection.cohort else None,
            details={"accessions": ids},
        )
    return plan


def reconvert_errand(*, errand_id: int) -> Outcome:
    """Make the images of an errand again, unless that was done."""
    errand = errand_to_do(errand_id)
    if errand is None:
        return Outcome()
    return reconvert_batch(accession_ids=accessions_of(errand), actor_id=errand.creator_id, errand=errand)


def reconvert_batch(
    *, accession_ids: Sequence[int], actor_id: int | None = None, errand: Errand | None = None
) -> Outcome:
    """Make images again; a second run finds nothing to change. Tells whoever asked where something was left alone.

    Ends the errand that they are of; where it was ended meanwhile, nothing is kept.
    """
    outcome, found = Outcome(), Findings()
    try:
        _examine(_rows(accession_ids), found, outcome)
        with keeping_blobs():
            if errand is not None and not end_errand(errand):
                return Outcome()
            _keep(found, outcome)
            _record(outcome, actor_id)
    finally:
        found.discard()
    return outcome


def _plan(selection: Selection) -> tuple[Plan, list[int]]:
    rows = list(selected(selection).filter(state=AccessionState.CONVERTED))
    kept = kept_apart([row.pk for row in rows])
    going = [row for row in rows if row.pk not in kept]
    left = [Reason(label_of(row), kept[row.pk]) for row in rows if row.pk in kept]
    recipes = dict(
        ImageFile.objects.filter(image__in=[row.image_id for row in going], kind=FileKind.PUBLIC).values_list(
            "image", "recipe"
        )
    )
    steps = [Step(label_of(row), recipes.get(row.image_id or 0, ""), "made again") for row in going]
    return Plan(len(going), {"left alone": len(left)}, steps, left), [row.pk for row in going]


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Photographs by the dozen; of the others each by itself, as a slide that is interrupted costs minutes."""
    photographs = set(Accession.objects.filter(pk__in=ids, image__kind=ImageKind.PICTURE).values_list("pk", flat=True))
    alike = [pk for pk in ids if pk in photographs]
    for start in range(0, len(alike), BATCH):
        yield alike[start : start + BATCH]
    for pk in ids:
        if pk not in photographs:
            yield [pk]


def kept_apart(accession_ids: Sequence[int]) -> dict[int, str]:
    """Accessions that must not be made again from their original, and why."""
    versions = FileVersion.objects.filter(accession__in=accession_ids)
    waiting = versions.filter(state__in=[VersionState.WAITING, VersionState.CANDIDATE])
    redacted = versions.filter(state=VersionState.CURRENT, kind=VersionKind.REDACTION)
    kept = dict.fromkeys(waiting.values_list("accession", flat=True), _UNDER_WAY)
    return kept | dict.fromkeys(redacted.values_list("accession", flat=True), _REDACTED)


def _rows(accession_ids: Sequence[int], *, lock: bool = False) -> list[Accession]:
    rows = Accession.objects.filter(pk__in=list(accession_ids), state=AccessionState.CONVERTED).order_by("pk")
    rows = rows.select_related("original", "image", "cohort")
    kept = kept_apart(accession_ids)
    return [row for row in (rows.select_for_update(of=("self",)) if lock else rows) if row.pk not in kept]


def _examine(rows: Sequence[Accession], found: Findings, outcome: Outcome) -> None:
    """Decode again; what has other pixels than before, or cannot be read, stays out of `found.examined`."""
    originals = {row.pk: row.original for row in rows if row.original}
    examine_originals(originals, names={row.pk: row.name for row in rows}, into=found)
    outcome.failed |= {key: words for key, (_code, words, _remedy) in found.refusals.items()}
    outcome.failed |= found.missing
    for row in rows:
        fresh = found.examined.get(row.pk)
        if fresh is not None and row.image is not None and fresh.report["pixel_hash"] != row.image.pixel_hash:
            outcome.different.append(row.pk)


def _keep(found: Findings, outcome: Outcome) -> None:
    fit = {key: fresh for key, fresh in found.examined.items() if key not in outcome.different}
    blobs = store_blobs([part for fresh in fit.values() for part in fresh.parts.values()])
    for accession in _rows(list(fit), lock=True):
        report, parts = fit[accession.pk].report, fit[accession.pk].parts
        image = accession.image
        # Its file may have been replaced while this one was being read.
        if image is None or image.pixel_hash != report["pixel_hash"]:
            continue
        _write(image, accession, report, {name: blobs[part.sha256] for name, part in parts.items()})
        outcome.made.append(accession.pk)


def _write(image: Image, accession: Accession, report: dict[str, Any], made: dict[str, Blob]) -> None:
    fresh = image_of(report)
    for name in _COLUMNS:
        setattr(image, name, getattr(fresh, name))
    image.save(update_fields=[*_COLUMNS, "modified"])
    files = derived_files(image, accession, report, made)
    ImageFile.objects.bulk_create(
        files,
        update_conflicts=True,
        unique_fields=["image", "kind"],
        update_fields=["blob", "media_type", "recipe", "source"],
    )
    # What today's recipe does not make any more. A copy of the DICOM is of the original, which is the same.
    kept = [FileKind.ORIGINAL, FileKind.DICOM, *(file.kind for file in files)]
    ImageFile.objects.filter(image=image).exclude(kind__in=kept).delete()


def _record(outcome: Outcome, actor_id: int | None) -> None:
    told = asdict(outcome) | {"failed": sorted(outcome.failed)}
    if not any(told.values()):
        return
    record(
        actor_id=actor_id,
        verb="accessions.reconverted",
        subject_type="accessions",
        subject_id=len(outcome.made),
        details=told,
    )
    if outcome.different or outcome.failed:
        words = (
            f"{len(outcome.made):,} images were made again. {len(outcome.different):,} were left alone because their"
            f" pixels would be others, {len(outcome.failed):,} because they cannot be read."
        )
        notify(recipient_ids=[actor_id], kind="curation.done", words=words, url="/staff/reconvert/")
