"""An uploaded file takes the place of another: the same image with its key and id, in a new version.

One job does it all. It may be cut off and run again: the version that an upload has begun is found by its delivery, and
what was staged and not kept is swept.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, NoSpace
from medtheca.base.steps import step
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import require_editor
from medtheca.domains.provenance.enums import DeliveryState, Outcome, VersionKind, VersionState
from medtheca.domains.provenance.models import Accession, Delivery, FileVersion, Verdict, VersionFile
from medtheca.domains.provenance.operations import open_delivery, refuse_delivery
from medtheca.domains.provenance.queries import accession_for
from medtheca.domains.provenance.reception import Arrival, begin_reception, note_members
from medtheca.domains.provenance.reviewing import reset_reviews
from medtheca.domains.provenance.versions import (
    accept_version,
    begin_version,
    complete_version,
    facts_of,
    refuse_version,
    require_replaceable,
)
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store, space_is_short
from medtheca.domains.storage.uploads import begin_upload, part_path, release_upload, take_in_upload
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.unpack import Limits, scan
from medtheca.workflows.converted import derived_files, image_of
from medtheca.workflows.examining import examine_originals
from medtheca.workflows.findings import Examined, Findings
from medtheca.workflows.publish import require_reason
from medtheca.workflows.receive import acknowledge_bytes, enqueue_reception
from medtheca.workflows.sources import ZIP_HEADS, Source, stage_source

_WAITING = "Waiting to be converted."


def begin_replacement(
    *, user: User, accession_id: int, filename: str, size: int, reason: str, media_type: str = "", sha256: str = ""
) -> Upload:
    """Begin an upload that replaces the file of an accession. `reason` is public once the image is.

    Raises `NotFound`, `NotAllowed`, `Invalid`, `TooLarge`, `NoSpace`, or `Conflict` where the accession has no image,
    is withdrawn, or another file is on its way.
    """
    accession = accession_for(user, accession_id)
    require_editor(user, accession.cohort, to="replace its files")
    words = require_reason(reason)
    require_replaceable(accession)
    with transaction.atomic():
        upload = begin_upload(owner=user, filename=filename, size=size, media_type=media_type, sha256=sha256)
        open_delivery(upload=upload, cohort=accession.cohort, actor=user, replaces=accession, reason=words)
        if size == 0:
            enqueue_reception(upload.pk)
    return upload


def replace_with_file(
    *, user: User, accession_id: int, filename: str, size: int, chunks: Iterable[bytes], reason: str
) -> Upload:
    """`begin_replacement` with all bytes at once, for a form. Raises as that does."""
    upload = begin_replacement(user=user, accession_id=accession_id, filename=filename, size=size, reason=reason)
    if size:
        with part_path(upload.pk).open("wb") as part:
            for chunk in chunks:
                part.write(chunk)
            part.flush()
            os.fsync(part.fileno())
        acknowledge_bytes(upload=upload, begun_at=0, offset=size)
    return upload


def replace_accession(*, upload_id: UUID) -> None:
    """Take in a whole upload as a new version of the accession that it replaces.

    Raises `NoSpace` before anything is decoded, and `FileNotFoundError` where bytes are missing: to be tried again.
    """
    delivery = begin_reception(upload_id)
    if delivery is None:
        return
    step("replace.begun")
    try:
        version = FileVersion.objects.filter(delivery=delivery).first() or _take_in(delivery)
    except (Refused, Conflict) as refusal:
        _refuse(delivery, refusal.code, refusal.message, refusal.remedy)
        return
    step("replace.version")
    if version is not None and version.state == VersionState.WAITING:
        _convert(delivery, version)


def _take_in(delivery: Delivery) -> FileVersion | None:
    """The version that the upload begins; nothing where its bytes are those that are there already."""
    with keeping_blobs():
        upload = take_in_upload(upload=Upload.objects.select_for_update().get(pk=delivery.pk))
    step("replace.container")
    if upload.blob is None:
        return None  # Another run of this job has come to the end meanwhile, and let the container go.
    with blob_store().open(upload.blob.sha256) as file:
        arrival = stage_source(_only_source(file, upload))
    if arrival.staged is None:
        assert arrival.problem is not None
        raise Refused(arrival.problem.code, arrival.problem.message, arrival.problem.remedy)
    try:
        with keeping_blobs():
            return _begin(delivery, upload, arrival)
    finally:
        blob_store().discard([arrival.staged])


def _only_source(file: BinaryIO, upload: Upload) -> Source:
    """The one file of an upload. Raises `Refused` for a ZIP with none or several."""
    head = file.read(4)
    file.seek(0)
    if head not in ZIP_HEADS:
        return Source.of_single(file, upload)
    limits = Limits(max_members=settings.ENVIRONMENT.max_members)
    sources = [Source.of_member(file, member, limits) for member in scan(file, limits).members]
    wanted = [source for source in sources if not source.skipped]
    if len(wanted) != 1:
        raise Refused(
            "not_one_file",
            f"The ZIP holds {len(wanted):,} files; one file replaces another.",
            "Upload the one image, by itself or alone in a ZIP.",
        )
    return wanted[0]


def _begin(delivery: Delivery, upload: Upload, arrival: Arrival) -> FileVersion | None:
    staged = arrival.staged
    assert staged is not None
    # Locked, so that nobody takes it elsewhere between this look and the version.
    rows = Accession.objects.select_for_update(of=("self",)).select_related("original")
    accession = rows.filter(pk=delivery.replaces_id or 0).first()
    if version := FileVersion.objects.filter(delivery=delivery).first():
        return version  # Another run of this job was faster.
    present = Delivery.objects.get(pk=delivery.pk)
    if present.state == DeliveryState.DONE:
        return None
    if accession is None or present.state != DeliveryState.UNPACKING:
        raise Conflict("The image that it was to replace is gone.", code="gone")
    if accession.cohort_id != present.cohort_id:
        # Who may change a file of the one cohort may not of the other.
        raise Conflict(
            "The image was moved to another cohort while its new file was on the way.",
            code="moved",
            remedy="Upload the file again on the image's page.",
        )
    note_members(delivery, 1)
    verdict = Verdict(
        delivery=delivery,
        ordinal=0,
        path=arrival.path,
        name=arrival.name,
        size=staged.size,
        outcome=Outcome.WAITING,
        code="waiting",
        words=_WAITING,
        other=accession,
    )
    if accession.original is not None and accession.original.sha256 == staged.sha256:
        verdict.outcome, verdict.code = Outcome.DUPLICATE, "same_content"
        verdict.words = "Its bytes are those of the file that is there; nothing was replaced."
        verdict.save()
        _finish(delivery)
        return None
    blob = store_blobs([staged])[staged.sha256]
    verdict.save()
    return begin_version(
        accession=accession,
        kind=VersionKind.REPLACEMENT,
        creator=upload.owner,
        reason=delivery.reason,
        name=arrival.name,
        original=blob,
        delivery=delivery,
    )


def _convert(delivery: Delivery, version: FileVersion) -> None:
    assert version.original is not None
    if space_is_short(needed=version.original.size):
        raise NoSpace("There is no space to convert the image now; it waits.", remedy="Make space on the disk.")
    found = Findings()
    try:
        examine_originals({version.pk: version.original}, names={version.pk: version.name}, into=found)
        step("replace.examined")
        if found.missing:
            raise FileNotFoundError(f"Originals cannot be read: version {version.pk}: {found.missing[version.pk]}")
        with keeping_blobs():
            _keep(delivery, version, found)
            step("replace.rows")
        step("replace.done")
    finally:
        found.discard()


def _keep(delivery: Delivery, version: FileVersion, found: Findings) -> None:
    # The accession first, as everywhere: what waits for it must not hold the version meanwhile.
    accession = Accession.objects.select_for_update(of=("self",)).get(pk=version.accession_id)
    if not FileVersion.objects.filter(pk=version.pk, state=VersionState.WAITING).exists():
        return  # Another run of this job was faster.
    verdict = Verdict.objects.get(delivery=delivery, ordinal=0)
    if version.pk in found.refusals:
        code, words, remedy = found.refusals[version.pk]
        refuse_version(version=version, code=code, words=words, remedy=remedy)
        verdict.outcome, verdict.code, verdict.words, verdict.remedy = Outcome.REFUSED, code, words, remedy
    else:
        version.accession = accession
        _complete(version, found.examined[version.pk])
        verdict.outcome, verdict.code, verdict.accession, verdict.other = Outcome.ACCEPTED, "replaced", accession, None
        verdict.words = f"Accepted as version {version.number}."
        if accession.published is None:
            accept_version(version=version)
        else:
            verdict.words += " The file before it stays public until a reviewer accepts this one."
        reset_reviews(accession_ids=[accession.pk])
    verdict.save()
    _finish(delivery)


def _complete(version: FileVersion, found: Examined) -> None:
    image, accession, original = image_of(found.report), version.accession, version.original
    blobs = store_blobs(list(found.parts.values()))
    made = {name: blobs[part.sha256] for name, part in found.parts.items()}
    # Where nothing had to be taken out, the public copy is the file itself: this version's, not the accession's.
    rows = derived_files(image, Accession(pk=accession.pk, original=original), found.report, made)
    files = [VersionFile(kind=row.kind, blob=row.blob, media_type=row.media_type, recipe=row.recipe) for row in rows]
    files.append(VersionFile(kind=FileKind.ORIGINAL, blob=original, media_type=found.report["media_type"]))
    complete_version(version=version, facts=facts_of(image), files=files)


def _refuse(delivery: Delivery, code: str, words: str, remedy: str) -> None:
    with transaction.atomic():
        if refuse_delivery(delivery=delivery, code=code, words=words, remedy=remedy):
            release_upload(upload=delivery.upload, state=UploadState.UNPACKED)
            _tell(delivery, refused=True)


def _finish(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.DONE, finished=now())
    release_upload(upload=delivery.upload, state=UploadState.UNPACKED)
    record(
        actor_id=delivery.upload.owner_id,
        verb="delivery.received",
        subject_type="upload",
        subject_id=delivery.pk,
        cohort_id=delivery.cohort_id,
    )
    refused = Verdict.objects.filter(delivery=delivery, outcome=Outcome.REFUSED).exists()
    _tell(delivery, refused=refused)


def _tell(delivery: Delivery, *, refused: bool) -> None:
    words = "A file that was to replace another was refused." if refused else "A file that replaces another was read."
    notify(
        recipient_ids=[delivery.upload.owner_id],
        kind="replacement.done",
        words=words,
        url=f"/uploads/{delivery.pk}/",
        subject_type="upload",
        subject_id=delivery.pk,
        cohort_id=delivery.cohort_id,
    )
