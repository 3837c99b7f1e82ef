"""Uploads that belong together become one delivery to the archive's cohort."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from uuid import UUID

from django.conf import settings
from django.db import transaction

from medtheca.base.errors import Conflict, DomainError, NoSpace
from medtheca.base.steps import step
from medtheca.domains.archives.enums import IntakeState
from medtheca.domains.archives.intakes import OPEN, fail_intake
from medtheca.domains.archives.models import Intake, IntakeUpload
from medtheca.domains.provenance.operations import open_delivery
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.queries import space_is_short
from medtheca.domains.storage.uploads import begin_upload, part_path, release_upload
from medtheca.workflows.receive import acknowledge_bytes, enqueue_reception

_LONGEST_NAME = 200


def take_in(*, intake_id: UUID) -> None:
    """Begin the delivery of an intake; what was begun already is left alone."""
    intake = Intake.objects.select_related("archive__cohort", "creator").filter(pk=intake_id).first()
    if intake is None or intake.state != IntakeState.WAITING:
        return
    given = list(IntakeUpload.objects.filter(intake=intake).select_related("upload").order_by("place"))
    try:
        for one in given:
            _require_whole(one.upload)
        if len(given) == 1:
            _deliver_one(intake, given[0].upload)
        else:
            _deliver_together(intake, given)
    except NoSpace:
        raise  # Tried again: space may come back, and nothing was lost.
    except DomainError as error:
        with transaction.atomic():
            fail_intake(intake, words=f"{error.message} {error.remedy}".strip())
            for one in given:
                if one.upload.state == UploadState.RECEIVING:
                    release_upload(upload=one.upload, state=UploadState.CANCELLED)
    step("archives.taken_in")


def _require_whole(upload: Upload) -> None:
    if upload.state != UploadState.RECEIVING or upload.offset < upload.size:
        raise Conflict(f"The upload {upload.filename} is not whole any more.", remedy="Upload the file again.")


def _deliver_one(intake: Intake, upload: Upload) -> None:
    with transaction.atomic():
        if _begun(intake):
            return
        open_delivery(upload=upload, cohort=intake.archive.cohort, actor=intake.creator)
        _note(intake, upload)
        enqueue_reception(upload.pk)


def _deliver_together(intake: Intake, given: Sequence[IntakeUpload]) -> None:
    """Pack the files into a stored ZIP, in which each has the path that it came with, and deliver that."""
    needed = sum(one.upload.size for one in given)
    if space_is_short(needed=needed):
        raise NoSpace("There is no space to put the files together.", remedy="Make space; nothing is lost.")
    packed = settings.ENVIRONMENT.data / "uploads" / f"packing-{intake.pk}-{os.getpid()}.tmp"
    packed.parent.mkdir(parents=True, exist_ok=True)
    try:
        _pack(packed, given)
        with transaction.atomic():
            if _begun(intake):
                return
            # Before the new one is begun, so that it counts against the person's quota once.
            for one in given:
                release_upload(upload=one.upload, state=UploadState.UNPACKED)
            whole = begin_upload(owner=intake.creator, filename=_name_of(intake), size=packed.stat().st_size)
            open_delivery(upload=whole, cohort=intake.archive.cohort, actor=intake.creator)
            _note(intake, whole)
            packed.replace(part_path(whole.pk))
            acknowledge_bytes(upload=whole, begun_at=0, offset=whole.size)
    finally:
        packed.unlink(missing_ok=True)


def _pack(packed: Path, given: Sequence[IntakeUpload]) -> None:
    taken: set[str] = set()
    with packed.open("wb") as file, ExitStack() as stack:
        made = stack.enter_context(zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True))
        for one in given:
            path = one.path
            if path in taken:
                path = f"{one.place + 1}/{path}"
            taken.add(path)
            made.write(part_path(one.upload_id), path)
        stack.close()
        file.flush()
        os.fsync(file.fileno())


def _begun(intake: Intake) -> bool:
    """Whether another run of this job has begun the delivery; locks the intake."""
    return Intake.objects.select_for_update(of=("self",)).get(pk=intake.pk).state != IntakeState.WAITING


def _note(intake: Intake, upload: Upload) -> None:
    Intake.objects.filter(pk=intake.pk, state__in=OPEN).update(state=IntakeState.RECEIVING, delivery=upload.pk)


def _name_of(intake: Intake) -> str:
    stem = PurePosixPath(intake.name or "files").name[:_LONGEST_NAME]
    return f"{stem}.zip"
