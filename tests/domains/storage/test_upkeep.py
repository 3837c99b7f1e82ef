import os
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction

from medtheca.base.errors import Conflict
from medtheca.domains.ledger.models import Event
from medtheca.domains.storage import upkeep
from medtheca.domains.storage.bundles import Part
from medtheca.domains.storage.enums import BlobState, UploadState
from medtheca.domains.storage.layout import laid_out
from medtheca.domains.storage.models import Blob, Upload
from medtheca.domains.storage.operations import holding_off_sweeps, keeping_blobs, store_blobs, sweeping_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.uploads import part_path
from tests.factories.layouts import leave_laid_out
from tests.factories.storage import keep, keep_for, read, sha256_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data")]

NOW = timedelta(0)


def sweep_all():
    return upkeep.run_upkeep(tombstone_grace=NOW, sweep_window=NOW, stray_grace=NOW)


def test_what_nothing_refers_to_is_tombstoned_then_swept(alice):
    used, unused = keep_for(alice, b"used").blob, keep(b"unused")
    assert upkeep.tombstone_unreferenced(grace=NOW) == 1
    unused.refresh_from_db()
    used.refresh_from_db()
    assert (unused.state, used.state) == (BlobState.TOMBSTONED, BlobState.STORED)
    assert read(unused.sha256) == b"unused"  # A tombstone keeps the bytes.
    assert upkeep.sweep_tombstones() == (0, 0)  # It is too young.
    assert upkeep.sweep_tombstones(window=NOW) == (1, 6)
    assert not blob_store().exists(unused.sha256)
    assert list(Blob.objects.values_list("sha256", flat=True)) == [used.sha256]
    assert read(used.sha256) == b"used"


def test_young_blobs_are_left_alone():
    keep(b"just arrived")
    assert upkeep.tombstone_unreferenced() == 0


def test_storing_the_same_content_again_revives_a_tombstone():
    blob = keep(b"again")
    upkeep.tombstone_unreferenced(grace=NOW)
    assert keep(b"again").pk == blob.pk
    blob.refresh_from_db()
    assert (blob.state, blob.tombstoned) == (BlobState.STORED, None)
    assert upkeep.sweep_tombstones(window=NOW) == (0, 0)
    assert read(blob.sha256) == b"again"


def test_a_tombstone_that_something_refers_to_is_never_swept(alice):
    blob = keep(b"used after all")
    upkeep.tombstone_unreferenced(grace=NOW)
    Upload.objects.create(owner=alice, filename="a", size=14, offset=14, state=UploadState.FINISHED, blob=blob)
    assert upkeep.sweep_tombstones(window=NOW) == (0, 0)
    assert upkeep.revive_referenced() == 1
    blob.refresh_from_db()
    assert blob.state == BlobState.STORED


def test_strays_and_temporary_files_go_once_they_are_old():
    known = keep(b"known")
    with keeping_blobs():
        store_blobs([blob_store().stage([b"rolled back"])])
        transaction.set_rollback(True)
    blob_store().stage([b"never committed"])
    assert upkeep.sweep_strays() == (0, 0)
    assert upkeep.sweep_strays(grace=NOW) == (1, 1)
    assert read(known.sha256) == b"known"
    assert not blob_store().exists(sha256_of(b"rolled back"))


def test_the_age_of_a_file_taken_over_is_that_of_the_taking(tmp_path):
    old = tmp_path / "old.part"
    old.write_bytes(b"written long ago")
    os.utime(old, (1, 1))
    blob_store().commit([blob_store().adopt(old, sha256_of(b"written long ago"), 16)])
    assert upkeep.sweep_strays() == (0, 0)


def test_the_wrong_database_empties_no_store(monkeypatch):
    monkeypatch.setattr(upkeep, "_MANY_STRAYS", 3)
    blob_store().commit([blob_store().stage([bytes([number])]) for number in range(5)])
    keep(b"known")
    with pytest.raises(Conflict, match="5 of 6 files") as refusal:
        upkeep.sweep_strays(grace=NOW)
    assert refusal.value.code == "wrong_database"
    assert len(list(blob_store().names())) == 6


def test_a_crash_between_row_and_bytes_leaves_only_a_stray(monkeypatch):
    blob = keep(b"half swept")
    upkeep.tombstone_unreferenced(grace=NOW)

    def crash(_name):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(upkeep, "step", crash)
        with pytest.raises(KeyboardInterrupt):
            upkeep.sweep_tombstones(window=NOW)
    assert not Blob.objects.exists()
    assert blob_store().exists(blob.sha256)
    assert sweep_all().strays == 1
    assert not blob_store().exists(blob.sha256)


def test_nothing_is_swept_while_a_backup_runs():
    blob = keep(b"wanted by the backup")
    upkeep.tombstone_unreferenced(grace=NOW)
    done = []

    def sweep():
        try:
            done.append(upkeep.run_upkeep(tombstone_grace=NOW, sweep_window=NOW, stray_grace=NOW))
        finally:
            connections.close_all()

    with holding_off_sweeps():
        thread = threading.Thread(target=sweep)
        thread.start()
        thread.join()
        assert blob_store().exists(blob.sha256)
    assert done[0].blobs == 0
    assert "backed up" in done[0].postponed[0]
    assert upkeep.sweep_tombstones(window=NOW) == (1, 20)


