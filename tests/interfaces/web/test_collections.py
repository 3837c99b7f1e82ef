"""Pages of collections: Alice owns, Edith edits, Bob is shown, Charlie is a stranger, Sam is staff."""

import pytest
from django.test import Client

from medtheca.domains.access.enums import Role
from medtheca.domains.access.groups import create_group
from medtheca.domains.access.operations import add_member, withdraw_image
from medtheca.domains.collections.batches import send_batch
from medtheca.domains.collections.contents import add_images
from medtheca.domains.collections.enums import BatchAction
from medtheca.domains.collections.models import Collection
from medtheca.domains.collections.operations import change_collection, set_locked, set_pinned
from medtheca.domains.collections.queries import count_images
from medtheca.domains.collections.sharing import shares_of
from medtheca.domains.imaging.enums import FileKind
from medtheca.interfaces.http.file_urls import file_url
from tests.factories.accounts import make_user
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort, run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


@pytest.fixture
def images(cohort):
    return make_images(cohort, 3, visibility="public", structured={"sex": "male"})


def client_of(person=None):
    client = Client()
    if person:
        client.force_login(person)
    return client


def get(address, person=None, status=200):
    answer = client_of(person).get(address)
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


def post(address, person, data, status=302):
    answer = client_of(person).post(address, data)
    assert answer.status_code == status, answer.content.decode()
    return answer


def test_the_list_has_pinned_ones_first_with_counts_and_pictures(alice, images):
    sam, bob = make_user("sam"), make_user("bob")
    make_collection(alice, images, name="Ash", public=True)
    pinned = make_collection(alice, images[:1], name="Zebra", public=True)
    set_pinned(collection=pinned, actor=sam, pinned=True)
    make_collection(alice, images, name="Hidden", shared_with=[bob])
    page = get("/collections/")
    assert page.index("Zebra") < page.index("Ash")
    assert "Hidden" not in page
    assert "3 images" in page
    assert "2 collections with 4 images, of which 3 are different" in page
    assert page.count('aria-label="Contributors of ') == 2
    assert "Clinic of Exampleton" in page
    assert page.count(file_url(images[0], FileKind.THUMBNAIL)) == 2
    assert "Hidden" in get("/collections/?view=mine", alice)
    shared = get("/collections/?view=shared", bob)
    assert "Hidden" in shared
    assert "Zebra" not in shared
    assert "Collections" in get("/")


def test_a_description_is_text_whatever_is_typed(alice):
    made = make_collection(alice, public=True)
    typed = "# Aim\n\n<script>alert(1)</script> [x](javascript:alert(1)) https://example.org/?a=1&b=2\n\n- <b>two</b>"
    change_collection(collection=made, actor=alice, description=typed)
    page = get(f"/collections/{made.pk}/")
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert 'href="javascript' not in page
    assert '<a href="https://example.org/?a=1&amp;b=2" rel="nofollow">' in page


def test_its_page_shows_what_the_person_sees_and_whose_work_it_is(alice, cohort, images):
    (private,) = make_images(cohort, 1)
    bob, charlie = make_user("bob"), make_user("charlie")
    made = make_collection(alice, [*images, private], shared_with=[bob])
    his = get(f"/collections/{made.pk}/", bob)
    assert "4 images" in his
    assert "Clinic of Exampleton" in his
    assert "Share</a>" not in his
    get(f"/collections/{made.pk}/", charlie, status=404)
    get(f"/collections/{made.pk}/", status=404)
    hers = get(f"/collections/{made.pk}/", alice)
    assert "Shared with 1" in hers


def test_its_owner_reads_what_others_cannot_see_and_what_dropped_out(alice, images):
    edith = make_user("edith")
    own = make_images(make_cohort(edith, name="Edith's"), 2)
    listed = make_collection(alice, images, name="Listed", public=True)
    withdraw_image(image=images[0], reason="Consent was withdrawn.", user=alice)
    page = get(f"/collections/{listed.pk}/", alice)
    assert "1 image is no longer public" in page
    assert "Consent was withdrawn." in page
    assert "no longer public" not in get(f"/collections/{listed.pk}/")
    shared = make_collection(alice, editors=[edith])
    add_images(collection=shared, actor=edith, image_ids=[image.pk for image in own])
    assert "2 images are in it that you may not see" in get(f"/collections/{shared.pk}/", alice)


