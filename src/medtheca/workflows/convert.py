"""Accessions become images: decode in the sandbox, keep what was made, place the images, tell the uploader.

A batch is one transaction, taken only for accessions that still wait: a second run of the same job finds nothing.
"""

from __future__ import annotations

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
    waiting_accessions,
)
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.operations import finish_delivery_if_done, refuse_accessions
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store, space_is_short
from medtheca.workflows.converted import derived_files, image_of
from medtheca.workflows.examining import Examined, Findings, examine_files


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
    needed = sum(row.original.size for row in waiting if row.original)
    if space_is_short(needed=needed):
        raise NoSpace("There is no space to convert images now; they wait.", remedy="Make space on the disk.")
    step("convert.begun")
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
    store = blob_store()
    try:
        items = [(row.pk, store.path(row.original.sha256)) for row in waiting if row.original]
        examine_files(items, into=found)
        step("convert.examined")
        with keeping_blobs():
            still = lock_waiting([row.pk for row in waiting])
            _keep(still, {row.pk: found.examined[row.pk] for row in still if row.pk in found.examined})
            refuse_accessions(refusals=found.refusals)
            step("convert.rows")
    finally:
        # What was kept has been moved away; the rest must not pile up on a disk that may be full.
        found.discard()
    step("convert.done")
    return [f"accession {key}: {words}" for key, words in found.missing.items()]


def _keep(accessions: Sequence[Accession], examined: dict[int, Examined]) -> None:
    blobs = store_blobs([part for found in examined.values() for part in found.parts.values()])
    images: dict[int, Image] = {}
    files: list[ImageFile] = []
    for accession in accessions:
        found = examined.get(accession.pk)
        if found is None:
            continue
        image = images[accession.pk] = image_of(found.report)
        files.append(
            ImageFile(
                image=image, kind=FileKind.ORIGINAL, blob=accession.original, media_type=found.report["media_type"]
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
    accept_accessions(images=images)
