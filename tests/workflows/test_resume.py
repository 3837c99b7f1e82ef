"""Work that was left lying is taken up again."""

from datetime import timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from medtheca.domains.access.models import Withdrawal
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.ledger.models import Event
from medtheca.domains.provenance.errands import errand_to_do
from medtheca.domains.provenance.models import Accession, Delivery, Errand, ErrandItem, Verdict
from medtheca.domains.provenance.purging import purge
from medtheca.domains.provenance.selecting import select
from medtheca.domains.provenance.stranded import PATIENCE
from medtheca.domains.storage.enums import BlobState
from medtheca.domains.storage.models import Blob, Upload
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows import reconvert, taking_back
from medtheca.workflows.reconvert import begin_reconversion
from medtheca.workflows.resume import resume_stranded
from medtheca.workflows.taking_back import take_back_errand, take_back_many
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes, use_data_folder
from tests.generators.images import every_secret, insert, jpeg
from tests.workflows.test_ingest import picture

pytestmark = pytest.mark.django_db


def lose_jobs_and_wait():
    ProcrastinateJob.objects.all()._raw_delete("default")
    for model in (Upload, Delivery, Accession):
        model.objects.update(modified=model.objects.first().modified - PATIENCE - timedelta(seconds=1))


def test_a_lost_reception_and_a_lost_conversion_are_taken_up():
    alice = User.objects.create_user("alice@example.org")
    deliver(alice, make_cohort(alice), make_zip([("one.jpg", picture(1)), ("two.jpg", picture(2))]))
    ProcrastinateJob.objects.all()._raw_delete("default")
    Upload.objects.update(modified=Upload.objects.get().modified - 2 * PATIENCE)
    Delivery.objects.update(modified=Delivery.objects.get().modified - 2 * PATIENCE)
    assert resume_stranded() == 1
    job = ProcrastinateJob.objects.get()
    assert job.task_name == "receive.delivery"
    assert run_jobs() == ["receive.delivery", "convert.batch"]
    assert {verdict.outcome for verdict in Verdict.objects.all()} == {"accepted"}


def test_a_lost_conversion_is_taken_up():
    alice = User.objects.create_user("alice@example.org")
    upload = deliver(alice, make_cohort(alice), make_zip([("one.jpg", picture(1))]))
    from medtheca.workflows.receive import receive_delivery

    receive_delivery(upload_id=upload)
    lose_jobs_and_wait()
    resume_stranded()
    assert "convert.batch" in run_jobs()
    assert Accession.objects.get().state == "converted"


def test_work_that_goes_on_is_left_alone():
    alice = User.objects.create_user("alice@example.org")
    deliver(alice, make_cohort(alice), make_zip([("one.jpg", picture(1))]))
    assert resume_stranded() == 0


def lose_errands():
    """Every job is gone, and the errands have waited longer than any job takes to begin."""
    ProcrastinateJob.objects.all()._raw_delete("default")
    Errand.objects.update(created=Errand.objects.earliest("created").created - 2 * PATIENCE)


def resume_twice():
    """Each errand gets one job, however often it is asked for; the names of the jobs that were done."""
    resume_stranded()
    waiting = ProcrastinateJob.objects.count()
    resume_stranded()
    assert ProcrastinateJob.objects.count() == waiting
    return run_jobs()


@pytest.mark.parametrize("withdraw", [True, False])
def test_images_whose_taking_back_was_lost_are_taken_back(monkeypatch, *, withdraw):
    alice = make_user("alice")
    cohort = make_cohort(alice)
    images = make_images(cohort, 5, visibility="public")
    monkeypatch.setattr(taking_back, "BATCH", 2)
    done = take_back_many(cohort=cohort, user=alice, reason="Asked for.", withdraw=withdraw)
    assert (done.done, done.under_way) == (0, 5)
    assert resume_stranded() == 0, "what has just been asked for is not taken for lost"
    lose_errands()
    assert resume_twice() == ["publish.take_back"] * 3
    events = Event.objects.filter(verb="image.withdrawn" if withdraw else "image.unpublished")
    assert sorted(int(event.subject_id) for event in events) == [image.pk for image in images]
    if withdraw:
        assert set(Withdrawal.objects.values_list("reason", flat=True)) == {"Asked for."}
    else:
        assert not Accession.objects.filter(published__isnull=False).exists()
    assert not Errand.objects.exists()
    assert resume_stranded() == 0


