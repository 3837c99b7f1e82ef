"""Classic bugs, put back on purpose: `MEDTHECA_BLOB_STORE=tests.faults.planted.NAME`. The crash test has to find each.

Acknowledging before fsync is not among them: what was written survives kill -9 in the kernel's memory, so only a power
cut shows it.
"""

import threading
import time

from medtheca.base.steps import step
from medtheca.domains.storage.stores import LocalStore

_LATER = 0.5
_MUCH_LATER = 3.0


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


def mixed_redaction(root):
    """A redacted version becomes current while the public copy stays what it was."""
    from medtheca.domains.imaging.models import ImageFile
    from medtheca.domains.provenance import versions

    take_over = versions._take_over

    def without_public(image, version):
        before = ImageFile.objects.get(image=image, kind="public").blob_id
        take_over(image, version)
        ImageFile.objects.filter(image=image, kind="public").update(blob=before)

    versions._take_over = without_public
    return LocalStore(root)


def late_version(root):
    """A replacement is said to be done before its version is current, and nobody goes on where that is cut off."""
    from medtheca.workflows import replace

    replace._keep = lambda delivery, *_: replace._finish(delivery)
    return LocalStore(root)


def named_sheet(root):
    """A spreadsheet keeps its name though all that was in it is erased."""
    from medtheca.workflows.erase import sheets

    sheets._says_anything = lambda *_: True
    return LocalStore(root)


def lost_part(root):
    """A bundle has no row for its last part."""
    from medtheca.domains.storage.models import BundlePart

    create = BundlePart.objects.bulk_create
    BundlePart.objects.bulk_create = lambda rows, **options: create(rows[:-1], **options)
    return LocalStore(root)


def forgotten_held_file(root):
    """One of the files that are held is never looked at, and the delivery ends all the same."""
    from medtheca.workflows import gathering

    held_files = gathering.held_files
    gathering.held_files = lambda delivery: held_files(delivery)[:-1]
    return LocalStore(root)


def standing_folder(root):
    """The upkeep leaves folders of cases where they are."""
    from medtheca.domains.storage import upkeep

    upkeep.sweep_layouts = lambda **_: 0
    return LocalStore(root)


def changes(root):
    """All bugs of changes at once: they do not hide each other."""
    for plant in (mixed_redaction, late_version, named_sheet):
        store = plant(root)
    return store


def gathering(root):
    """All bugs of images of several files at once."""
    for plant in (lost_part, forgotten_held_file, standing_folder):
        store = plant(root)
    return store
