"""Freezing, keeping and forgetting downloads, on rows and real files."""

import pytest
from django.contrib.auth.models import AnonymousUser

from medtheca.base.errors import NotFound
from medtheca.domains.downloads import operations
from medtheca.domains.downloads.errors import NothingFound, TooMany, TooManyOpen
from medtheca.domains.downloads.models import Download
from medtheca.domains.downloads.operations import delete_download, forget_downloads_with, prepare_download
from medtheca.domains.downloads.queries import download_for, opened
from medtheca.domains.storage.models import Blob
from medtheca.toolkit.querylang import parse
from medtheca.workflows import downloading
from medtheca.workflows.downloading import make_download
from tests.factories.accounts import make_user
from tests.factories.collections import make_collection
from tests.factories.downloads import make_files
from tests.factories.provenance import make_cohort, run_jobs
from tests.factories.storage import use_data_folder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _data(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


def members_of(download):
    with opened(download.listing.sha256) as frozen:
        return [member.path for members in frozen.every(batch=3) for member in members]


def images_of(download):
    return [path.removeprefix("images/").rpartition(".")[0] for path in members_of(download) if "images/" in path]


def test_it_has_what_the_asker_sees_and_no_more(cohort, alice):
    public, private = make_files(cohort, 3), make_files(cohort, 2, visibility="private", seed=1)
    for asker in (None, AnonymousUser(), make_user("charlie")):
        assert images_of(make_download(asker=asker)) == [image.public_id for image, _ in public]
    both = sorted(image.public_id for image, _ in public + private)
    assert images_of(make_download(asker=alice)) == both


def test_a_query_within_a_collection_narrows_both(cohort, alice):
    files = make_files(cohort, 4, structured=lambda at: {"sex": "male" if at % 2 else "female"})
    images = [image for image, _ in files]
    collection = make_collection(alice, images[:3], public=True)
    found = images_of(make_download(asker=None, tree=parse("sex:male"), collection_ids=[collection.pk]))
    males = set(images_of(make_download(asker=None, tree=parse("sex:male"))))
    assert found == sorted(males & {image.public_id for image in images[:3]})
    named = make_download(asker=None, tree=parse("sex:male"), refs=[image.public_id for image in images])
    assert set(images_of(named)) == males


def test_nothing_and_too_much_are_refused(cohort, alice, settings, tmp_path):
    with pytest.raises(NothingFound):
        make_download(asker=None)
    make_files(cohort, 3)
    with pytest.raises(NotFound, match="ISIC_0000000"):
        make_download(asker=None, refs=["ISIC_0000000"])
    with pytest.raises(NotFound):
        make_download(asker=None, collection_ids=[4_000_000])
    use_data_folder(settings, tmp_path / "data", download_images=2)
    with pytest.raises(TooMany, match="More than 2 images"):
        make_download(asker=None)
    assert not Download.objects.exists()


def test_a_person_has_so_many_at_a_time(cohort, alice, monkeypatch):
    files = make_files(cohort, 3)
    monkeypatch.setattr(operations, "MOST_OPEN", 2)
    made = [make_download(asker=alice, refs=[image.public_id]) for image, _ in files[:2]]
    with pytest.raises(TooManyOpen):
        make_download(asker=alice, refs=[files[2][0].public_id])
    delete_download(made[0])
    make_download(asker=alice, refs=[files[2][0].public_id])


def test_what_takes_longer_is_prepared_by_a_job(cohort, monkeypatch):
    make_files(cohort, 5)
    monkeypatch.setattr(downloading, "_AT_ONCE", 0.0)
    download = make_download(asker=None)
    assert download.state == "preparing"
    assert "downloads.prepare" in run_jobs()
    download.refresh_from_db()
    assert download.state == "ready"
    assert prepare_download(download.pk)


def test_an_erased_image_takes_its_downloads_with_it(cohort, alice):
    files = make_files(cohort, 3)
    one, other = (make_download(asker=alice, refs=[image.public_id]) for image, _ in files[:2])
    listing = one.listing_id
    assert forget_downloads_with([files[0][0].pk, files[2][0].pk]) == 1
    assert list(Download.objects.all()) == [other]
    assert Blob.objects.get(pk=listing).let_go is not None


def test_nobody_elses_is_found(cohort, alice):
    make_files(cohort, 1)
    mine, open_ = make_download(asker=alice), make_download(asker=None)
    assert download_for(alice, mine.pk) == mine
    assert download_for(None, open_.pk) == open_
    for user in (None, make_user("charlie"), make_user("sam")):
        with pytest.raises(NotFound):
            download_for(user, mine.pk)
    with pytest.raises(NotFound):
        download_for(alice, open_.pk, own=True)
