"""An upload becomes accessions: unpack, one accession a file, a verdict for every file.

Every step may be repeated without harm: files that have a verdict are passed over, and what was staged for a batch that
did not commit is swept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction

from medtheca.base.errors import Conflict
from medtheca.base.jobs import enqueue
from medtheca.base.steps import step
from medtheca.base.turns import line_of
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import require_uploader
from medtheca.domains.provenance.holding import hold_arrivals
from medtheca.domains.provenance.models import Delivery
from medtheca.domains.provenance.operations import finish_delivery_if_done, open_delivery, refuse_delivery
from medtheca.domains.provenance.queries import cohort_to_upload
from medtheca.domains.provenance.reception import (
    Arrival,
    begin_reception,
    close_reception,
    lock_reception,
    not_received,
    note_members,
    received_ordinals,
    take_in_arrivals,
)
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.operations import keeping_blobs
from medtheca.domains.storage.queries import blob_store, upload_of
from medtheca.domains.storage.uploads import begin_upload, record_progress, release_upload, take_in_upload
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.companions import HEAD, Companions
from medtheca.toolkit.images.costs import cost_of_photographs, cost_of_reception
from medtheca.toolkit.unpack import Kind, Limits, scan
from medtheca.workflows.gathering import gather_held
from medtheca.workflows.sources import ZIP_HEADS, Source, stage_source

BATCH_FILES = 128
BATCH_BYTES = 96 << 20
TURN_BATCHES = 32
"""After so many batches the rest of an upload waits for its owner's next turn."""


def begin_delivery(
    *, user: User, cohort_id: int, filename: str, size: int, media_type: str = "", sha256: str = ""
) -> Upload:
    """Begin an upload to a cohort. Raises `NotFound`, `NotAllowed`, `Invalid`, `TooLarge` or `NoSpace`."""
    cohort = cohort_to_upload(user, cohort_id)
    # Before anything is made: a file on disk does not go away with a transaction.
    require_uploader(user, cohort)
    with transaction.atomic():
        upload = begin_upload(owner=user, filename=filename, size=size, media_type=media_type, sha256=sha256)
        open_delivery(upload=upload, cohort=cohort, actor=user)
        if size == 0:
            enqueue_reception(upload.pk)
    return upload


def acknowledge_bytes(*, upload: Upload, begun_at: int, offset: int) -> None:
    """Acknowledge bytes that are synced; the last ones set the reception going, in the same transaction."""
    with transaction.atomic():
        record_progress(upload_id=upload.pk, begun_at=begun_at, offset=offset)
        if offset == upload.size:
            enqueue_reception(upload.pk)


def cancel_delivery(*, user: User, upload: Upload) -> None:
    """Give up an upload of one's own that is not whole.

    Raises `NotFound` for somebody else's, `Conflict` where it is too late.
    """
    # Asked first without a lock: while a whole upload is hashed its row is locked, for minutes where it is large.
    _refuse_cancelling(upload_of(user.pk, upload.pk))
    with transaction.atomic():
        locked = Upload.objects.select_for_update().get(pk=upload.pk)
        _refuse_cancelling(locked)
        release_upload(upload=locked, state=UploadState.CANCELLED)
        delivery = Delivery.objects.get(upload=upload)
        refuse_delivery(delivery=delivery, code="cancelled", words="The upload was cancelled.", remedy="")


def _refuse_cancelling(upload: Upload) -> None:
    if upload.state != UploadState.RECEIVING or upload.offset == upload.size:
        raise Conflict("The upload is whole and on its way.", remedy="Withdraw what came of it instead.")


def enqueue_reception(upload_id: UUID) -> None:
    """Set the reception of a whole upload going, or the replacement of a file by it."""
    delivery = Delivery.objects.select_related("upload").get(pk=upload_id)
    lock = f"receive:{upload_id}"
    turn, cost = line_of(delivery.upload.owner_id), cost_of_reception(delivery.upload.size)
    if delivery.replaces_id is not None:
        enqueue("replace.accession", upload_id=str(upload_id), queueing_lock=lock, lock=lock, turn=turn, cost=cost)
    else:
        enqueue("receive.delivery", upload_id=str(upload_id), queueing_lock=lock, lock=lock, turn=turn, cost=cost)


