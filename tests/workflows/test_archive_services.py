"""Items of archives are put to use: Alice edits, Una uploads, Vic is a user, Olive may only look; Charlie is nobody."""

import pytest

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.operations import withdraw_image
from medtheca.domains.archives.access import standing_in
from medtheca.domains.archives.enums import Service
from medtheca.domains.archives.errors import NotHereYet
from medtheca.domains.archives.items import create_items, put_values, trash_items
from medtheca.domains.archives.models import ServiceLink
from medtheca.domains.archives.people import remove_person
from medtheca.domains.archives.searching import read_query
from medtheca.domains.archives.selecting import Selection
from medtheca.domains.archives.services import OFFERS, require_service
from medtheca.domains.collections.models import Collection
from medtheca.domains.collections.operations import delete_collection, set_locked
from medtheca.domains.collections.queries import images_in
from medtheca.domains.collections.sharing import share
from medtheca.domains.ledger.models import Event
from medtheca.domains.sockets.operations import create_value
from medtheca.workflows.archive_services import NewCollection, archives_behind, collect_items, used_in
from tests.factories.accounts import make_user
from tests.factories.archives import image_socket, make_archive, make_socket
from tests.factories.images import make_images
from tests.factories.provenance import run_jobs

pytestmark = pytest.mark.django_db
ALL = Selection()


@pytest.fixture
def people():
    return {name: make_user(name) for name in ("alice", "una", "vic", "olive", "charlie")}


@pytest.fixture
def archive(people):
    inside = {"uploaders": [people["una"]], "users": [people["vic"]], "onlookers": [people["olive"]]}
    return make_archive(people["alice"], **inside)


@pytest.fixture
def images(archive, people):
    """Two items with an image and a score each, of which the first has a mask besides."""
    segment = {"name": "A", "visible": True, "voxel_value": 1}
    score, mask = make_socket(), make_socket("Lesion", "SEG", overlay_segments=[segment])
    found = make_images(archive.cohort, 3)
    items = create_items(archive=archive, creator=people["una"], titles=["P1", "P2"])
    for at, item in enumerate(items):
        held = [
            create_value(socket=image_socket(), creator=people["una"], image=found[at]),
            create_value(socket=score, creator=people["una"], value=at / 2),
        ]
        put_values(item=item, actor=people["una"], values=held)
    grey = found[2]
    grey.geometry, grey.colour_space, grey.channels = {"labels": [0, 1]}, "grey", 1
    grey.save()
    overlay = create_value(socket=mask, creator=people["una"], image=grey)
    put_values(item=items[0], actor=people["una"], values=[overlay])
    return found


def keys(collection, asker):
    return set(images_in(collection, asker).values_list("pk", flat=True))


def test_all_items_become_a_private_collection(archive, images, people):
    made = collect_items(archive=archive, actor=people["vic"], into=NewCollection("Study set"), selection=ALL)
    assert (made.items, made.images, made.link.whole, made.link.items) == (2, 2, True, [])
    run_jobs()
    assert keys(made.collection, people["vic"]) == {images[0].pk, images[1].pk}
    event = Event.objects.get(verb="archive.used")
    assert (event.subject_id, event.details) == (
        str(archive.pk),
        {"items": 2, "service": "collection", "target": str(made.collection.pk)},
    )


def test_overlays_come_where_they_are_asked_for(archive, images, people):
    into = NewCollection("With masks")
    made = collect_items(archive=archive, actor=people["vic"], into=into, selection=ALL, overlays=True)
    run_jobs()
    assert keys(made.collection, people["vic"]) == {image.pk for image in images}


def test_some_items_are_added_to_a_collection_that_there_is(archive, images, people):
    first = collect_items(
        archive=archive,
        actor=people["alice"],
        into=NewCollection("Some"),
        selection=Selection(conditions=read_query("score > 0.2", archive=archive)),
    )
    item = archive.items.get(title="P1")
    second = collect_items(
        archive=archive, actor=people["alice"], into=first.collection, selection=Selection(item_ids=[item.pk])
    )
    assert (first.items, second.items, second.link.items) == (1, 1, [item.pk])
    run_jobs()
    assert keys(first.collection, people["alice"]) == {images[0].pk, images[1].pk}
    (told,) = used_in(archive, people["vic"], standing_in(people["vic"], archive)) or [None]
    assert told is None


def test_a_private_archive_stays_private_in_the_collection(archive, images, people):
    """Vic sees the images, and is not asked who else shall: sharing the collection opens nothing."""
    made = collect_items(archive=archive, actor=people["vic"], into=NewCollection("Shared"), selection=ALL).collection
    run_jobs()
    share(collection=made, actor=people["vic"], users=[people["charlie"]], tell=False)
    assert keys(made, people["charlie"]) == set()
    assert keys(made, people["vic"])
    remove_person(archive=archive, actor=people["alice"], user_id=people["vic"].pk)
    assert keys(made, people["vic"]) == set()


