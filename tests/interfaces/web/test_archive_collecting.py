"""Items become a collection, on pages: Alice edits, Vic is a user, Olive may only look, Charlie is a stranger."""

import re

import pytest
from django.test import Client

from medtheca.domains.archives.items import create_items, put_values
from medtheca.domains.archives.models import ServiceLink
from medtheca.domains.collections.models import Collection
from medtheca.domains.collections.queries import images_in
from medtheca.domains.sockets.operations import create_value
from tests.factories.accounts import make_user
from tests.factories.archives import image_socket, make_archive, make_socket
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return {name: make_user(name) for name in ("alice", "vic", "olive", "charlie")}


@pytest.fixture
def archive(people):
    archive = make_archive(people["alice"], public=True, users=[people["vic"]], onlookers=[people["olive"]])
    score = make_socket()
    items = create_items(archive=archive, creator=people["alice"], titles=["P0", "P1", "P2"])
    for at, (item, image) in enumerate(zip(items, make_images(archive.cohort, 3), strict=True)):
        held = [
            create_value(socket=image_socket(), creator=people["alice"], image=image),
            create_value(socket=score, creator=people["alice"], value=at / 2),
        ]
        put_values(item=item, actor=people["alice"], values=held)
    return archive


def client(user):
    client = Client()
    client.force_login(user)
    return client


def text(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def test_ticked_items_become_a_collection(archive, people):
    vic, url = client(people["vic"]), f"/archives/{archive.slug}/"
    page = vic.get(f"{url}items/").content.decode()
    assert f'formaction="{url}collect/"' in page
    assert 'value="trash"' not in page
    ids = [str(item.pk) for item in archive.items.order_by("number")[:2]]
    form = vic.post(f"{url}collect/", {"item": ids, "action": "collect"})
    assert "Adds 2 images of 2 items" in text(form)
    assert f'value="{" ".join(ids)}"' in form.content.decode()
    unnamed = vic.post(f"{url}collect/", {"items": " ".join(ids), "collection": "new", "name": ""})
    assert "Give the new collection a name" in text(unnamed)
    sent = vic.post(f"{url}collect/", {"items": " ".join(ids), "collection": "new", "name": "Two"})
    made = Collection.objects.get()
    assert (sent.status_code, sent.url, made.name, made.public) == (302, f"/collections/{made.pk}/", "Two", False)
    run_jobs()
    assert images_in(made, people["vic"]).count() == 2
    shown = text(vic.get(sent.url))
    assert f"With images of items of {archive.title}" in shown
    assert "2 images" in shown
    assert "Two Collection 2" in text(vic.get(url))
    assert "gone or not shown to you 2" in text(client(people["alice"]).get(url))
    assert "used 2 items of an archive: collection" in text(client(people["alice"]).get(f"{url}activity/"))
    assert "Used in" not in text(client(people["olive"]).get(url))
    assert "Two" not in text(Client().get(url))


def test_what_is_found_is_added_to_a_collection_that_there_is(archive, people):
    mine = make_collection(people["vic"], name="Mine")
    vic, url = client(people["vic"]), f"/archives/{archive.slug}/"
    assert f"{url}collect/?q=score+%3E+0.2" in vic.get(f"{url}items/?q=score+%3E+0.2").content.decode()
    page = f"{url}collect/?q=score+%3E+0.2"
    assert "Adds 2 images of 2 items" in text(vic.get(page))
    assert "Adds 3 images of all items" in text(vic.get(f"{url}collect/"))
    assert vic.post(page, {"collection": mine.pk}).url == f"/collections/{mine.pk}/"
    run_jobs()
    assert images_in(mine, people["vic"]).count() == 2


def test_slips_are_told(archive, people):
    alice, url = client(people["alice"]), f"/archives/{archive.slug}/collect/"
    none = alice.post(url, {"action": "collect"}, follow=True)
    assert "No item is chosen" in text(none)
    assert alice.get(f"{url}?q=scorr+%3E+1").status_code == 400
    assert alice.post(url, {"item": "nothing"}).status_code == 400
    assert "No item is found so" in text(alice.post(f"{url}?q=title:nothing", {"collection": "new", "name": "Empty"}))
    public = make_collection(people["alice"], name="Open", public=True)
    assert "All 3 images are not public, and Open is" in text(alice.post(url, {"collection": public.pk}))
    # A collection that is somebody else's is none that could be chosen.
    other = make_collection(people["vic"], name="Vic's")
    assert alice.post(url, {"collection": other.pk}).status_code == 200
    assert not ServiceLink.objects.exists()


def test_the_page_says_what_can_be_done_and_what_is_to_come(archive, people):
    url = f"/archives/{archive.slug}/"
    alice, vic = text(client(people["alice"]).get(url)), text(client(people["vic"]).get(url))
    for words in ("Comes with reader studies", "Comes with algorithms", "Comes with challenges"):
        assert words in alice
        assert words not in vic
    assert "Make a collection" in vic
    assert "Make a collection" not in text(client(people["olive"]).get(url))
    assert "Make a collection" not in text(client(people["charlie"]).get(url))
    page = client(people["alice"]).get(url).content.decode()
    assert len(re.findall(r'<button[^>]*type="button" disabled>', page)) == 3
