"""Doors that an archive opens: what onlookers get by them, and that all close when somebody goes."""

import json
import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import place_images
from medtheca.domains.archives.access import role_in
from medtheca.domains.archives.links import make_link, revoke_link
from medtheca.domains.archives.operations import change_archive
from medtheca.domains.archives.people import remove_person, set_person
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import ImageFile
from medtheca.interfaces.http.file_urls import file_url
from tests.factories.accounts import make_token, make_user
from tests.factories.archives import make_archive
from tests.factories.downloads import make_files
from tests.factories.storage import keep
from tests.interfaces.bytes.cases import cookie_of, until


class Ward:
    """Alice's archive with a picture, a volume and a slide, none of which is shown to anybody else."""

    def __init__(self, cases):
        tag = secrets.token_hex(4)
        self.alice, self.bob = make_user(f"alice-{tag}"), make_user(f"bob-{tag}")
        self.archive = make_archive(self.alice, title=f"Ward {tag}")
        picture = make_files(self.archive.cohort, 1, visibility="private")[0][0]
        looked_at = ImageFile.objects.filter(image=picture).exclude(kind=FileKind.PUBLIC)
        looked_at.update(blob=keep(secrets.token_bytes(2000)))
        self.images = {"picture": picture, "volume": cases.private["volume"], "slide": cases.private["slide"]}
        place_images(image_ids=[one.pk for one in self.images.values()], scope_ids=[self.archive.scope_id])
        self.by_session = cookie_of(self.bob)
        self.by_token = {"Authorization": f"Bearer {make_token(self.bob, 'write')[1]}"}

    def base(self, name):
        return file_url(self.images[name], FileKind.WEB).rsplit("/", 1)[0]

    def looking(self):
        paths = [f"{self.base(name)}/{file}" for name in self.images for file in ("thumbnail", "web")]
        volume, slide = self.base("volume"), self.base("slide")
        return [
            *paths,
            f"{volume}/geometry",
            f"{volume}/slices/axial/2.png",
            f"{slide}/tiles.dzi",
            f"{slide}/tiles_files/8/0_0.jpeg",
            f"/iiif/{self.images['slide'].key}/full/64,/0/default.jpg",
        ]

    def taking(self):
        paths = [f"{self.base(name)}/full" for name in self.images]
        return [*paths, f"{self.base('volume')}/small", f"/iiif/{self.images['slide'].key}/full/max/0/default.jpg"]

    def ticket(self, kind=FileKind.PUBLIC):
        return file_url(self.images["picture"], kind, ticket_for=self.bob.pk)

    def make(self, person, *, downloads=True):
        self.archive = change_archive(archive=self.archive, actor=self.alice, downloads=downloads)
        set_person(archive=self.archive, actor=self.alice, user=self.bob, person=person)


@pytest.fixture
def ward(cases, world):
    return Ward(cases)


def statuses(world, paths, headers):
    return {path: world.request("GET", path, headers=headers).status for path in paths}


def answers(world, paths, headers, status):
    assert statuses(world, paths, headers) == dict.fromkeys(paths, status)


def cookie_in(answer):
    """The session that an answer begins, as a header."""
    found = [value for name, value in answer.headers.items() if name.lower() == "set-cookie" and "sessionid" in value]
    return {"Cookie": found[0].partition(";")[0]}


def test_a_user_takes_and_an_onlooker_looks(world, ward):
    ward.make("user")
    for headers in (ward.by_session, ward.by_token):
        answers(world, ward.looking(), headers, 200)
        answers(world, ward.taking(), headers, 200)
    assert world.request("GET", ward.ticket()).status == 200
    ward.make("user", downloads=False)
    for headers in (ward.by_session, ward.by_token):
        until(lambda headers=headers: set(statuses(world, ward.taking(), headers).values()) == {403})
        answers(world, ward.looking(), headers, 200)
        refused = world.request("GET", ward.taking()[0], headers={**headers, "Range": "bytes=0-9"})
        assert (refused.status, json.loads(refused.content)["code"]) == (403, "look_only")
    assert world.request("GET", ward.ticket()).status == 403
    assert world.request("GET", ward.ticket(FileKind.THUMBNAIL)).status == 200


