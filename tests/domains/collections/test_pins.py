"""Images that come before others: Sam of the staff pins, Alice owns, and everybody walks."""

import pytest

from medtheca.base.errors import Conflict, Invalid, NotAllowed
from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.operations import set_visibility
from medtheca.domains.collections import pins
from medtheca.domains.collections.models import Pin
from medtheca.domains.collections.pins import all_pins, move_pin, order_pins, pinned_images, set_image_pinned
from medtheca.domains.ledger.models import Event
from medtheca.domains.search.entries import look_up
from medtheca.domains.search.index.asking import asking
from medtheca.domains.search.index.holding import HOLDER
from medtheca.domains.search.index.snapshots import one_snapshot
from medtheca.domains.search.queries import decode_cursor, find_page
from medtheca.toolkit.querylang import Everything, parse
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.plugins.server import fresh_database, speaking_to


@pytest.fixture
def sam(db):
    return make_user("sam")


@pytest.fixture
def images(db):
    return make_images(make_cohort(make_user("alice")), 4, visibility="public")


def pin(actor, *images):
    for image in images:
        set_image_pinned(image=image, actor=actor, pinned=True)


def names(images):
    return [image.public_id for image in images]


def test_staff_pin_in_the_order_of_pinning_and_put_them_in_another(sam, images):
    pin(sam, images[2], images[0], images[3], images[0])
    assert all_pins() == [images[2], images[0], images[3]]
    order_pins(refs=names([images[3], images[2], images[0]]), actor=sam)
    assert pinned_images() == [images[3].pk, images[2].pk, images[0].pk]
    for to, expected in ((1, [2, 3, 0]), (99, [2, 0, 3]), (-5, [3, 2, 0])):
        move_pin(image=images[3], actor=sam, to=to)
        assert all_pins() == [images[at] for at in expected]
    set_image_pinned(image=images[2], actor=sam, pinned=False)
    assert all_pins() == [images[3], images[0]]
    verbs = list(Event.objects.order_by("pk").values_list("verb", flat=True))
    assert [verb for verb in verbs if "pin" in verb] == [
        *["image.pinned"] * 3,
        *["images.pins_ordered"] * 4,
        "image.unpinned",
    ]


def test_nobody_else_pins(images):
    alice = make_user("alice-again")
    for act in (
        lambda: pin(alice, images[0]),
        lambda: order_pins(refs=[], actor=alice),
        lambda: set_image_pinned(image=images[0], actor=alice, pinned=False),
    ):
        with pytest.raises(NotAllowed, match="Only staff"):
            act()
    sam = make_user("sam")
    sam.is_active = False
    with pytest.raises(NotAllowed):
        pin(sam, images[0])


def test_an_order_is_all_of_them_once(sam, images):
    pin(sam, *images[:3])
    first, second, third = names(images[:3])
    for refs, field in (
        ([first, second], "order"),
        ([first, second, third, first], "order.3"),
        ([first, second, third, images[3].public_id], "order.3"),
        ([first, second, "ISIC_0000000"], "order.2"),
    ):
        with pytest.raises(Invalid) as refusal:
            order_pins(refs=refs, actor=sam)
        assert field in {problem.field for problem in refusal.value.problems}
    assert all_pins() == images[:3]


def test_only_so_many_public_images_are_pinned(sam, images, monkeypatch):
    (private,) = make_images(make_cohort(sam, name="Private"), 1)
    with pytest.raises(Invalid):
        pin(sam, private)
    monkeypatch.setattr(pins, "MOST_PINNED", 2)
    with pytest.raises(Conflict, match="the most"):
        pin(sam, *images)
    assert Pin.objects.count() == 2


def test_the_pin_of_what_is_not_public_any_more_does_nothing(sam, images):
    pin(sam, *images[:2])
    set_visibility(image_ids=[images[0].pk], visibility=Visibility.PRIVATE)
    assert pinned_images() == [images[1].pk]
    assert all_pins() == images[:2]


# --- Walks.


@pytest.fixture(params=["index", "sql"])
def world(request, django_db_setup, django_db_blocker, monkeypatch):
    """Nine images, of which some are male and some pinned; answered by the index, and by SQL."""
    HOLDER.forget()
    with fresh_database() as (name, _), speaking_to(name), django_db_blocker.unblock():
        sam, cohort = make_user("sam"), make_cohort(make_user("alice"))
        images = make_images(
            cohort, 9, visibility="public", structured=lambda at: {"sex": "male" if at % 3 else "female"}
        )
        pin(sam, images[7], images[2], images[0], images[4])
        hidden = images[4]
        set_visibility(image_ids=[hidden.pk], visibility=Visibility.PRIVATE)
        if request.param == "sql":
            monkeypatch.setattr(HOLDER, "_first", lambda _snapshot: None)
        with one_snapshot(), asking(Everything(), asker=None) as answer:
            assert (answer is None) == (request.param == "sql")
        yield images
    HOLDER.forget()


WALKS = {
    "": [7, 2, 0, 1, 3, 5, 6, 8],
    "sex:male": [7, 2, 1, 5, 8],
    "sex:female": [0, 3, 6],
    "sex:unknown": [],
}


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 50])
def test_every_walk_meets_every_image_once_pinned_ones_first_and_back_again(world, limit):
    first = pinned_images()
    for query, expected in WALKS.items():
        tree, wanted = parse(query), [world[at].pk for at in expected]
        pages, cursor = [], None
        while True:
            page = find_page(tree, asker=None, limit=limit, cursor=cursor, first=first)
            looked = look_up(tree, asker=None, limit=limit, cursor=cursor, first=first).page
            assert [entry.key for entry in looked.entries] == [image.key for image in page.images]
            assert (looked.next, looked.previous) == (page.next, page.previous)
            pages.append(page)
            if page.next is None:
                break
            cursor = decode_cursor(page.next.encode())
        there = [[image.pk for image in page.images] for page in pages]
        assert [pk for page in there for pk in page] == wanted
        assert all(len(page) == limit for page in there[:-1])
        back = []
        while page.previous is not None:
            page = find_page(tree, asker=None, limit=limit, cursor=decode_cursor(page.previous.encode()), first=first)
            back.insert(0, [image.pk for image in page.images])
        assert back == there[:-1]


def test_with_the_newest_first_pinned_ones_still_lead(world):
    found = find_page(Everything(), asker=None, limit=50, newest_first=True, first=pinned_images())
    assert [image.pk for image in found.images] == [world[at].pk for at in (7, 2, 0, 8, 6, 5, 3, 1)]


def test_without_pins_a_cursor_of_a_walk_with_them_still_leads_somewhere(world):
    page = find_page(Everything(), asker=None, limit=2, first=pinned_images())
    again = find_page(Everything(), asker=None, limit=50, cursor=page.next)
    assert [image.pk for image in again.images] == [world[at].pk for at in (3, 5, 6, 7, 8)]
