"""Collections by API: the shapes that ISIC's clients read, and ours."""

import json

import pytest
from django.test import Client

from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.operations import set_visibility
from tests.factories.accounts import bearer, make_token, make_user
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort, run_jobs

pytestmark = pytest.mark.django_db
_ISIC = {"id", "name", "description", "public", "pinned", "locked", "doi", "doi_url"}
_COLLECTION = _ISIC | {"image_count", "contributors"}


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice, licence="CC-BY-4.0", attribution="Clinic of Exampleton")


@pytest.fixture
def images(cohort):
    return make_images(cohort, 3, visibility="public")


@pytest.fixture
def call(alice):
    headers = {user: bearer(make_token(user, "write")[1])["headers"] for user in (alice, make_user("sam"))}
    by_name = {user.email.partition("@")[0]: value for user, value in headers.items()}

    def ask(method, path, data=None, *, by="alice", status=200):
        body = {"data": json.dumps(data), "content_type": "application/json"} if data is not None else {}
        headers = by_name[by] if by else {}
        answer = getattr(Client(), method)(f"/api/v2/collections/{path}", **body, headers=headers)
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None

    return ask


def test_a_list_has_isics_shape_exact_count_and_absolute_next(call, alice):
    for number in range(3):
        make_collection(alice, name=f"Set {number}", public=True)
    make_collection(alice, name="Mine")
    first = call("get", "?limit=2&sort=name", by=None)
    assert first["count"] == 3
    assert [row["name"] for row in first["results"]] == ["Set 0", "Set 1"]
    assert set(first["results"][0]) == _COLLECTION
    assert first["next"].startswith("http://testserver/api/v2/collections/?cursor=")
    rest = Client().get(first["next"]).json()
    assert ([row["name"] for row in rest["results"]], rest["count"], rest["next"]) == (["Set 2"], None, None)
    assert [row["name"] for row in call("get", "")["results"]] == ["Mine", "Set 2", "Set 1", "Set 0"]
    call("get", "?cursor=nonsense", status=422)


def test_pinned_ones_are_listed_alone(call, alice):
    made = make_collection(alice, name="Pinned", public=True)
    make_collection(alice, name="Other", public=True)
    call("post", f"{made.pk}/set-pinned/", {"pinned": True}, by="sam")
    assert [row["name"] for row in call("get", "?pinned=true", by=None)["results"]] == ["Pinned"]
    assert [row["name"] for row in call("get", "?pinned=false", by=None)["results"]] == ["Other"]


def test_lists_say_how_many_images_one_sees_and_whose_they_are(call, alice, cohort, images):
    nameless = make_cohort(alice, name="Nameless", attribution="Alpine Clinic")
    make_collection(alice, images, name="Shown", public=True)
    more = [*images, *make_images(cohort, 1), *make_images(nameless, 1)]
    made = make_collection(alice, more, name="Mine")
    mine = {row["name"]: (row["image_count"], row["contributors"]) for row in call("get", "")["results"]}
    assert mine == {"Shown": (3, ["Clinic of Exampleton"]), "Mine": (5, ["Alpine Clinic", "Clinic of Exampleton"])}
    (shown,) = call("get", "", by=None)["results"]
    assert (shown["image_count"], shown["contributors"]) == mine["Shown"]
    detail = call("get", f"{made.pk}/")
    assert (detail["image_count"], detail["contributors"]) == mine["Mine"]


def test_one_is_made_described_made_public_and_deleted(call, images):
    made = call("post", "", {"name": "Moles", "description": "Of the *trunk*."}, status=201)
    assert set(made) == _COLLECTION | {*("created", "modified", "hidden_count", "may_edit", "may_share", "archives")}
    where = f"{made['id']}/"
    changed = call("patch", where, {"name": "Nevi", "public": True})
    assert (changed["name"], changed["description"], changed["public"]) == ("Nevi", "Of the *trunk*.", True)
    assert call("get", where, by=None)["hidden_count"] is None
    assert call("post", "", {"name": "Nevi"}, status=409)["code"] == "name_taken"
    call("delete", where, status=204)
    call("get", where, status=404)


def test_a_list_of_images_has_exactly_three_keys(call, alice, cohort, images):
    (private,) = make_images(cohort, 1)
    made = make_collection(alice, name="Public", public=True)
    refs = [images[0].public_id, str(private.key), "ISIC_0000000"]
    assert call("post", f"{made.pk}/populate-from-list/", {"isic_ids": refs}) == {
        "succeeded": [images[0].public_id],
        "no_perms_or_does_not_exist": ["ISIC_0000000"],
        "private_image_public_collection": [str(private.key)],
    }
    assert call("post", f"{made.pk}/remove-from-list/", {"isic_ids": refs[::2]}) == {
        "succeeded": [images[0].public_id],
        "no_perms_or_does_not_exist": ["ISIC_0000000"],
    }
    call("post", f"{made.pk}/populate-from-list/", {"isic_ids": ["ISIC_0000000"] * 501}, status=422)


