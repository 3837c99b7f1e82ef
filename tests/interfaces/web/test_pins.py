"""Pinned images on pages and by API: Sam of the staff pins, others see the order."""

import json

import pytest

from medtheca.domains.collections.pins import all_pins, set_image_pinned
from tests.factories.accounts import bearer, make_token, make_user
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.interfaces.conftest import browser_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def sam():
    return make_user("sam")


@pytest.fixture
def images(alice):
    return make_images(make_cohort(alice, name="Pins"), 4, visibility="public", structured={"sex": "male"})


def test_buttons_of_the_page_pin_move_and_unpin(sam, images):
    browser = browser_of(sam)

    def press(action, image, **more):
        answer = browser.post("/staff/pins/", {"action": action, "image": image.public_id, **more})
        assert answer.status_code == 302, answer.content.decode()
        return answer.url

    for image in images[:3]:
        assert press("pin", image) == f"/staff/pins/#pin-{image.key}"
    press("up", images[2])
    press("first", images[1])
    press("down", images[1])
    assert all_pins() == [images[0], images[1], images[2]]
    page = browser.get("/staff/pins/").content.decode()
    assert page.index(images[0].public_id) < page.index(images[1].public_id) < page.index(images[2].public_id)
    assert f'aria-label="Move {images[0].public_id} up"' not in page
    assert f'aria-label="Move {images[2].public_id} down"' not in page
    assert press("unpin", images[0], **{"from": "image"}) == f"/images/{images[0].public_id}/"
    assert all_pins() == [images[1], images[2]]


def test_what_cannot_be_is_said_on_the_page(sam, images):
    browser = browser_of(sam)
    for data, words in (
        ({"action": "pin", "image": "<b>ISIC_0</b>"}, "There is no image &lt;b&gt;ISIC_0&lt;/b&gt;."),
        ({"action": "up", "image": images[0].public_id}, "The image is not pinned any more."),
        ({"action": "burn", "image": images[0].public_id}, "It is not clear what to do."),
    ):
        answer = browser.post("/staff/pins/", data)
        assert (answer.status_code, words in answer.content.decode()) == (409, True), answer.content.decode()


def test_the_page_of_an_image_offers_it_to_staff_alone(sam, alice, images):
    address = f"/images/{images[0].public_id}/"
    assert 'value="pin"' in browser_of(sam).get(address).content.decode()
    set_image_pinned(image=images[0], actor=sam, pinned=True)
    assert 'value="unpin"' in browser_of(sam).get(address).content.decode()
    for other in (alice, None):
        assert "/staff/pins/" not in browser_of(other).get(address).content.decode()


def test_a_collection_shows_its_pinned_images_first(sam, alice, images):
    made = make_collection(alice, images[:3], name="Moles", public=True)
    for image in (images[3], images[2], images[1]):
        set_image_pinned(image=image, actor=sam, pinned=True)
    page = browser_of().get(f"/collections/{made.pk}/").content.decode()
    shown = sorted(images[:3], key=lambda image: page.index(f"/images/{image.public_id}/"))
    assert shown == [images[2], images[1], images[0]]
    assert images[3].public_id not in page


def test_lists_of_the_api_have_them_first_where_they_are_asked_to(sam, alice, images):
    made = make_collection(alice, images[:3], name="Moles", public=True)
    headers = bearer(make_token(sam, "write")[1])["headers"]

    def call(method, path, data=None):
        body = {"data": json.dumps(data), "content_type": "application/json"} if data is not None else {}
        return getattr(browser_of(), method)(f"/api/v2/{path}", **body, headers=headers if data is not None else {})

    for image in (images[1], images[2]):
        assert call("post", f"images/{image.public_id}/set-pinned/", {"pinned": True}).status_code == 200
    order = {"order": [images[2].public_id, images[1].public_id]}
    assert call("post", "images/pins/reorder/", order).status_code == 200
    refused = call("post", "images/pins/reorder/", {"order": order["order"][:1]})
    assert (refused.status_code, images[1].public_id in refused.content.decode()) == (400, True)
    ids = [images[at].public_id for at in (2, 1, 0, 3)]
    for path, expected in (
        ("images/?pin_sort=1&limit=3", ids),
        (f"images/search/?query=sex:male&collections={made.pk}&pin_sort=true&limit=2", ids[:3]),
        ("images/?limit=3", sorted(ids)),
    ):
        found, body = [], call("get", path).json()
        assert body["count"] == len(expected)
        while True:
            found += [row["isic_id"] for row in body["results"]]
            if body["next"] is None:
                break
            body = browser_of().get(body["next"].replace("http://localhost:8000", "")).json()
        assert found == expected, path
