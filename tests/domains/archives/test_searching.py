"""Items found by what they hold."""

import pytest

from medtheca.base.errors import Invalid
from medtheca.domains.archives.items import create_items, put_values, trash_items
from medtheca.domains.archives.queries import items_of
from medtheca.domains.archives.searching import in_order, narrowed, read_column, read_order, read_query, sockets_in
from medtheca.domains.sockets.operations import create_value
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive, make_socket

pytestmark = pytest.mark.django_db

_HELD = {
    "P001": {"Score": 0.25, "Lung side": "left"},
    "P002": {"Score": 0.75, "Lung side": "right", "Malignant": True},
    "P003": {"Score": 1e3, "Malignant": False},
    "Phantom, no contrast": {"Lung side": "LEFT and right"},
    "": {},
}


@pytest.fixture
def archive():
    alice = make_user("alice")
    archive = make_archive(alice)
    sockets = {
        "Score": make_socket(),
        "Lung side": make_socket("Lung side", "STR", scope=archive.scope, creator=alice),
        "Malignant": make_socket("Malignant", "BOOL"),
    }
    make_socket("Unused", "STR")
    items = create_items(archive=archive, creator=alice, titles=list(_HELD))
    for item, held in zip(items, _HELD.values(), strict=True):
        values = [create_value(socket=sockets[name], creator=alice, value=value) for name, value in held.items()]
        put_values(item=item, actor=alice, values=values)
    return archive


def found(archive, line):
    return [item.title for item in narrowed(items_of(archive), read_query(line, archive=archive), archive=archive)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", list(_HELD)),
        ("score > 0.5", ["P002", "P003"]),
        ("score>=0.75", ["P002", "P003"]),
        ("Score < 0.75", ["P001"]),
        ("score = 1000", ["P003"]),
        ("score != 1000", ["P001", "P002", "Phantom, no contrast", ""]),
        ("-score > 0.5", ["P001", "Phantom, no contrast", ""]),
        ("has:score -has:malignant", ["P001"]),
        ("-has:score", ["Phantom, no contrast", ""]),
        ('has:"Lung side"', ["P001", "P002", "Phantom, no contrast"]),
        ('"lung side":left', ["P001", "Phantom, no contrast"]),
        ('"lung side" = left', ["P001"]),
        ("malignant = true", ["P002"]),
        ("malignant = 0", ["P003"]),
        ("title:p00 score < 1", ["P001", "P002"]),
        ("-title:p00", ["Phantom, no contrast", ""]),
        ("LEFT", ["P001", "Phantom, no contrast"]),
        ('"no contrast"', ["Phantom, no contrast"]),
        ("-left P0", ["P002", "P003"]),
        ("100%", []),
        ("has:unused", []),
    ],
)
def test_lines(archive, line, expected):
    assert found(archive, line) == expected


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("scorr > 1", "Did you mean 'score'"),
        ("score > high", "no number"),
        ("score > nan", "no number"),
        ("has:nothing", "no socket nothing"),
        ('""', "nothing between"),
        ('"open', "cannot be read"),
        ("x" * 1001, "1,001 characters"),
        ("a " * 21, "21 things"),
    ],
)
def test_lines_that_say_nothing(archive, line, words):
    with pytest.raises(Invalid) as refusal:
        read_query(line, archive=archive)
    (problem,) = refusal.value.problems
    assert words in f"{problem.message} {problem.remedy}"


@pytest.mark.parametrize(
    ("column", "said", "expected"),
    [
        ("Score", "> 0.5", ["P002", "P003"]),
        ("Score", "0.2 .. 0.8", ["P001", "P002"]),
        ("Score", "0.25", ["P001"]),
        ("Score", "*", ["P001", "P002", "P003"]),
        ("Score", "-", ["Phantom, no contrast", ""]),
        ("Lung side", "left", ["P001", "Phantom, no contrast"]),
        ("Lung side", '= "left"', ["P001"]),
        ("Malignant", "true", ["P002"]),
    ],
)
def test_boxes_of_columns(archive, column, said, expected):
    (socket,) = (one for one in sockets_in(archive) if one.title == column)
    read = read_column(said, socket=socket)
    conditions = read if isinstance(read, list) else [read]
    assert [item.title for item in narrowed(items_of(archive), conditions, archive=archive)] == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("number", list(_HELD)),
        ("-number", list(_HELD)[::-1]),
        ("score", ["P001", "P002", "P003", "Phantom, no contrast", ""]),
        ("-score", ["P003", "P002", "P001", "Phantom, no contrast", ""]),
        ("malignant", ["P003", "P002", "P001", "Phantom, no contrast", ""]),
        ("title", ["", "P001", "P002", "P003", "Phantom, no contrast"]),
    ],
)
def test_orders(archive, order, expected):
    read = read_order(order, sockets=sockets_in(archive))
    assert [item.title for item in in_order(items_of(archive), read, archive=archive)] == expected


def test_an_order_that_is_none(archive):
    with pytest.raises(Invalid, match="searched so"):
        read_order("-scor", sockets=sockets_in(archive))


def test_columns_are_what_items_hold_that_are_not_in_the_trash(archive):
    assert [one.title for one in sockets_in(archive)] == ["Lung side", "Malignant", "Score"]
    trash_items(archive=archive, actor=archive.creator, item_ids=items_of(archive).values_list("pk", flat=True))
    assert sockets_in(archive) == []


def test_another_archives_socket_is_not_named(archive):
    other = make_archive(make_user("bob"), title="Other")
    with pytest.raises(Invalid):
        read_query('has:"Lung side"', archive=other)
