"""Pages of a long list of items: each item on one of them, the count of what was found, and no page that is not."""

import re

import pytest
from django.test import Client

from medtheca.domains.archives.items import create_items, put_values
from medtheca.domains.sockets.operations import create_value
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive, make_socket

pytestmark = pytest.mark.django_db


@pytest.fixture
def listing():
    alice = make_user("alice")
    archive = make_archive(alice)
    score = make_socket()
    for at, item in enumerate(create_items(archive=archive, creator=alice, titles=[f"P{at:03}" for at in range(120)])):
        put_values(item=item, actor=alice, values=[create_value(socket=score, creator=alice, value=at / 120)])
    client = Client()
    client.force_login(alice)
    return lambda query="": client.get(f"/archives/{archive.slug}/items/{query}", headers={"accept": "text/html"})


def titles(answer):
    assert answer.status_code == 200
    return re.findall(r">\s*(P\d{3})\s*<", answer.content.decode())


def test_every_item_is_on_one_page(listing):
    pages = [listing(f"?page={number}") for number in (1, 2, 3)]
    assert [title for page in pages for title in titles(page)] == [f"P{at:03}" for at in range(120)]
    assert [page.context["count"] for page in pages] == [120] * 3
    assert [(page.context["first"], page.context["last"]) for page in pages] == [(1, 50), (51, 100), (101, 120)]
    assert not pages[0].context["previous_url"]
    assert not pages[2].context["next_url"]
    assert titles(listing(pages[0].context["next_url"].partition("items/")[2])) == titles(pages[1])


def test_what_is_found_is_counted(listing):
    found = listing("?q=score+%3E%3D+0.5&sort=-score&page=2")
    assert titles(found) == [f"P{at:03}" for at in range(69, 59, -1)]
    assert found.context["count"] == 60
    assert not found.context["next_url"]
    nothing = listing("?q=score+%3E+7")
    assert titles(nothing) == []
    assert nothing.context["count"] == 0


@pytest.mark.parametrize("page", ["4", "0", "-1", "x", "1.5", "9" * 9, "9" * 40, "²", ""])
def test_there_is_no_other_page(listing, page):
    answer = listing(f"?page={page}")
    assert answer.status_code == 400
    assert "There is no such page of this list." in answer.content.decode()
