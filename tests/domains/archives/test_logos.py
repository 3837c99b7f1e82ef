"""Which files stand for an archive: Alice edits it, Una uploads to it, Charlie knows of no hidden one."""

import pytest

from medtheca.base.errors import NotAllowed, NotFound
from medtheca.domains.archives.logos import remove_logo, set_logo
from medtheca.domains.ledger.models import Event
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.operations import keeping_blobs
from medtheca.workflows.activity import archive_activity, in_words
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive
from tests.factories.storage import keep, use_data_folder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _data_folder(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def una():
    return make_user("una")


@pytest.fixture
def archive(alice, una):
    return make_archive(alice, uploaders=[una], hidden=True)


def set_to(archive, actor, word):
    with keeping_blobs():
        return set_logo(archive=archive, actor=actor, logo=keep(word), small=keep(word + b" small"))


def test_a_logo_is_set_replaced_and_removed(archive, alice):
    first = set_to(archive, alice, b"first")
    assert (first.logo.size, first.logo_small.size) == (5, 11)
    second = set_to(archive, alice, b"second")
    assert {one.pk for one in Blob.objects.filter(let_go__isnull=False)} == {first.logo_id, first.logo_small_id}
    bare = remove_logo(archive=archive, actor=alice)
    assert (bare.logo, bare.logo_small) == (None, None)
    assert {second.logo_id, second.logo_small_id} < {one.pk for one in Blob.objects.filter(let_go__isnull=False)}


def test_activity_tells_of_it_in_words(archive, alice):
    set_to(archive, alice, b"first")
    remove_logo(archive=archive, actor=alice)
    remove_logo(archive=archive, actor=alice)  # There is none any more: nothing happens.
    _, events = archive_activity(alice, archive.slug)
    told = [entry.words for entry in in_words(list(events.filter(verb__contains="logo").order_by("pk")))]
    assert told == ["chose a logo for an archive", "removed the logo of an archive"]


def test_only_editors_may(archive, una):
    for person, error in ((una, NotAllowed), (make_user("charlie"), NotFound)):
        with pytest.raises(error):
            set_to(archive, person, b"first")
        with pytest.raises(error):
            remove_logo(archive=archive, actor=person)
    assert not Event.objects.filter(verb__contains="logo").exists()
