"""Items: what is in them, and who sees their images."""

import pytest

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member, remove_member, withdraw_image
from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.archives.items import (
    create_item,
    create_items,
    put_values,
    remove_values,
    rename_item,
    restore_items,
    sortable,
    trash_items,
)
from medtheca.domains.archives.models import ItemValue
from medtheca.domains.archives.queries import item_for, items_of, visible_items
from medtheca.domains.sockets.models import Value
from medtheca.domains.sockets.operations import create_value
from tests.factories.accounts import make_user
from tests.factories.archives import image_socket, make_archive, make_socket
from tests.factories.images import make_images

pytestmark = pytest.mark.django_db


@pytest.fixture
def una():
    return make_user("una")


@pytest.fixture
def vic():
    return make_user("vic")


@pytest.fixture
def archive(una, vic):
    return make_archive(make_user("alice"), uploaders=[una], users=[vic])


@pytest.fixture
def item(archive, una):
    return create_item(archive=archive, creator=una, title="Patient 1")


@pytest.fixture
def image(archive):
    return make_images(archive.cohort, 1)[0]


def image_value(image, creator=None):
    return create_value(socket=image_socket(), creator=creator, image=image)


def sees(user, image):
    return visible_images(viewer_of(user)).filter(pk=image.pk).exists()


def test_items_keep_the_order_in_which_they_were_made(archive, una):
    create_items(archive=archive, creator=una, titles=["b", "", "a"])
    create_item(archive=archive, creator=una, title="c")
    assert [item.title for item in items_of(archive)] == ["b", "", "a", "c"]


def test_two_items_of_one_archive_have_different_titles(archive, una, item):
    with pytest.raises(Conflict, match="Patient 1"):
        create_item(archive=archive, creator=una, title=" Patient 1 ")
    other = create_item(archive=archive, creator=una)
    with pytest.raises(Conflict):
        rename_item(item=other, actor=una, title="Patient 1")
    rename_item(item=other, actor=una, title="Patient 2")
    other.refresh_from_db()
    assert other.title == "Patient 2"
    assert [change.verb for change in other.changes.order_by("pk")] == ["created", "titled"]


def test_an_image_is_seen_by_the_archives_people_from_when_it_is_in_an_item(item, image, una, vic):
    assert not sees(vic, image)
    put_values(item=item, actor=una, values=[image_value(image)])
    assert (sees(vic, image), sees(una, image), sees(make_user("mallory"), image)) == (True, True, False)
    withdraw_image(image=image, reason="Consent has ended.", user=una)
    assert not sees(vic, image)


def test_a_removed_person_sees_nothing_any_more(archive, item, image, una, vic):
    put_values(item=item, actor=una, values=[image_value(image)])
    remove_member(scope=archive.scope, user=vic)
    assert not sees(vic, image)
    with pytest.raises(NotFound):
        item_for(vic, item.pk)


def test_an_image_stays_seen_while_another_item_has_it(archive, item, image, una, vic):
    other = create_item(archive=archive, creator=una)
    for one in (item, other):
        put_values(item=one, actor=una, values=[image_value(image)])
    remove_values(item=item, actor=una, sockets=[image_socket()])
    assert sees(vic, image)
    editor = make_user("ed")
    add_member(scope=archive.scope, user=editor, role=Role.EDITOR)
    assert trash_items(archive=archive, actor=editor, item_ids=[other.pk]) == 1
    assert not sees(vic, image)
    assert restore_items(archive=archive, actor=editor, item_ids=[other.pk]) == 1
    assert sees(vic, image)


def test_a_value_takes_the_place_of_the_one_before_and_history_knows_both(item, una):
    score = make_socket()
    first = create_value(socket=score, creator=una, value=0.5)
    second = create_value(socket=score, creator=una, value=0.75)
    put_values(item=item, actor=una, values=[first])
    put_values(item=item, actor=una, values=[second])
    put_values(item=item, actor=una, values=[second])
    (row,) = ItemValue.objects.filter(item=item)
    assert (row.value, row.number) == (second, 0.75)
    changes = item.changes.order_by("pk")
    assert [(change.verb, change.before, change.after) for change in changes] == [
        ("created", None, None),
        ("added", None, first),
        ("replaced", first, second),
    ]


def test_what_is_not_named_stays_or_goes_as_it_is_asked(item, una):
    score, age = make_socket(), make_socket("Age", "INT")
    put_values(item=item, actor=una, values=[create_value(socket=score, creator=una, value=1.5)])
    put_values(item=item, actor=una, values=[create_value(socket=age, creator=una, value=50)])
    assert ItemValue.objects.filter(item=item).count() == 2
    put_values(item=item, actor=una, values=[create_value(socket=age, creator=una, value=51)], keep_others=False)
    assert [row.number for row in ItemValue.objects.filter(item=item)] == [51]


def test_roles(archive, item, una, vic):
    for refused in (
        lambda: create_item(archive=archive, creator=vic),
        lambda: rename_item(item=item, actor=vic, title="Mine"),
        lambda: put_values(item=item, actor=vic, values=[]),
        lambda: trash_items(archive=archive, actor=una, item_ids=[item.pk]),
        lambda: restore_items(archive=archive, actor=una, item_ids=[item.pk]),
    ):
        with pytest.raises(NotAllowed):
            refused()
    assert list(visible_items(vic)) == [item]
    assert list(visible_items(make_user("mallory"))) == []
    assert list(visible_items(None)) == []


def test_a_title_that_another_has_by_now_is_not_brought_back(archive, item, una):
    editor = archive.creator
    trash_items(archive=archive, actor=editor, item_ids=[item.pk])
    create_item(archive=archive, creator=una, title="Patient 1")
    restore_items(archive=archive, actor=editor, item_ids=[item.pk])
    assert [one.title for one in items_of(archive)] == ["", "Patient 1"]


@pytest.mark.parametrize("title", ["x" * 256, "a\nb", "\x00", "\ud800"])
def test_titles_that_are_none(archive, una, title):
    with pytest.raises(Invalid):
        create_item(archive=archive, creator=una, title=title)


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("FLT", 0.5, (0.5, "0.5")),
        ("INT", 7, (7.0, "7")),
        ("BOOL", True, (1.0, "true")),
        ("STR", "Mild", (None, "Mild")),
        ("JSON", ["a", "b"], (None, "a, b")),
        ("JSON", {"a": 1}, (None, "")),
        ("JSON", None, (None, "")),
    ],
)
def test_what_tables_sort_by(una, kind, content, expected):
    value = create_value(socket=make_socket(kind=kind, store_in_database=True), creator=una, value=content)
    assert sortable(value) == expected


def test_a_number_that_no_float_holds_is_sorted_as_words():
    assert sortable(Value(has_value=True, value=10**400)) == (None, "1" + "0" * 199)
