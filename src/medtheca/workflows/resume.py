"""What was left lying is taken up again: a job that failed for good, or that a past release could not do.

Each of these jobs may run twice without harm, so asking too early costs a little work and nothing else.
"""

from __future__ import annotations

import logging

from medtheca.base.jobs import enqueue, jobs_under_way
from medtheca.domains.metadata.queries import stranded_files
from medtheca.domains.provenance.erasing import enqueue_erasure, stranded_erasures
from medtheca.domains.provenance.stranded import (
    stranded_accessions,
    stranded_deliveries,
    stranded_redactions,
    stranded_requests,
)
from medtheca.workflows.receive import BATCH_FILES, enqueue_reception
from medtheca.workflows.redact import enqueue_redaction

log = logging.getLogger(__name__)
_MOST = 10_000


def resume_stranded() -> int:
    """Enqueue again whatever waits and has waited too long; return how many jobs that made."""
    made = 0
    for upload_id in stranded_deliveries():
        enqueue_reception(upload_id)
        made += 1
    # A long queue is no reason to ask again.
    cared_for = {pk for job in jobs_under_way("convert.batch") for pk in job["accession_ids"]}
    for waiting in stranded_accessions(limit=_MOST, cared_for=cared_for).values():
        for start in range(0, len(waiting), BATCH_FILES):
            batch = waiting[start : start + BATCH_FILES]
            enqueue("convert.batch", accession_ids=batch, queueing_lock=f"convert:{batch[0]}", priority=-5)
            made += 1
    for file in stranded_files():
        enqueue(
            "describe.file",
            file_id=file.pk,
            lock=f"describe:{file.cohort.contributor_id}",
            queueing_lock=f"file:{file.pk}",
        )
        made += 1
    for request in stranded_requests():
        enqueue("publish.request", request_id=request.pk, queueing_lock=f"publish:{request.pk}")
        made += 1
    for version_id in stranded_redactions():
        enqueue_redaction(version_id)
        made += 1
    for erasure in stranded_erasures():
        enqueue_erasure(erasure)
        made += 1
    if made:
        log.warning("%s jobs were enqueued again for work that was left lying.", made)
    return made
