"""The demo without sample images, small: in once, taken up where it was cut off, and its owner's afterwards."""

import stat
from dataclasses import replace
from itertools import islice

import pytest

from medtheca.base.errors import NotFound
from medtheca.base.paths import find_files
from medtheca.domains.access.queries import ANYBODY, visible_images
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.contents import remove_images
from medtheca.domains.collections.models import Collection
from medtheca.domains.collections.queries import count_images, images_in
from medtheca.domains.metadata.models import Description
from medtheca.domains.provenance.models import Accession, Cohort, Delivery, PublishRequest
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows import local_ingest
from medtheca.workflows.demo import make_people, run_demo
from medtheca.workflows.demo_parts import SYNTHETIC_PICTURES, demo_parts
from medtheca.workflows.publish import unpublish_image
from medtheca.workflows.receive import acknowledge_bytes, begin_delivery
from tests.factories.provenance import run_jobs
from tests.factories.storage import use_data_folder


@pytest.fixture(autouse=True)
def data(settings, tmp_path, db):
    (tmp_path / "none").mkdir()
    yield use_data_folder(settings, tmp_path / "data", samples=tmp_path / "none")
    blob_store.cache_clear()


def parts(data, drawn=8):
    return [part for part in demo_parts(data / "demo", say=print, drawn=drawn) if "Synthetic" in part.cohort]


def start(data, **options):
    said = []
    run_demo(say=said.append, pause=run_jobs, parts=parts(data, **options))
    return said


def test_without_samples_pictures_are_drawn_and_a_second_start_brings_nothing_in(data):
    said = start(data)
    assert Cohort.objects.count() == 2
    assert Accession.objects.filter(state="converted", published__isnull=False).count() == 8
    assert visible_images(ANYBODY).count() == 8
    assert Description.objects.filter(structured__has_key="diagnosis_1").count() == 8
    assert {cohort.attribution for cohort in Cohort.objects.all()} != {""}
    assert any("published" in line for line in said)
    deliveries = Delivery.objects.count()
    start(data)
    assert (Delivery.objects.count(), Accession.objects.count(), PublishRequest.objects.count()) == (deliveries, 8, 2)


def test_the_whole_demo_draws_three_hundred_pictures_and_shows_real_photographs(data):
    names = [part.cohort for part in demo_parts(data / "demo", say=print)]
    assert SYNTHETIC_PICTURES == 300
    assert sum(name.startswith("Photograph: ") for name in names) >= 2
    assert [name for name in names if "Synthetic" in name] == ["Synthetic lesions: first", "Synthetic lesions"]


def test_photographs_come_in_with_licence_and_origin(data):
    one = list(islice(demo_parts(data / "demo", say=print), 1))
    run_demo(say=print, pause=run_jobs, parts=one)
    accession = Accession.objects.get()
    assert accession.published
    assert accession.attribution
    assert Description.objects.get().unstructured["source_url"].startswith("http")


def test_what_its_owner_takes_back_stays_taken_back(data):
    start(data)
    image = Accession.objects.first().image
    unpublish_image(user=User.objects.get(email="owner@demo.localhost"), image_ref=image.public_id, reason="Blurred.")
    start(data)
    assert visible_images(ANYBODY).count() == 7


def test_a_start_that_was_cut_off_while_copying_goes_on(data, monkeypatch):
    class Cut(BaseException):
        pass

    def cut(**_):
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(local_ingest, "acknowledge_bytes", cut)
        with pytest.raises(Cut):
            start(data)
    assert Delivery.objects.get().state == "arriving"
    start(data)
    assert visible_images(ANYBODY).count() == 8
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["done", "done", "refused"]


def test_an_upload_that_somebody_left_half_way_holds_nothing_up(data):
    first = parts(data)[0]
    run_demo(say=print, pause=run_jobs, parts=[first])
    PublishRequest.objects.all().delete()
    Accession.objects.update(published=None)
    owner = User.objects.get(email="owner@demo.localhost")
    upload = begin_delivery(user=owner, cohort_id=Cohort.objects.get().pk, filename="by hand.zip", size=100)
    acknowledge_bytes(upload=upload, begun_at=0, offset=10)
    run_demo(say=print, pause=run_jobs, parts=[first])
    assert PublishRequest.objects.get().state == "published"
    assert Delivery.objects.filter(state="arriving").count() == 1


def test_logins_are_random_private_and_kept(data):
    people = make_people()
    kept = data / "demo" / "logins.json"
    first = kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert all(person.is_demo for person in people)
    assert [person.is_staff for person in people] == [False, True, False]
    make_people()
    assert kept.read_text() == first
    kept.unlink()
    make_people()
    assert kept.read_text() != first
    assert User.objects.count() == 3


def test_files_are_found_once_in_order_and_without_links(tmp_path):
    for name in ("b/2.jpg", "b/1.jpg", "a.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "b" / "link.jpg").symlink_to("1.jpg")
    found = find_files([tmp_path / "b", tmp_path / "b" / ".." / "b" / "1.jpg", tmp_path / "a.jpg"])
    assert [str(path.relative_to(tmp_path)) for path in found] == ["b/1.jpg", "b/2.jpg", "a.jpg"]
    with pytest.raises(NotFound, match="no file or folder"):
        find_files([tmp_path / "none.jpg"])
    with pytest.raises(NotFound, match="no files"):
        find_files([tmp_path / "a.jpg"], leave_out=tmp_path / "a.jpg")


def test_the_challenges_sets_become_public_collections_once(data):
    named = [replace(part, collection=f"Set of {part.cohort}") for part in parts(data)]
    run_demo(say=print, pause=run_jobs, parts=named)
    made = list(Collection.objects.order_by("pk"))
    assert [row.name for row in made] == ["Set of Synthetic lesions: first", "Set of Synthetic lesions"]
    assert all(row.public and row.pinned for row in made)
    assert sum(count_images(made, None).values()) == 8
    # From now on they are their owner's.
    ids = list(images_in(made[0], None).values_list("pk", flat=True))
    remove_images(collection=made[0], actor=made[0].creator, image_ids=ids)
    Collection.objects.filter(pk=made[1].pk).update(name="Renamed")
    run_demo(say=print, pause=run_jobs, parts=named)
    assert Collection.objects.count() == 2
    assert count_images(made, None)[made[0].pk] == 0
