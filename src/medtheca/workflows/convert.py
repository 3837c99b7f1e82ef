"""Accessions become images: decode in the sandbox, keep what was made, place the images, tell the uploader.

A batch is one transaction, taken only for accessions that still wait: a second run of the same job finds nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from medtheca.base.errors import NoSpace
from medtheca.base.steps import step
from medtheca.domains.access.operations import place_images
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.imaging.operations import create_images
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.conversion import (
    accept_accessions,
    deliveries_of,
    lock_waiting,
    note_conversion,
    waiting_accessions,
)
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.operations import finish_delivery_if_done, refuse_accessions
from medtheca.domains.storage.bundles import MEDIA_TYPE, parts_of, size_of
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import space_is_short
from medtheca.workflows.casing import cases_among
from medtheca.workflows.converted import derived_files, image_of
from medtheca.workflows.converting import enqueue_cases, enqueue_rest
from medtheca.workflows.examining import examine_originals
from medtheca.workflows.findings import Examined, Findings

TURN_SECONDS = 20.0
"""After so long a job begins no further photograph: what is left of its batch waits for its owner's next turn."""
_TELL_EVERY = 1.0


def convert_batch(*, accession_ids: Sequence[int]) -> None:
    """Convert accessions that still wait, cohort by cohort.

    Raises `NoSpace` before anything is decoded where the disk reserve would be touched, and `FileNotFoundError` at the
    end where originals are missing; the job is tried again.
    """
    waiting = waiting_accessions(accession_ids)
    if not waiting:
        # An earlier try may have been cut off between its last two steps.
        finish_delivery_if_done(deliveries_of(accession_ids))
        return
    originals = {row.pk: row.original for row in waiting if row.original}
    bundles = parts_of(blob.pk for blob in originals.values())
    if space_is_short(needed=sum(size_of(blob, bundles.get(blob.pk)) for blob in originals.values())):
        raise NoSpace("There is no space to convert images now; they wait.", remedy="Make space on the disk.")
    step("convert.begun")
    if len(waiting) > 1 and (cases := cases_among(originals, {row.pk: row.name for row in waiting})):
        # A slide takes minutes: the photographs beside it must not be made again because of it, nor wait for it.
        enqueue_cases([row for row in waiting if row.pk in cases])
        step("case.apart")
        waiting = [row for row in waiting if row.pk not in cases]
    # One cohort at a time: what is in one must neither hang in the circles of another nor be told of there.
    missing: list[str] = []
    for cohort_id in sorted({row.cohort_id for row in waiting}):
        missing += _convert([row for row in waiting if row.cohort_id == cohort_id])
    finish_delivery_if_done({row.delivery_id for row in waiting})
    if missing:
        # Our fault and not the files': the job fails loudly, but the others of the batch did not have to wait.
        raise FileNotFoundError(f"Originals cannot be read: {'; '.join(missing)}")


def _convert(waiting: Sequence[Accession]) -> list[str]:
    """Convert accessions of one cohort; return what is wrong with originals that could not be read."""
    found = Findings()
    try:
        originals = {row.pk: row.original for row in waiting if row.original}
        until = time.monotonic() + TURN_SECONDS
        examine_originals(
            originals,
            names={row.pk: row.name for row in waiting},
            into=found,
            progress=_Teller(),
            enough=lambda: time.monotonic() >= until,
        )
        step("convert.examined")
        with keeping_blobs():
            still = lock_waiting([row.pk for row in waiting])
            _keep(still, {row.pk: found.examined[row.pk] for row in still if row.pk in found.examined})
            refuse_accessions(refusals=found.refusals)
            if left := [row for row in still if row.pk in originals and not found.knows(row.pk)]:
                enqueue_rest(left)
            step("convert.rows")
    finally:
        # What was kept has been moved away; the rest must not pile up on a disk that may be full.
        found.discard()
    step("convert.done")
    return [f"accession {key}: {words}" for key, words in found.missing.items()]


class _Teller:
    """Writes down how far a case is, once a second at most, and never of one that takes no longer."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __call__(self, accession_id: int, fraction: float) -> None:
        if (moment := time.monotonic()) - self._told >= _TELL_EVERY:
            self._told = moment
            note_conversion(accession_id=accession_id, fraction=fraction)


def _keep(accessions: Sequence[Accession], examined: dict[int, Examined]) -> None:
    blobs = store_blobs([part for found in examined.values() for part in found.parts.values()])
    images: dict[int, Image] = {}
    files: list[ImageFile] = []
    bundles = parts_of(accession.original_id for accession in accessions if accession.original_id)
    for accession in accessions:
        found = examined.get(accession.pk)
        if found is None:
            continue
        image = images[accession.pk] = image_of(found.report)
        files.append(
            ImageFile(
                image=image,
                kind=FileKind.ORIGINAL,
                blob=accession.original,
                media_type=MEDIA_TYPE if accession.original_id in bundles else found.report["media_type"],
            )
        )
        made = {name: blobs[part.sha256] for name, part in found.parts.items()}
        files += derived_files(image, accession, found.report, made)
    create_images(images=list(images.values()), files=files)
    step("convert.images")
    if images:
        (cohort,) = {accession.cohort for accession in accessions}
        place_images(
            image_ids=[image.pk for image in images.values()], scope_ids=[cohort.scope_id, cohort.contributor.scope_id]
        )
        record(
            actor_id=accessions[0].creator_id,
            verb="accessions.converted",
            subject_type="cohort",
            subject_id=cohort.pk,
            cohort_id=cohort.pk,
            details={"accessions": sorted(images)},
        )
    accept_accessions(images=images, notes={pk: examined[pk].report.get("notes", []) for pk in images})
