"""The regular upkeep: uploads that were given up, then bytes that nobody needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from medtheca.domains.access.operations import add_up_tally
from medtheca.domains.archives.importing import put_idle_away
from medtheca.domains.downloads.operations import sweep_downloads
from medtheca.domains.ledger.inbox import forget_old
from medtheca.domains.provenance.models import Delivery
from medtheca.domains.provenance.operations import refuse_delivery
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.upkeep import UPLOAD_IDLE, Swept, idle_uploads, run_upkeep
from medtheca.domains.storage.uploads import release_upload
from medtheca.domains.trials.operations import sweep_inspections
from medtheca.workflows.importing.staging import sweep_staging


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What one run did."""

    uploads_expired: int
    swept: Swept
    trials: int = 0


def keep_up() -> Upkeep:
    """Do all of the upkeep once; call it outside of a transaction, from a job or by hand."""
    add_up_tally()
    forget_old()
    sweep_downloads()
    put_idle_away()
    sweep_staging(idle=UPLOAD_IDLE)
    return Upkeep(uploads_expired=expire_uploads(), swept=run_upkeep(), trials=sweep_inspections())


def expire_uploads(*, idle: timedelta = UPLOAD_IDLE) -> int:
    """Cancel uploads that received nothing for `idle`, and tell their senders; return how many."""
    expired = 0
    for upload_id in idle_uploads(idle=idle):
        with transaction.atomic():
            upload = Upload.objects.select_for_update().filter(pk=upload_id, state=UploadState.RECEIVING).first()
            if upload is None or (upload.offset == upload.size and upload.part_size is None):
                continue
            if upload.taken is not None and Delivery.objects.filter(upload=upload).exists():
                continue  # It waits for a worker, as what was given to a cohort does.
            release_upload(upload=upload, state=UploadState.CANCELLED)
            if delivery := Delivery.objects.filter(upload=upload).first():
                refuse_delivery(
                    delivery=delivery,
                    code="expired",
                    words=f"Nothing of {upload.filename} arrived for {idle.days} days, so it was given up.",
                    remedy="Upload it again.",
                )
            expired += 1
    return expired
