"""What was left lying is taken up again: a job that failed for good, or that a past release could not do.

Each of these jobs may run twice without harm, so asking too early costs a little work and nothing else.
"""

from __future__ import annotations

import logging

from medtheca.base.clock import now
from medtheca.base.jobs import enqueue, jobs_under_way
from medtheca.base.turns import line_of
from medtheca.domains.archives.importing import enqueue_import, stranded_imports
from medtheca.domains.archives.intakes import enqueue_settling, enqueue_take_in, stranded_intakes
from medtheca.domains.collections.batches import enqueue_batch, stranded_batches
from medtheca.domains.metadata.queries import stranded_files
from medtheca.domains.provenance.erasing import enqueue_erasure, stranded_erasures
from medtheca.domains.provenance.errands import enqueue_errand, stranded_errands
from medtheca.domains.provenance.stranded import (
    PATIENCE,
    stranded_accessions,
    stranded_deliveries,
    stranded_redactions,
    stranded_requests,
)
from medtheca.domains.storage.letting_go import enqueue_letting_go, is_waiting
from medtheca.workflows.receive import BATCH_FILES, enqueue_reception
from medtheca.workflows.redact import enqueue_redaction

log = logging.getLogger(__name__)
_MOST = 10_000


def resume_stranded() -> int:
    """Enqueue again whatever waits and has waited too long; return how many jobs that made."""
    made = _resume_arriving() + _resume_files() + _resume_errands() + _resume_intakes()
    for request in stranded_requests():
        enqueue("publish.request", request_id=request.pk, queueing_lock=f"publish:{request.pk}")
        made += 1
    for erasure in stranded_erasures():
        enqueue_erasure(erasure)
        made += 1
    for batch in stranded_batches():
        enqueue_batch(batch)
        made += 1
    if made:
        log.warning("%s jobs were enqueued again for work that was left lying.", made)
    return made


def _resume_arriving() -> int:
    made = 0
    for upload_id in stranded_deliveries():
        enqueue_reception(upload_id)
        made += 1
    # A long queue is no reason to ask again.
    cared_for = {pk for job in jobs_under_way("convert.batch") for pk in job["accession_ids"]}
    for (_cohort_id, creator_id), waiting in stranded_accessions(limit=_MOST, cared_for=cared_for).items():
        for start in range(0, len(waiting), BATCH_FILES):
            batch = waiting[start : start + BATCH_FILES]
            enqueue(
                "convert.batch",
                accession_ids=batch,
                queueing_lock=f"convert:{batch[0]}",
                turn=line_of(creator_id),
            )
            made += 1
    return made


def _resume_intakes() -> int:
    waiting, lying = stranded_intakes(patience=PATIENCE)
    for intake in waiting:
        enqueue_take_in(intake)
    for delivery in lying:
        enqueue_settling(delivery)
    sheets = stranded_imports(patience=PATIENCE)
    for sheet in sheets:
        enqueue_import(sheet)
    return len(waiting) + len(lying) + len(sheets)


def _resume_files() -> int:
    """Spreadsheets and redactions."""
    made = 0
    for file in stranded_files():
        enqueue(
            "describe.file",
            file_id=file.pk,
            lock=f"describe:{file.cohort.contributor_id}",
            queueing_lock=f"file:{file.pk}",
            turn=f"contributor:{file.cohort.contributor_id}",
        )
        made += 1
    for version_id in stranded_redactions():
        enqueue_redaction(version_id)
        made += 1
    return made


def _resume_errands() -> int:
    """What was to be taken back or made again, and bytes that were let go of."""
    made = 0
    for errand in stranded_errands():
        enqueue_errand(errand)
        made += 1
    if is_waiting(since=now() - PATIENCE):
        enqueue_letting_go()
        made += 1
    return made
