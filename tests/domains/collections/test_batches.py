"""Many images at once: settled when asked for, worked off in parts, cut off and gone on with."""

from datetime import timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.operations import set_visibility
from medtheca.domains.collections import batches
from medtheca.domains.collections.batches import progress_of, send_batch, send_named, stranded_batches, work_off
from medtheca.domains.collections.enums import BatchAction, BatchState
from medtheca.domains.collections.models import Batch, BatchPart, Change, Editor
from medtheca.domains.collections.operations import set_locked
from medtheca.domains.collections.queries import batch_for, count_images, images_in
from medtheca.domains.ledger.models import Event
from medtheca.workflows.collecting import change_by_search, create_filled, found_by
from medtheca.workflows.resume import resume_stranded
from tests.factories.accounts import make_user
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort, run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(batches, "PART", 3)


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def images(alice):
    values = [{"sex": "male"} if at < 5 else {} for at in range(8)]
    return make_images(make_cohort(alice), 8, visibility="public", structured=values.__getitem__)


def ids(images):
    return sorted(image.pk for image in images)


def test_a_search_is_settled_when_it_is_asked_for(alice, images):
    made = make_collection(alice)
    batch = change_by_search(collection=made, actor=alice, action=BatchAction.ADD, query="sex:male")
    make_images(make_cohort(alice, name="Later"), 2, visibility="public", structured={"sex": "male"})
    assert progress_of(batch).settled == 0
    assert "collections.fill" in run_jobs()
    assert ids(images_in(made, alice)) == ids(images[:5])
    done = progress_of(batch_for(alice, made, batch.pk))
    assert (done.state, done.total, done.settled, done.changed) == (BatchState.DONE, 5, 5, 5)
    assert Change.objects.filter(collection=made).count() == 2
    assert Event.objects.get(verb="collection.images_added").details == {"images": 5}
    # The lists are not needed any more.
    assert not any(BatchPart.objects.filter(batch=batch).values_list("images", flat=True))


def test_searches_are_of_what_the_person_sees_and_within_collections(alice, images):
    bob = make_user("bob")
    make_images(make_cohort(alice, name="Private"), 2)
    made = make_collection(alice, images[:2], public=True)
    assert found_by("", asker=bob).count() == 8
    assert found_by("", asker=alice).count() == 10
    assert ids(found_by("sex:male", collection_ids=[made.pk], asker=bob)) == ids(images[:2])
    assert ids(found_by(images[0].public_id, asker=bob)) == [images[0].pk]
    hidden = make_collection(alice, images, name="Hidden")
    with pytest.raises(NotFound):
        found_by("", collection_ids=[hidden.pk], asker=bob)
    with pytest.raises(Invalid):
        found_by("sex:(", asker=bob)


def test_a_job_that_was_cut_off_goes_on_where_it_was(alice, images, monkeypatch):
    made = make_collection(alice)
    batch = send_batch(collection=made, actor=alice, action=BatchAction.ADD, image_ids=ids(images))
    real, calls = batches.add_images, []

    def killed_in_the_second(**given):
        calls.append(given["image_ids"])
        done = real(**given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(batches, "add_images", killed_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        work_off(batch.pk)
    cut = progress_of(batch_for(alice, made, batch.pk))
    # The second part was not done at all: its images came in with its note or not.
    assert (cut.state, cut.settled, cut.changed) == (BatchState.WAITING, 3, 3)
    assert count_images([made], alice)[made.pk] == 3
    work_off(batch.pk)
    work_off(batch.pk)
    assert calls == [ids(images)[:3], ids(images)[3:6], ids(images)[3:6], ids(images)[6:]]
    assert count_images([made], alice)[made.pk] == 8
    assert Event.objects.filter(verb="collection.images_added").count() == 1


def test_what_may_be_done_is_asked_when_it_is_done(alice, images):
    edith = make_user("edith")
    made = make_collection(alice, editors=[edith])
    batch = send_batch(collection=made, actor=edith, action=BatchAction.ADD, image_ids=ids(images))
    Editor.objects.filter(collection=made).delete()
    run_jobs()
    batch.refresh_from_db()
    assert batch.state == BatchState.FAILED
    assert "Only the owner and the editors" in batch.words
    assert count_images([made], alice)[made.pk] == 0
    with pytest.raises(NotAllowed):
        send_batch(collection=made, actor=edith, action=BatchAction.ADD, image_ids=[])


def test_a_collection_that_is_locked_meanwhile_ends_the_batch(alice, images):
    made = make_collection(alice)
    batch = send_batch(collection=made, actor=alice, action=BatchAction.ADD, image_ids=ids(images))
    set_locked(collection=made, actor=alice, locked=True)
    run_jobs()
    batch.refresh_from_db()
    assert (batch.state, "is locked" in batch.words) == (BatchState.FAILED, True)


def test_a_public_collection_takes_what_is_public_when_it_comes_to_it(alice, images):
    made, batch = create_filled(
        creator=alice,
        name="Public",
        public=True,
        refs=[*(image.public_id for image in images), "ISIC_0000000", "\0"],
    )
    set_visibility(image_ids=[images[0].pk], visibility=Visibility.PRIVATE)
    run_jobs()
    done = progress_of(batch_for(alice, made, batch.pk))
    assert (done.total, done.settled, done.changed) == (10, 10, 7)
    assert (done.private, done.private_count) == ((images[0].public_id,), 1)
    assert (done.absent, done.absent_count) == (("ISIC_0000000", ""), 2)
    assert ids(images_in(made, None)) == ids(images[1:])


def test_what_a_search_finds_is_removed(alice, images):
    made = make_collection(alice, images)
    change_by_search(collection=made, actor=alice, action=BatchAction.REMOVE, query="sex:male")
    run_jobs()
    assert ids(images_in(made, alice)) == ids(images[5:])


def test_a_lost_job_is_found(alice, images):
    made = make_collection(alice)
    send_batch(collection=made, actor=alice, action=BatchAction.ADD, image_ids=ids(images))
    ProcrastinateJob.objects.all()._raw_delete("default")
    assert not stranded_batches().exists()
    Batch.objects.update(created=now() - timedelta(minutes=20))
    resume_stranded()
    run_jobs()
    assert count_images([made], alice)[made.pk] == 8
    assert not stranded_batches().exists()


def test_not_too_many_wait_and_not_too_many_are_named(alice, images, monkeypatch):
    made = make_collection(alice)
    monkeypatch.setattr(batches, "MOST_WAITING", 1)
    send_named(collection=made, actor=alice, action=BatchAction.ADD, refs=[images[0].public_id])
    with pytest.raises(Conflict):
        send_named(collection=made, actor=alice, action=BatchAction.ADD, refs=[images[1].public_id])
    monkeypatch.setattr(batches, "MOST_NAMED", 2)
    for refs in ([], ["a", "b", "c"]):
        with pytest.raises(Invalid):
            send_named(collection=made, actor=alice, action=BatchAction.ADD, refs=refs)


def test_only_who_ordered_a_batch_reads_what_it_names(alice, images):
    edith, sam = make_user("edith"), make_user("sam")
    made = make_collection(alice, editors=[edith])
    batch = send_named(collection=made, actor=alice, action=BatchAction.ADD, refs=["ISIC_0000000"])
    assert batch_for(sam, made, batch.pk) == batch
    for other in (edith, None):
        with pytest.raises(NotFound):
            batch_for(other, made, batch.pk)