def test_nobody_keeps_a_blob_while_its_file_is_being_removed():
    """The gap that a lock of the transaction alone would leave: row gone, file not yet, same content comes in."""
    content, order = b"swept and stored at once", []
    keep(content)
    upkeep.tombstone_unreferenced(grace=NOW)
    delete = blob_store().delete

    def keep_again():
        try:
            keep(content)
            order.append("kept")
        finally:
            connections.close_all()

    thread = threading.Thread(target=keep_again)

    def slow_delete(sha256, **options):
        thread.start()
        thread.join(0.5)
        order.append("deleted")
        delete(sha256, **options)

    blob_store().delete = slow_delete
    try:
        upkeep.sweep_tombstones(window=NOW)
    finally:
        del blob_store().delete
    thread.join()
    assert order == ["deleted", "kept"]
    assert read(Blob.objects.get().sha256) == content


def test_the_sweepers_lock_is_given_back_and_needs_transactions_of_its_own():
    with pytest.raises(ValueError), sweeping_blobs():
        raise ValueError
    with sweeping_blobs(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        assert cursor.fetchone() == (1,)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone() == (0,)
    with transaction.atomic(), pytest.raises(RuntimeError), sweeping_blobs():
        pass


def test_erasing_is_immediate_and_proves_itself(alice):
    blob = keep(b"private")
    absent = sha256_of(b"never here")
    receipt = upkeep.erase_blobs(sha256s=[blob.sha256, absent], actor_id=alice.pk, reason="consent withdrawn")
    assert receipt.erased == ((blob.sha256, 7),)
    assert receipt.absent == (absent,)
    assert not blob_store().exists(blob.sha256)
    event = Event.objects.get(verb="blob.erased")
    assert (event.subject_id, event.actor_id, event.details["size"]) == (blob.sha256, alice.pk, 7)


def test_erasing_refuses_what_is_still_in_use(alice):
    upload, other = keep_for(alice, b"in use"), keep(b"not in use")
    with pytest.raises(Conflict, match="1 of 2 blobs are still in use"):
        upkeep.erase_blobs(sha256s=[upload.blob.sha256, other.sha256], actor_id=alice.pk, reason="x")
    assert read(other.sha256) == b"not in use"


def test_erasing_goes_on_after_a_crash_and_reaches_quarantine():
    blob = keep(b"half erased")
    keep(b"in quarantine")
    blob_store().quarantine(sha256_of(b"in quarantine"))
    Blob.objects.filter(pk=blob.pk).delete()  # The rows went, then the process died.
    receipt = upkeep.erase_blobs(sha256s=[blob.sha256, sha256_of(b"in quarantine")], actor_id=None, reason="x")
    assert dict(receipt.erased) == {blob.sha256: 11, sha256_of(b"in quarantine"): 13}
    assert not list(blob_store().names())
    assert not list(blob_store().quarantined())


def test_part_files_go_with_their_uploads(alice):
    def upload(state):
        row = Upload.objects.create(owner=alice, filename="a", size=4, offset=2, state=state)
        part_path(row.pk).parent.mkdir(exist_ok=True)
        part_path(row.pk).write_bytes(b"ab")
        return row

    open_one, cancelled = upload(UploadState.RECEIVING), upload(UploadState.CANCELLED)
    without_row = part_path("00000000-0000-4000-8000-000000000000")
    without_row.write_bytes(b"x")
    stranger = without_row.with_name("notes.part")
    stranger.write_bytes(b"x")
    assert upkeep.sweep_parts() == 1
    assert without_row.exists()  # Young: its row may be about to be committed.
    assert upkeep.sweep_parts(grace=NOW) == 1
    assert part_path(open_one.pk).exists()
    assert stranger.exists()
    assert not part_path(cancelled.pk).exists()


def test_an_upload_is_idle_only_when_neither_row_nor_file_moved(alice):
    idle, moving, whole = (
        Upload.objects.create(owner=alice, filename="a", size=4, offset=offset) for offset in (2, 2, 4)
    )
    Upload.objects.update(modified=Upload.objects.get(pk=idle.pk).modified - timedelta(days=8))
    part_path(idle.pk).parent.mkdir()
    for row in (idle, moving, whole):
        part_path(row.pk).write_bytes(b"ab")
    os.utime(part_path(idle.pk), (1, 1))
    os.utime(part_path(whole.pk), (1, 1))
    assert upkeep.idle_uploads() == [idle.pk]


def test_folders_of_cases_that_a_crash_left_are_removed_with_what_is_linked_there(settings):
    blob = keep(b"of a case that was cut off")
    parts = [Part("inner/image.dcm", blob)]
    with laid_out(parts) as folder:
        # Root may lay out a copy instead; either way the bytes are there a second time.
        assert (folder / "inner" / "image.dcm").read_bytes() == b"of a case that was cut off"
        assert upkeep.run_upkeep(stray_grace=NOW).layouts == 0  # Somebody is decoding it.
        assert folder.exists()
    leave_laid_out(parts)
    assert upkeep.run_upkeep().layouts == 1
    assert list((settings.ENVIRONMENT.data / "cases").iterdir()) == []
    assert read(blob.sha256) == b"of a case that was cut off"