def test_images_are_added_from_a_page_and_from_a_search(alice, images):
    made = make_collection(alice, name="Moles")
    where = f"/collections/add/?image={images[0].public_id}"
    assert where.replace("&", "&amp;") in get(f"/images/{images[0].public_id}/", alice)
    assert "Add to collection" not in get(f"/images/{images[0].public_id}/")
    post(where, alice, {"collection": str(made.pk)})
    assert "Moles" in get(f"/images/{images[0].public_id}/", alice)
    assert "Moles" not in get(f"/images/{images[0].public_id}/")
    assert "/collections/add/?q=sex%3Amale" in get("/gallery/?sex=male", alice)
    assert "Add 3 images" in get("/collections/add/?sex=male", alice)
    answer = post("/collections/add/?sex=male", alice, {"collection": "new", "name": "Men"})
    new = Collection.objects.get(name="Men")
    assert answer.url == f"/collections/{new.pk}/"
    page = get(answer.url, alice)
    assert "Images are being added" in page
    run_jobs()
    assert count_images([made, new], alice) == {made.pk: 1, new.pk: 3}
    watching = client_of(alice).get(answer.url, headers={"hx-request": "true"})
    assert watching.headers["HX-Refresh"] == "true"


def test_what_cannot_be_added_is_said(alice, cohort, images):
    (private,) = make_images(cohort, 1)
    public = make_collection(alice, name="Public", public=True)
    where = f"/collections/add/?image={private.key}"
    page = post(where, alice, {"collection": str(public.pk)}, status=200).content.decode()
    assert "is not public" in page
    assert "Give the new collection a name" in post(where, alice, {"collection": "new"}, status=200).content.decode()
    assert (
        "finds no image"
        in post("/collections/add/?sex=female", alice, {"collection": str(public.pk)}, status=200).content.decode()
    )
    send_batch(collection=public, actor=alice, action=BatchAction.ADD, image_ids=[private.pk, images[0].pk])
    run_jobs()
    told = get(f"/collections/{public.pk}/", alice)
    assert f"1 image is not public, so this collection does not take them: {private.key}" in told


def test_images_are_chosen_and_removed(alice, images):
    made = make_collection(alice, images)
    page = get(f"/collections/{made.pk}/?pick=1", alice)
    assert page.count('name="image"') == 3
    post(f"/collections/{made.pk}/", alice, {"action": "remove", "image": [str(images[0].key), str(images[1].key)]})
    assert count_images([made], alice)[made.pk] == 1
    refused = post(f"/collections/{made.pk}/", alice, {"action": "remove"}, status=409)
    assert "No image is chosen" in refused.content.decode()
    post(f"/collections/{made.pk}/", alice, {"action": "lock"})
    assert 'name="image"' not in get(f"/collections/{made.pk}/?pick=1", alice)


def test_it_is_shared_and_taken_back_on_its_page(alice, cohort):
    bob = make_user("bob")
    group = create_group(creator=alice, name="Readers")
    add_member(scope=group, user=bob, role=Role.VIEWER)
    made = make_collection(alice, make_images(cohort, 1))
    where = f"/collections/{made.pk}/people/"
    page = post(where, alice, {"emails": "nobody@example.org"}, status=200).content.decode()
    assert "is in no contributor, cohort or group of yours" in page
    post(where, alice, {"emails": " bob@example.org, ", "group_ids": [str(group.pk)], "editors": "on"})
    assert [(one.name, one.edits) for one in shares_of(made)] == [("Bob Example", True), ("Readers", False)]
    post(where, alice, {"action": "revoke", "group": str(group.pk), "user": ""})
    assert "Leave</button>" in get(f"/collections/{made.pk}/", bob)
    post(f"/collections/{made.pk}/", bob, {"action": "leave"})
    assert shares_of(made) == []


def test_it_is_changed_and_deleted_by_its_name(alice, cohort, images):
    made = make_collection(alice, [*images, *make_images(cohort, 1)])
    where = f"/collections/{made.pk}/"
    refused = post(f"{where}edit/", alice, {"name": "Moles", "description": "", "public": "on"}, status=200)
    assert "is not public" in refused.content.decode()
    post(f"{where}edit/", alice, {"name": "Nevi", "description": "Of the trunk."})
    assert (
        "This is not its name" in post(f"{where}delete/", alice, {"confirmation": "Moles"}, status=200).content.decode()
    )
    set_locked(collection=made, actor=alice, locked=True)
    assert "is locked" in post(f"{where}delete/", alice, {"confirmation": "Nevi"}, status=200).content.decode()
    set_locked(collection=made, actor=alice, locked=False)
    post(f"{where}delete/", alice, {"confirmation": "Nevi"})
    get(where, alice, status=404)
