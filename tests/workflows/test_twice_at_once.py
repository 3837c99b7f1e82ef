"""One job done by two workers at the same moment: a worker that was held for dead, and was not. Nothing collides."""

import threading

import pytest
from django.db import connection

from medtheca.domains.ledger.models import Notification
from medtheca.domains.provenance.models import Accession, Delivery, FileVersion, HeldFile, Verdict
from medtheca.domains.storage.models import BundlePart
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows import gathering, receive, replace
from medtheca.workflows.receive import receive_delivery
from medtheca.workflows.replace import replace_accession, replace_with_file
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes
from tests.generators import volumes
from tests.generators.images import jpeg

pytestmark = pytest.mark.django_db(transaction=True)
_PATIENCE = 60


@pytest.fixture
def alice(transactional_db, data):
    make_wide_scopes()
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


@pytest.fixture
def meet(monkeypatch):
    """Makes two threads wait for each other where they come out of a function for the first time."""

    def arrange(module, name):
        inner, met = getattr(module, name), threading.Barrier(2)
        passed = threading.local()

        def outer(*arguments, **options):
            answer = inner(*arguments, **options)
            if threading.current_thread() is not threading.main_thread() and not hasattr(passed, "once"):
                passed.once = True
                met.wait(_PATIENCE)
            return answer

        monkeypatch.setattr(module, name, outer)

    return arrange


def twice_at_once(work, **arguments):
    """What two threads raised that did the same."""
    raised = []

    def run():
        try:
            work(**arguments)
        except BaseException as error:  # noqa: BLE001 - it is what the test looks at
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_PATIENCE)
    return raised


def nothing_staged(data):
    return not list((data / "blobs" / "staging").glob("*"))


def test_a_delivery_that_two_receive_has_each_file_once(alice, cohort, data, meet, monkeypatch):
    monkeypatch.setattr(receive, "BATCH_FILES", 4)
    files = [*((f"{n}.jpg", jpeg(seed=n)) for n in range(9)), ("notes.txt", b""), ("__MACOSX/._1.jpg", b"x")]
    upload = deliver(alice, cohort, make_zip(files))
    # Both believe that nothing has been received.
    meet(receive, "received_ordinals")
    assert twice_at_once(receive_delivery, upload_id=upload) == []
    assert list(Verdict.objects.filter(delivery=upload).order_by("ordinal").values_list("path", flat=True)) == [
        path for path, _ in files
    ]
    assert Accession.objects.count() == 9
    run_jobs()
    assert Verdict.objects.filter(delivery=upload, outcome="accepted").count() == 9
    assert Delivery.objects.get(pk=upload).state == "done"
    assert nothing_staged(data)
    assert Notification.objects.filter(kind="delivery.done").count() <= 1


def test_files_of_one_image_that_two_put_together_make_one_image(alice, cohort, data, meet):
    header, voxels = volumes.metaimage(volumes.draw(), data_file="scan.raw")
    upload = deliver(alice, cohort, make_zip([("scan.mhd", header), ("scan.raw", voxels), ("one.jpg", jpeg(seed=1))]))
    # Both have found the same files held, and described them.
    meet(gathering, "_describe")
    assert twice_at_once(receive_delivery, upload_id=upload) == []
    run_jobs()
    assert set(Verdict.objects.filter(delivery=upload).values_list("path", "outcome")) == {
        ("scan.mhd", "accepted"),
        ("scan.raw", "accepted"),
        ("one.jpg", "accepted"),
    }
    assert Accession.objects.count() == 2
    assert BundlePart.objects.count() == 2
    assert not HeldFile.objects.exists()
    assert nothing_staged(data)


@pytest.mark.parametrize("place", ["stage_source", "examine_originals"])
def test_a_file_that_two_replace_gets_one_version(alice, cohort, data, meet, place):
    deliver(alice, cohort, jpeg(seed=1), filename="one.jpg")
    run_jobs()
    accession = Accession.objects.get()
    content = jpeg(seed=2)
    upload = replace_with_file(
        user=alice,
        accession_id=accession.pk,
        filename="one.jpg",
        size=len(content),
        chunks=[content],
        reason="The first was blurred.",
    )
    meet(replace, place)
    assert twice_at_once(replace_accession, upload_id=upload.pk) == []
    run_jobs()
    assert list(FileVersion.objects.order_by("number").values_list("number", "state")) == [
        (1, "superseded"),
        (2, "current"),
    ]
    (verdict,) = Verdict.objects.filter(delivery=upload.pk)
    assert (verdict.outcome, verdict.code) == ("accepted", "replaced")
    assert nothing_staged(data)
    assert not Notification.objects.filter(words__contains="refused").exists()


def test_the_same_bytes_again_that_two_bring_are_told_once(alice, cohort, data, meet):
    content = jpeg(seed=1)
    deliver(alice, cohort, content, filename="one.jpg")
    run_jobs()
    upload = replace_with_file(
        user=alice,
        accession_id=Accession.objects.get().pk,
        filename="one.jpg",
        size=len(content),
        chunks=[content],
        reason="By mistake.",
    )
    meet(replace, "stage_source")
    assert twice_at_once(replace_accession, upload_id=upload.pk) == []
    (verdict,) = Verdict.objects.filter(delivery=upload.pk)
    assert verdict.code == "same_content"
    assert Notification.objects.filter(kind="replacement.done").count() == 1
    assert nothing_staged(data)
    assert blob_store().exists(Accession.objects.get().original.sha256)