def receive_delivery(*, upload_id: UUID) -> None:
    """Take in a whole upload: the container as a blob, then its files, batch by batch, as many as one turn allows."""
    delivery = begin_reception(upload_id)
    if delivery is None:
        # An earlier try may have been cut off between its last two steps.
        finish_delivery_if_done([upload_id])
        return
    step("receive.begun")
    try:
        with keeping_blobs():
            upload = take_in_upload(upload=Upload.objects.select_for_update().get(pk=upload_id))
    except Conflict as error:
        with transaction.atomic():
            release_upload(upload=delivery.upload, state=UploadState.CANCELLED)
            refuse_delivery(delivery=delivery, code=error.code, words=error.message, remedy=error.remedy)
        return
    step("receive.container")
    if upload.blob is None:
        return  # Another run of this job has come to the end meanwhile, and let the container go.
    refused: Refused | None = None
    with blob_store().open(upload.blob.sha256) as file:
        try:
            whole = _receive_container(delivery, upload, file)
        except Refused as refusal:
            whole, refused = True, refusal
    if not whole:
        # Behind what was enqueued of it just now. Cut off before this, the job is done again, and comes here again.
        enqueue_reception(upload_id)
        return
    _close(delivery, upload, refused)
    # Only now, in a transaction of its own: whichever of this and the last conversion comes later sees the other.
    finish_delivery_if_done([delivery.pk])
    step("receive.closed")


def _close(delivery: Delivery, upload: Upload, refused: Refused | None) -> None:
    """End the reception and let the container go, in one transaction, and once whoever else tries it too."""
    with transaction.atomic():
        if refused is not None:
            closed = refuse_delivery(delivery=delivery, code=refused.code, words=refused.message, remedy=refused.remedy)
        else:
            closed = close_reception(delivery)
        if not closed:
            return
        release_upload(upload=upload, state=UploadState.UNPACKED)
        record(
            actor_id=upload.owner_id,
            verb="delivery.received",
            subject_type="upload",
            subject_id=upload.pk,
            cohort_id=delivery.cohort_id,
        )


def _receive_container(delivery: Delivery, upload: Upload, file: BinaryIO) -> bool:
    """False where files are left for another turn."""
    head = file.read(4)
    file.seek(0)
    if head in ZIP_HEADS:
        limits = Limits(max_members=settings.ENVIRONMENT.max_members)
        listing = scan(file, limits)
        files = [member for member in listing.members if member.kind is not Kind.DIRECTORY]
        note_members(delivery, len(files))
        companions = Companions.of(member.path for member in files)
        whole = _receive_all(delivery, companions, (Source.of_member(file, member, limits) for member in files))
    else:
        note_members(delivery, 1)
        companions = Companions.of([upload.filename])
        whole = _receive_all(delivery, companions, iter([Source.of_single(file, upload)]))
    if whole:
        gather_held(delivery)
        step("receive.gathered")
    return whole


def _receive_all(delivery: Delivery, companions: Companions, sources: Iterator[Source]) -> bool:
    done = received_ordinals(delivery)
    batch: list[Arrival] = []
    size = taken = 0
    try:
        for source in sources:
            if source.ordinal in done:
                continue
            if taken == TURN_BATCHES:
                return False
            arrival = stage_source(source)
            batch.append(replace(arrival, held=_may_concern_others(companions, source.path, arrival)))
            size += arrival.staged.size if arrival.staged else 0
            if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
                _take_in(delivery, batch)
                batch, size, taken = [], 0, taken + 1
        if batch:
            _take_in(delivery, batch)
            batch = []
    finally:
        # Each try would leave a batch behind, and the reason for trying again may be that the disk is full.
        blob_store().discard(arrival.staged for arrival in batch if arrival.staged)
    return True


def _may_concern_others(companions: Companions, path: str, arrival: Arrival) -> bool:
    if arrival.staged is None:
        return False
    with arrival.staged.path.open("rb") as file:
        return companions.may_concern(path, file.read(HEAD))


def _take_in(delivery: Delivery, arrivals: list[Arrival]) -> None:
    with keeping_blobs():
        lock_reception(delivery)
        arrivals = not_received(delivery, arrivals)
        hold_arrivals(delivery, [arrival for arrival in arrivals if arrival.held])
        accessions = take_in_arrivals(delivery, [arrival for arrival in arrivals if not arrival.held])
        step("receive.rows")
        if accessions:
            enqueue(
                "convert.batch",
                accession_ids=accessions,
                turn=line_of(delivery.upload.owner_id),
                cost=cost_of_photographs(arrival.size for arrival in arrivals if not arrival.held),
            )
    step("receive.batch")