def test_an_onlooker_makes_no_download_and_reads_no_address_of_a_file(world, ward):
    ward.make("user")
    key = str(ward.images["picture"].key)
    headers = {"Content-Type": "application/json", **ward.by_token}
    body = json.dumps({"isic_ids": [key]})
    made = world.request("POST", "/api/v2/downloads/", headers=headers, body=body)
    assert made.status == 201
    zipped = json.loads(made.content)["url"].partition("/downloads/")[2]
    assert world.request("GET", f"/downloads/{zipped}").status == 200
    told = json.loads(world.request("GET", f"/api/v2/images/{key}/", headers=headers).content)
    assert "full" in told["files"]

    ward.make("user", downloads=False)
    assert role_in(ward.bob, ward.archive) == Role.ONLOOKER
    refused = world.request("POST", "/api/v2/downloads/", headers=headers, body=body)
    assert refused.status == 403
    assert ward.images["picture"].public_id in json.loads(refused.content)["detail"]
    # What was made before is not sent any more either.
    until(lambda: world.request("GET", f"/downloads/{zipped}").status == 410)
    told = json.loads(world.request("GET", f"/api/v2/images/{key}/", headers=headers).content)
    assert not told["files"].get("full")
    listed = json.loads(world.request("GET", "/api/v2/images/", headers=headers).content)["results"]
    assert [one["isic_id"] for one in listed if one["files"].get("full") and not one["public"]] == []
    page = world.request("GET", f"/images/{key}/", headers=ward.by_session)
    assert page.status == 200
    assert b"/full" not in page.content


@pytest.mark.parametrize("person", ["user", "uploader", "editor"])
def test_removing_somebody_closes_every_door(world, ward, person):
    ward.make(person)
    paths = ward.looking() + ward.taking()[:3]
    pages = [f"/images/{ward.images['picture'].key}/", f"/api/v2/images/{ward.images['picture'].key}/"]
    for headers in (ward.by_session, ward.by_token):
        answers(world, paths + pages[1:], headers, 200)
    assert world.request("GET", pages[0], headers=ward.by_session).status == 200
    assert world.request("GET", ward.ticket()).status == 200
    remove_person(archive=ward.archive, actor=ward.alice, user_id=ward.bob.pk)
    for headers in (ward.by_session, ward.by_token):
        until(lambda headers=headers: set(statuses(world, paths, headers).values()) == {404})
    until(lambda: world.request("GET", ward.ticket()).status == 404)
    assert world.request("GET", pages[0], headers=ward.by_session).status == 404
    assert world.request("GET", pages[1], headers=ward.by_token).status == 404


def test_a_link_looks_and_takes_nothing_until_it_is_revoked(world, ward):
    link, secret = make_link(archive=ward.archive, editor=ward.alice, label="Reviewers")
    answer = world.request("GET", f"/archives/by-link/{secret}/")
    assert answer.status == 302
    by_link = cookie_in(answer)
    page = f"/images/{ward.images['picture'].key}/"
    answers(world, [*ward.looking(), page], by_link, 200)
    answers(world, ward.taking(), by_link, 403)
    # What was read for them is nobody else's, not even a moment later.
    answers(world, [*ward.looking(), *ward.taking(), page], {}, 404)
    answers(world, [*ward.looking(), *ward.taking()], ward.by_session, 404)
    private = ward.base("picture").rpartition("/")[2]
    assert world.request("GET", f"/api/v2/images/{private}/", headers=by_link).status == 404
    revoke_link(archive=ward.archive, editor=ward.alice, link_id=link.pk)
    until(lambda: set(statuses(world, ward.looking(), by_link).values()) == {404})
    answers(world, [*ward.taking(), page], by_link, 404)


def test_many_who_ask_at_once_are_not_given_what_a_link_shows(world, ward):
    """Those who ask for the same at the same time share one read, and who has a link must not share with others."""
    _, secret = make_link(archive=ward.archive, editor=ward.alice, label="Reviewers")
    answer = world.request("GET", f"/archives/by-link/{secret}/")
    by_link = cookie_in(answer)
    path = f"{ward.base('picture')}/thumbnail"
    with ThreadPoolExecutor(8) as pool:
        callers = [by_link, {}] * 20
        found = list(pool.map(lambda headers: world.request("GET", path, headers=headers).status, callers))
    assert found == [200, 404] * 20