def test_who_answers_for_the_images_may_show_them_by_sharing(archive, images, people):
    """Alice owns the contributor; what she may show she shows, and an uploader shows nothing."""
    made = collect_items(archive=archive, actor=people["una"], into=NewCollection("Una's"), selection=ALL).collection
    other = collect_items(archive=archive, actor=people["alice"], into=NewCollection("Hers"), selection=ALL).collection
    run_jobs()
    share(collection=made, actor=people["una"], users=[people["charlie"]], tell=False)
    assert (keys(made, people["charlie"]), len(keys(made, people["una"]))) == (set(), 2)
    share(collection=other, actor=people["alice"], users=[people["charlie"]], tell=False)
    assert keys(other, people["charlie"]) == {images[0].pk, images[1].pk}


def test_a_public_collection_takes_no_private_image(archive, images, people):
    into = NewCollection("Open", public=True)
    with pytest.raises(Invalid, match="All 2 images are not public"):
        collect_items(archive=archive, actor=people["alice"], into=into, selection=ALL)
    assert not Collection.objects.exists()
    assert not ServiceLink.objects.exists()


def test_who_may(archive, images, people):
    for name, refusal in (("olive", NotAllowed), ("charlie", NotAllowed)):
        with pytest.raises(refusal):
            collect_items(archive=archive, actor=people[name], into=NewCollection("Mine"), selection=ALL)
    hidden = make_archive(people["alice"], title="Hidden", hidden=True)
    with pytest.raises(NotFound):
        collect_items(archive=hidden, actor=people["charlie"], into=NewCollection("Mine"), selection=ALL)


def test_what_cannot_be_collected_is_said(archive, images, people):
    alice = people["alice"]
    others = make_archive(alice, title="Other")
    (stranger,) = create_items(archive=others, creator=alice, titles=["X"])
    trash_items(archive=archive, actor=alice, item_ids=[archive.items.get(title="P1").pk])
    for ids in ([stranger.pk], [archive.items.get(title="P1").pk]):
        with pytest.raises(Invalid) as refused:
            collect_items(archive=archive, actor=alice, into=NewCollection("A"), selection=Selection(item_ids=ids))
        assert f"no item {ids[0]}" in refused.value.problems[0].message
    none = Selection(conditions=read_query("title:nothing", archive=archive))
    with pytest.raises(Invalid, match="No item is found"):
        collect_items(archive=archive, actor=alice, into=NewCollection("A"), selection=none)
    with pytest.raises(Invalid, match="hold no image"):
        collect_items(archive=others, actor=alice, into=NewCollection("A"), selection=ALL)
    withdraw_image(image=images[1], user=alice, reason="Consent withdrawn.")
    with pytest.raises(Invalid, match="hold no image that you see"):
        collect_items(archive=archive, actor=people["vic"], into=NewCollection("A"), selection=ALL)
    assert not Collection.objects.exists()


def test_a_locked_collection_takes_none(archive, images, people):
    vic = people["vic"]
    made = collect_items(archive=archive, actor=vic, into=NewCollection("A"), selection=ALL).collection
    run_jobs()
    set_locked(collection=made, actor=vic, locked=True)
    with pytest.raises(Conflict, match="locked"):
        collect_items(archive=archive, actor=vic, into=made, selection=ALL)
    assert ServiceLink.objects.count() == 1


def test_both_sides_tell_of_it_to_those_who_may_know(archive, images, people):
    vic, alice = people["vic"], people["alice"]
    made = collect_items(archive=archive, actor=vic, into=NewCollection("Vic's"), selection=ALL).collection
    collect_items(archive=archive, actor=vic, into=made, selection=ALL)

    def told(name):
        return [
            (one.name, one.target, one.items, bool(one.by))
            for one in used_in(archive, people[name], standing_in(people[name], archive))
        ]

    assert told("vic") == [("Vic's", str(made.pk), 2, False)]
    assert told("una") == told("olive") == told("charlie") == []
    assert told("alice") == [("", "", 2, True)]
    assert archives_behind(made, vic) == [archive]
    assert archives_behind(made, people["charlie"]) == []
    assert archives_behind(made, alice) == [archive]
    run_jobs()
    delete_collection(collection=made, actor=vic)
    assert told("vic") == []
    assert told("alice") == [("", "", 2, True)]


def test_what_is_coming_is_refused_with_words_and_nothing_is_kept(archive, people):
    for offer in OFFERS:
        if offer.is_here:
            require_service(people["alice"], archive, offer.service)
            continue
        with pytest.raises(NotHereYet, match="Nothing here does this yet") as refused:
            require_service(people["alice"], archive, offer.service)
        assert offer.comes_with in refused.value.remedy
        with pytest.raises(NotAllowed):
            require_service(people["una"], archive, offer.service)
    assert {offer.service for offer in OFFERS} == set(Service)
    assert not ServiceLink.objects.exists()