def test_a_taking_back_that_was_done_does_not_reach_what_was_published_since(monkeypatch):
    alice = make_user("alice")
    cohort = make_cohort(alice)
    make_images(cohort, 2, visibility="public")
    monkeypatch.setattr(taking_back, "BATCH", 1)
    take_back_many(cohort=cohort, user=alice, reason="Asked for.", withdraw=False)
    first, _ = Errand.objects.order_by("pk")
    assert take_back_errand(errand_id=first.pk) == 1
    Accession.objects.filter(published__isnull=True).update(published=Accession.objects.last().published)
    assert errand_to_do(first.pk) is None
    assert take_back_errand(errand_id=first.pk) == 0
    assert Accession.objects.filter(published__isnull=False).count() == 2


def test_an_errand_goes_on_without_the_accessions_that_went(monkeypatch):
    alice = make_user("alice")
    cohort = make_cohort(alice)
    make_images(cohort, 2, visibility="public")
    monkeypatch.setattr(taking_back, "BATCH", 1)
    take_back_many(cohort=cohort, user=alice, reason="Asked for.", withdraw=False)
    Accession.objects.filter(pk=ErrandItem.objects.first().accession_id).delete()
    lose_errands()
    assert resume_twice() == ["publish.take_back"] * 2
    assert not Errand.objects.exists()


def test_a_conversion_that_was_to_be_made_again_and_was_lost_is_made(monkeypatch, settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")
    alice, sam = make_user("alice"), make_user("sam")
    cohort = make_cohort(alice)
    files = [("a.jpg", insert(jpeg(), *every_secret())), ("b.jpg", jpeg(seed=1)), ("c.jpg", jpeg(seed=2))]
    deliver(alice, cohort, make_zip(files))
    run_jobs()
    recipes = set(ImageFile.objects.filter(kind=FileKind.PUBLIC).values_list("recipe", flat=True))
    ImageFile.objects.filter(kind=FileKind.PUBLIC).update(recipe="an old one")
    Image.objects.filter(accession__name="b.jpg").update(pixel_hash="0" * 64)
    monkeypatch.setattr(reconvert, "BATCH", 2)
    begin_reconversion(selection=select(user=sam, cohort_id=cohort.pk), actor=sam)
    lose_errands()
    assert resume_twice() == ["convert.again"] * 2
    made = ImageFile.objects.filter(kind=FileKind.PUBLIC).exclude(image__accession__name="b.jpg")
    assert set(made.values_list("recipe", flat=True)) <= recipes
    # One whose pixels would be others is left alone, and is not found again for ever.
    assert ImageFile.objects.get(kind=FileKind.PUBLIC, image__accession__name="b.jpg").recipe == "an old one"
    assert not Errand.objects.exists()
    assert resume_stranded() == 0
    blob_store.cache_clear()


@pytest.mark.django_db(transaction=True)
def test_bytes_whose_letting_go_was_lost_get_their_tombstone(settings, tmp_path):
    make_wide_scopes()
    use_data_folder(settings, tmp_path / "data")
    alice, sam = make_user("alice"), make_user("sam")
    cohort = make_cohort(alice)
    deliver(alice, cohort, make_zip([("a.jpg", insert(jpeg(), *every_secret())), ("b.jpg", jpeg(seed=1))]))
    run_jobs()
    going, kept = Accession.objects.order_by("name")
    blobs = set(ImageFile.objects.filter(image=going.image).values_list("blob", flat=True))
    # What something else holds as well stays, and is not looked at again.
    ImageFile.objects.filter(image=going.image, kind=FileKind.WEB).update(blob=kept.original)
    blobs -= {kept.original_id, *ImageFile.objects.filter(image=kept.image).values_list("blob", flat=True)}
    purge(selection=select(user=sam, accession_ids=[going.pk]), reason="Mistake.", actor=sam)
    assert resume_stranded() == 0
    ProcrastinateJob.objects.all()._raw_delete("default")
    marked = Blob.objects.filter(let_go__isnull=False)
    assert kept.original_id in set(marked.values_list("pk", flat=True))
    marked.update(let_go=marked.first().let_go - 2 * PATIENCE)
    assert resume_twice() == ["storage.let_go"]
    tombstoned = set(Blob.objects.filter(state=BlobState.TOMBSTONED).values_list("pk", flat=True))
    assert ImageFile.objects.count() == 4
    assert tombstoned
    assert tombstoned <= blobs
    assert Blob.objects.get(pk=kept.original_id).state == BlobState.STORED
    assert not Blob.objects.filter(let_go__isnull=False).exists()
    assert resume_stranded() == 0
    blob_store.cache_clear()
