"""Classic bugs, put back on purpose: `MEDTHECA_BLOB_STORE=tests.faults.planted.NAME`. The crash test has to find each.

Acknowledging before fsync is not among them: what was written survives kill -9 in the kernel's memory, so only a power
cut shows it.
"""

import threading
import time

from medtheca.base.steps import step
from medtheca.domains.storage.stores import LocalStore

_LATER = 0.5
_MUCH_LATER = 1.0


class _RowsFirst(LocalStore):
    """Says that bytes are durable, and moves them to their names a moment later."""

    def commit(self, staged):
        def move():
            time.sleep(_MUCH_LATER)
            LocalStore.commit(self, staged)

        threading.Thread(target=move, daemon=True).start()


def row_before_blob(root):
    """A blob's row is committed before its bytes are under their name."""
    return _RowsFirst(root)


def missing_lock(root):
    """A conversion neither locks its accessions nor looks again whether they wait; each runs twice at once."""
    from medtheca.domains.provenance.models import Accession
    from medtheca.workflows import convert, receive

    def without_lock(accession_ids):
        rows = Accession.objects.filter(pk__in=accession_ids)
        return list(rows.select_related("original", "cohort__contributor").order_by("pk"))

    enqueue = receive.enqueue

    def twice(name, **options):
        enqueue(name, **options)
        if name == "convert.batch":
            enqueue(name, **options)

    convert.lock_waiting = without_lock
    receive.enqueue = twice
    return LocalStore(root)


def job_after_commit(root):
    """The conversion is enqueued after the transaction that makes it necessary."""
    from medtheca.domains.provenance.reception import take_in_arrivals
    from medtheca.domains.storage.operations import keeping_blobs
    from medtheca.workflows import receive

    def take_in(delivery, arrivals):
        with keeping_blobs():
            accessions = take_in_arrivals(delivery, arrivals)
            step("receive.rows")
        step("receive.batch")
        time.sleep(_LATER)
        if accessions:
            receive.enqueue("convert.batch", accession_ids=accessions)

    receive._take_in = take_in
    return LocalStore(root)
