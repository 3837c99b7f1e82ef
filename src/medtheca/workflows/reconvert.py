"""Images are made again from their originals by the present recipe: renditions and hashes. For staff.

The image, its key and its public id stay. Where the pixels would be others than those that were reviewed, nothing is
changed and it is told.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from medtheca.base.jobs import enqueue
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import require_staff
from medtheca.domains.provenance.enums import AccessionState, VersionKind, VersionState
from medtheca.domains.provenance.models import Accession, FileVersion
from medtheca.domains.provenance.plans import Plan, Reason, Step, require_as_planned
from medtheca.domains.provenance.selecting import Selection, label_of, selected
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import Staged
from medtheca.toolkit.images.reports import find_fault
from medtheca.workflows.converted import derived_files, image_of
from medtheca.workflows.decoding import decoder_pool

log = logging.getLogger(__name__)

BATCH = 64
_COLUMNS = ("icc_profile", "perceptual_hash", "stripped", "colour_space", "bits", "channels", "orientation")
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
    """Set it going: jobs of some dozens of images each. Raises `NotAllowed`, or `Conflict` as the plan says."""
    require_staff(actor, to="make images again")
    plan, ids = _plan(selection)
    require_as_planned(plan, expected=expected)
    with transaction.atomic():
        for start in range(0, len(ids), BATCH):
            enqueue("convert.again", accession_ids=ids[start : start + BATCH], actor_id=actor.pk, priority=-5)
        record(
            actor_id=actor.pk,
            verb="accessions.reconversion_begun",
            subject_type="cohort" if selection.cohort else "accessions",
            subject_id=selection.cohort.pk if selection.cohort else len(ids),
            cohort_id=selection.cohort.pk if selection.cohort else None,
            details={"accessions": ids},
        )
    return plan


def reconvert_batch(*, accession_ids: Sequence[int], actor_id: int | None = None) -> Outcome:
    """Make images again; a second run finds nothing to change. Tells whoever asked where something was left alone."""
    outcome = Outcome()
    staged: dict[int, dict[str, Staged]] = {}
    reports: dict[int, dict[str, Any]] = {}
    try:
        _examine(_rows(accession_ids), reports, staged, outcome)
        with keeping_blobs():
            _keep(reports, staged, outcome)
            _record(outcome, actor_id)
    finally:
        blob_store().discard(part for parts in staged.values() for part in parts.values())
    return outcome


def _plan(selection: Selection) -> tuple[Plan, list[int]]:
    rows = list(selected(selection).filter(state=AccessionState.CONVERTED))
    kept = _kept_apart([row.pk for row in rows])
    going = [row for row in rows if row.pk not in kept]
    left = [Reason(label_of(row), kept[row.pk]) for row in rows if row.pk in kept]
    recipes = dict(
        ImageFile.objects.filter(image__in=[row.image_id for row in going], kind=FileKind.PUBLIC).values_list(
            "image", "recipe"
        )
    )
    steps = [Step(label_of(row), recipes.get(row.image_id or 0, ""), "made again") for row in going]
    return Plan(len(going), {"left alone": len(left)}, steps, left), [row.pk for row in going]


def _kept_apart(accession_ids: Sequence[int]) -> dict[int, str]:
    """Accessions that must not be made again from their original, and why."""
    versions = FileVersion.objects.filter(accession__in=accession_ids)
    waiting = versions.filter(state__in=[VersionState.WAITING, VersionState.CANDIDATE])
    redacted = versions.filter(state=VersionState.CURRENT, kind=VersionKind.REDACTION)
    kept = dict.fromkeys(waiting.values_list("accession", flat=True), _UNDER_WAY)
    return kept | dict.fromkeys(redacted.values_list("accession", flat=True), _REDACTED)


def _rows(accession_ids: Sequence[int], *, lock: bool = False) -> list[Accession]:
    rows = Accession.objects.filter(pk__in=list(accession_ids), state=AccessionState.CONVERTED).order_by("pk")
    rows = rows.select_related("original", "image", "cohort")
    kept = _kept_apart(accession_ids)
    return [row for row in (rows.select_for_update(of=("self",)) if lock else rows) if row.pk not in kept]


def _examine(
    rows: Sequence[Accession],
    reports: dict[int, dict[str, Any]],
    staged: dict[int, dict[str, Staged]],
    outcome: Outcome,
) -> None:
    store = blob_store()
    items = [(str(row.pk), store.path(row.original.sha256)) for row in rows if row.original]
    pixels = {row.pk: row.image.pixel_hash for row in rows if row.image}
    for found in decoder_pool().run(items):
        key = int(found.key)
        fault = None if found.refusal else find_fault(found.report or {}, found.parts)
        if found.refusal is not None or fault:
            outcome.failed[key] = found.refusal.message if found.refusal else f"The decoder's output is wrong: {fault}."
        elif found.report is not None and found.report["pixel_hash"] != pixels[key]:
            outcome.different.append(key)
        elif found.report is not None:
            reports[key] = found.report
            staged[key] = {name: store.stage([data]) for name, data in found.parts.items()}


def _keep(reports: dict[int, dict[str, Any]], staged: dict[int, dict[str, Staged]], outcome: Outcome) -> None:
    blobs = store_blobs([part for parts in staged.values() for part in parts.values()])
    for accession in _rows(list(reports), lock=True):
        report = reports[accession.pk]
        image = accession.image
        # Its file may have been replaced while this one was being read.
        if image is None or image.pixel_hash != report["pixel_hash"]:
            continue
        made = {name: blobs[part.sha256] for name, part in staged[accession.pk].items()}
        _write(image, accession, report, made)
        outcome.made.append(accession.pk)


def _write(image: Image, accession: Accession, report: dict[str, Any], made: dict[str, Blob]) -> None:
    fresh = image_of(report)
    for name in _COLUMNS:
        setattr(image, name, getattr(fresh, name))
    image.save(update_fields=[*_COLUMNS, "modified"])
    ImageFile.objects.bulk_create(
        derived_files(image, accession, report, made),
        update_conflicts=True,
        unique_fields=["image", "kind"],
        update_fields=["blob", "media_type", "recipe"],
    )


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