def test_what_is_private_is_named_when_a_collection_shall_be_public(call, alice, cohort, images):
    private = make_images(cohort, 2)
    made = make_collection(alice, [*images, *private])
    refused = call("patch", f"{made.pk}/", {"public": True}, status=400)
    assert refused["code"] == "private_images"
    assert {error["field"] for error in refused["errors"]} == {str(image.key) for image in private}


def test_jobs_fill_collections_and_tell_how_far_they_are(call, alice, images):
    two = [image.public_id for image in images[:2]]
    made = call("post", "create-from-isic-ids/", {"name": "Two", "isic_ids": two}, status=202)
    where = f"{made['collection_id']}/"
    assert made["batch"]["state"] == "waiting"
    other = call("post", f"{where}populate-from-search/", {"query": "", "collections": ""}, status=202)
    run_jobs()
    done = call("get", f"{where}batches/{other['id']}/")
    assert (done["state"], done["total"], done["settled"], done["changed"]) == ("done", 3, 3, 1)
    assert call("get", where)["image_count"] == 3
    more = call("post", f"{where}populate-from-isic-ids/", {"isic_ids": ["ISIC_0000000"]}, status=202)
    run_jobs()
    assert call("get", f"{where}batches/{more['id']}/")["no_perms_or_does_not_exist"] == ["ISIC_0000000"]
    call("post", f"{where}populate-from-search/", {"query": "", "collections": "1;2"}, status=400)
    call("post", f"{where}populate-from-search/", {"query": "sex:("}, status=400)
    narrowed = call("post", f"{where}remove-from-search/", {"collections": where.strip("/")}, status=202)
    assert narrowed["total"] == 3


def test_attribution_counts_what_the_caller_sees(call, alice, cohort, images):
    make_images(make_cohort(alice, name="Anonymous", attribution="Anonymous"), 1)
    made = make_collection(alice, [*images, *make_images(cohort, 1)])
    expected = {"license": "CC-BY", "license_spdx": "CC-BY-4.0", "attribution": "Clinic of Exampleton", "count": 4}
    assert call("get", f"{made.pk}/attribution/") == [expected]
    set_visibility(image_ids=[images[0].pk], visibility=Visibility.PRIVATE)
    bob = make_user("bob")
    listed = make_collection(bob, images[1:], name="Bob's", public=True)
    assert call("get", f"{listed.pk}/attribution/", by=None) == [expected | {"count": 2}]


def test_sharing_is_told_and_taken_back(call, alice, cohort):
    bob = make_user("bob")
    private = make_images(cohort, 2)
    made = make_collection(alice, private)
    where = f"{made.pk}/"
    refused = call("post", f"{where}share/", {"emails": ["bob@example.org"]}, status=400)
    assert refused["errors"][0]["field"] == "emails"
    assert call("post", f"{where}share/", {"user_ids": [bob.pk], "notify": False}, by="sam", status=202) == {
        "shared": 1,
        "images_shown": 2,
    }
    (told,) = call("get", f"sharing-info/?collection_ids={made.pk}")
    assert (told["owner"], told["shared_with"], told["shared_with_groups"], told["not_shared_count"]) == (
        {"id": alice.pk, "name": "Alice Example"},
        [{"id": bob.pk, "name": "Bob Example", "editor": False}],
        [],
        0,
    )
    assert call("post", f"{where}revoke/", {"user_ids": [bob.pk]}) == {"revoked": 1}
    call("post", f"{where}revoke/", {"user_ids": [bob.pk]}, status=404)


def test_autocomplete_has_isics_shape(call, alice):
    make_collection(alice, name="Moles", public=True)
    (found,) = call("get", "autocomplete/?query=mol", by=None)
    assert set(found) == _COLLECTION
    assert call("get", "autocomplete/?query=mo", by=None) == []
    call("get", "autocomplete/", by=None, status=422)


def test_locked_collections_say_so(call, alice, images):
    made = make_collection(alice, images)
    assert call("post", f"{made.pk}/set-locked/", {"locked": True})["locked"] is True
    for path, data in (("populate-from-list/", {"isic_ids": []}), ("populate-from-search/", {"query": ""})):
        assert call("post", f"{made.pk}/{path}", data, status=409)["code"] == "locked"
    assert call("patch", f"{made.pk}/", {"name": "Other"}, status=409)["code"] == "locked"


@pytest.mark.parametrize("number", ["0", "-1", str(2**63), str(10**30)])
def test_ids_that_cannot_be_are_not_found(call, number):
    call("get", f"{number}/", status=404)
