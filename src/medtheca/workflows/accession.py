"""One uploaded file becomes one accession, at once: what clients of the ISIC Archive's API ask for.

Everything happens in one transaction: a refusal leaves the upload as it was, so that it may be given to another cohort.
Hashing is all that is done to the bytes here; they are decoded by a job, as those of any other upload.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from medtheca.base.errors import Invalid, Problem
from medtheca.base.jobs import enqueue
from medtheca.base.steps import step
from medtheca.base.turns import line_of
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record
from medtheca.domains.metadata.operations import lock_contributor
from medtheca.domains.provenance.access import require_editor
from medtheca.domains.provenance.models import Accession, Delivery, Verdict
from medtheca.domains.provenance.operations import open_delivery
from medtheca.domains.provenance.queries import cohort_for
from medtheca.domains.provenance.reception import (
    Arrival,
    begin_reception,
    close_reception,
    note_members,
    take_in_arrivals,
)
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.multipart import is_whole, multipart_of
from medtheca.domains.storage.operations import keeping_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.uploads import release_upload, take_in_upload
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.companions import HEAD, Companions
from medtheca.toolkit.images.costs import cost_of_photographs
from medtheca.toolkit.names import check_name, display_name, name_key
from medtheca.toolkit.schemas import DERMATOLOGY
from medtheca.workflows.correct import correct_metadata
from medtheca.workflows.sources import ZIP_HEADS

NAME_TAKEN = "An accession with this name already exists."
"""In the words of the ISIC Archive, which its clients' users know."""


def accession_upload(
    *, user: User, cohort_id: int, upload_id: UUID, metadata: Mapping[str, Any] | None = None
) -> Accession:
    """Make an accession of a whole upload in parts, with what is said of it.

    Raises `NotFound` for the cohort, `NotAllowed`, `Conflict` where bytes are gone, and `Invalid`: the upload is not
    whole or was used, the file is no single image, its name is taken, or its metadata is not right.
    """
    cohort = cohort_for(user, cohort_id)
    require_editor(user, cohort, to="upload to this cohort")
    with keeping_blobs():
        upload = _whole_upload(user, upload_id)
        upload = take_in_upload(upload=upload)
        step("accession.hashed")
        if metadata:
            # Before the cohort, as whoever applies spreadsheets takes them.
            lock_contributor(cohort.contributor_id)
        arrival = _arrival(upload)
        open_delivery(upload=upload, cohort=cohort, actor=user)
        delivery = begin_reception(upload_id)
        assert delivery is not None
        made = _take_in(delivery, arrival)
        if metadata:
            _describe(made, metadata, user=user)
        close_reception(delivery)
        release_upload(upload=upload, state=UploadState.UNPACKED)
        record(
            actor_id=user.pk,
            verb="delivery.received",
            subject_type="upload",
            subject_id=upload_id,
            cohort_id=cohort.pk,
        )
        cost = cost_of_photographs([arrival.size])
        enqueue("convert.batch", accession_ids=[made.pk], turn=line_of(user.pk), cost=cost)
        step("accession.rows")
    return made


def _whole_upload(user: User, upload_id: UUID) -> Upload:
    multipart_of(user.pk, upload_id)
    upload = Upload.objects.select_for_update().get(pk=upload_id)
    if is_whole(upload):
        return upload
    if upload.state == UploadState.RECEIVING:
        raise _wrong_file("The upload is not complete.", "not_complete", "Send all parts, then complete the upload.")
    raise _wrong_file("This upload was used already.", "already_used", "Upload the file again for another accession.")


def _arrival(upload: Upload) -> Arrival:
    """The file as it is taken in. Raises `Invalid` for what is no single image."""
    assert upload.blob is not None
    path = upload.filename.replace("\\", "/")
    name = name_key(path.rsplit("/", 1)[-1])
    try:
        check_name(name)
    except Refused as refusal:
        raise _wrong_file(refusal.problem.message, refusal.problem.code, refusal.problem.remedy) from refusal
    with blob_store().open(upload.blob.sha256) as file:
        head = file.read(HEAD)
    if head.startswith(ZIP_HEADS):
        raise _wrong_file("This is a ZIP, and an accession is one image.", "is_a_zip", _UPLOAD_ELSEWHERE)
    if Companions.of([path]).may_concern(path, head):
        words = "A file of this kind may be one of several of an image, which are put together when all are here."
        raise _wrong_file(words, "may_be_one_of_several", _UPLOAD_ELSEWHERE)
    return Arrival(
        ordinal=0,
        path=display_name(upload.filename, limit=1000),
        name=display_name(name),
        size=upload.size,
        staged=None,
        skipped=False,
        problem=None,
        blob=upload.blob,
    )


_UPLOAD_ELSEWHERE = "Upload it on the upload page, by `medtheca ingest`, or by tus at /uploads/tus/."


def _take_in(delivery: Delivery, arrival: Arrival) -> Accession:
    note_members(delivery, 1)
    made = take_in_arrivals(delivery, [arrival])
    if not made:
        words = Verdict.objects.get(delivery=delivery).words
        problem = Problem("original_blob", words, code="duplicate_name", remedy="Rename the file and upload it again.")
        raise Invalid(NAME_TAKEN, problems=[problem])
    return Accession.objects.get(pk=made[0])


def _describe(made: Accession, metadata: Mapping[str, Any], *, user: User) -> None:
    said = {name: value for name, value in metadata.items() if value is not None and value != ""}
    known = {*DERMATOLOGY.by_name, *DERMATOLOGY.level_columns}
    structured = {name: value for name, value in said.items() if name in known}
    if said:
        correct_metadata(
            user=user,
            accession_id=made.pk,
            changes=structured,
            unstructured={name: value for name, value in said.items() if name not in known},
        )


def _wrong_file(message: str, code: str, remedy: str) -> Invalid:
    return Invalid(message, problems=[Problem("original_blob", message, code=code, remedy=remedy)])
