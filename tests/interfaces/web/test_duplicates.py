"""Near-duplicates for the people of a cohort: pages, API and command line show groups of what each sees."""

import json
import re

import pytest
from click.testing import CliRunner
from django.test import Client

from medtheca.domains.access.enums import Role, Visibility
from medtheca.domains.access.operations import add_member, set_visibility, withdraw_image
from medtheca.domains.imaging.models import Image, NearDuplicate
from medtheca.domains.imaging.near_duplicates import group_due
from medtheca.domains.provenance.models import Accession
from medtheca.domains.search.queries import count
from medtheca.interfaces.cli.duplicates import duplicates
from medtheca.toolkit.querylang import parse
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.interfaces.api.world import by_token, nobody

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort():
    return make_cohort(make_user("alice"))


@pytest.fixture
def images(cohort):
    """Of Alice's: a chain of three, all public but the middle one; a pair of the same pixels, public; one alone."""
    found = make_images(cohort, 6, visibility="public")
    looks = [0b1, 0b111_1111, 0b1_1111_1111_1111, 0xF0F0_F0F0 << 30, 0x0F0F_0F0F << 10, -2]
    for image, look in zip(found, looks, strict=True):
        Image.objects.filter(pk=image.pk).update(perceptual_hash=look)
    Image.objects.filter(pk__in=[found[3].pk, found[4].pk]).update(pixel_hash="ab" * 32)
    set_visibility(image_ids=[found[1].pk], visibility=Visibility.PRIVATE)
    group_due()
    return found


def client_of(user):
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(user)
    return client


def groups_on(page):
    return [len(re.findall('class="tile"', section)) for section in page.split("<section")[1:]]


def test_the_page_of_a_cohort_shows_its_groups_side_by_side(cohort, images):
    client = client_of(cohort.creator)
    page = client.get(f"/cohorts/{cohort.pk}/duplicates/").content.decode()
    assert groups_on(page) == [3, 2]
    assert re.findall(r"(\d+) of 64 bits differ", page) == ["6", "12"]
    assert page.count("chip chip-warning") == 1
    exact = client.get(f"/cohorts/{cohort.pk}/duplicates/?only=exact").content.decode()
    assert groups_on(exact) == [2]
    assert client.get(f"/cohorts/{cohort.pk}/duplicates/?page=7").status_code == 400
    link = re.search(r'href="(/gallery/\?q=[^"]*)">Show', page)[1]
    gallery = client.get(link).content.decode()
    assert all(image.public_id in gallery for image in images[:3])
    assert images[5].public_id not in gallery
    assert f"/cohorts/{cohort.pk}/duplicates/" in client.get(f"/cohorts/{cohort.pk}/").content.decode()


def test_what_is_not_seen_neither_counts_nor_connects(cohort, images):
    """Charlie sees the ends of the chain, which only the hidden image resembles both: for him there is no group."""
    first, hidden, last, same, twin, _ = images
    charlie, alice = make_user("charlie"), cohort.creator
    for asker in (None, charlie):
        assert count(parse("near_duplicates:>=1"), asker=asker) == 2
        assert count(parse(f"duplicate_group:{first.public_id}"), asker=asker) == 0
        assert count(parse(f"duplicate_group:{hidden.public_id}"), asker=asker) == 0
        assert count(parse(f"duplicate_group:{same.public_id} exact_duplicates:1"), asker=asker) == 2
    assert count(parse("near_duplicates:2"), asker=alice) == 1
    assert count(parse(f"duplicate_group:{last.public_id}"), asker=alice) == 3
    add_member(scope=cohort.scope, user=charlie, role=Role.VIEWER)
    assert count(parse(f"duplicate_group:{hidden.key}"), asker=charlie) == 3
    withdraw_image(image=hidden, reason="x", user=alice)
    assert count(parse(f"duplicate_group:{first.public_id}"), asker=charlie) == 0
    assert count(parse(f"duplicate_group:{first.public_id}"), asker=alice) == 3
    withdraw_image(image=twin, reason="x", user=alice)
    assert count(parse("near_duplicates:>0"), asker=None) == 0


def test_the_api_lists_groups_and_the_group_of_an_image(cohort, images, settings):
    settings.ALLOWED_HOSTS = ["*"]
    first, hidden, last, same, twin, _ = images
    alice, charlie = by_token(cohort.creator), by_token(make_user("charlie"))
    answer = alice.get(f"cohorts/{cohort.pk}/duplicates/")
    assert answer.status_code == 200, answer.body
    told = answer.body
    assert told["count"] == 2
    assert [[row["isic_id"] for row in group] for group in told["results"]] == [
        [first.public_id, hidden.public_id, last.public_id],
        [same.public_id, twin.public_id],
    ]
    assert [row["distance"] for row in told["results"][0]] == [0, 6, 12]
    assert [row["same_pixels"] for row in told["results"][1]] == [True, True]
    part = alice.get(f"cohorts/{cohort.pk}/duplicates/?limit=1&offset=1").body
    assert (part["count"], part["results"]) == (2, told["results"][1:])
    assert charlie.get(f"cohorts/{cohort.pk}/duplicates/").status_code == 404
    assert [row["isic_id"] for row in alice.get(f"images/{hidden.key}/duplicates/").body] == [
        first.public_id, last.public_id]  # fmt: skip
    assert nobody().get(f"images/{first.public_id}/duplicates/").body == []
    assert [row["isic_id"] for row in nobody().get(f"images/{same.public_id}/duplicates/").body] == [twin.public_id]
    assert charlie.get(f"images/{hidden.public_id}/duplicates/").status_code == 404


def test_the_submission_says_what_looks_nearly_the_same(cohort, images):
    client = client_of(cohort.creator)
    pages = [
        client.get(f"/accessions/{Accession.objects.get(image=image).pk}/").content.decode()
        for image in (images[0], images[5])
    ]
    assert "2 images look nearly the same" in pages[0]
    assert "nearly the same" not in pages[1]


def test_names_of_other_cohorts_are_for_those_who_know_them(cohort, images):
    bob = make_user("bob")
    other = make_cohort(bob, name="Bob's secret cohort")
    (copy,) = make_images(other, 1, visibility="public", names=["secret name.jpg"])
    Image.objects.filter(pk=copy.pk).update(pixel_hash="ab" * 32, perceptual_hash=0)
    group_due()
    page = client_of(cohort.creator).get(f"/cohorts/{cohort.pk}/duplicates/").content.decode()
    assert groups_on(page) == [3, 3]
    assert "secret" not in run("list", "--cohort", cohort.pk, "--json", "--as", "alice@example.org")
    assert copy.public_id in page
    assert "secret" not in page
    assert "secret cohort" in client_of(make_user("sam")).get(f"/cohorts/{cohort.pk}/duplicates/").content.decode()


def test_equal_pixels_are_found_whatever_else_is_in_their_group(cohort, images):
    """Two images of the chain that are like its first, and equal to each other."""
    Image.objects.filter(pk__in=[images[1].pk, images[2].pk]).update(pixel_hash="ef" * 32)
    group_due()
    exact = client_of(cohort.creator).get(f"/cohorts/{cohort.pk}/duplicates/?only=exact").content.decode()
    assert groups_on(exact) == [2, 2]
    told = json.loads(run("list", "--cohort", cohort.pk, "--exact", "--json", "--as", "alice@example.org"))
    assert [len(group) for group in told["groups"]] == [2, 2]


def run(*words, exit_code=0):
    done = CliRunner().invoke(duplicates, [str(word) for word in words])
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done.output


def test_the_command_lists_verifies_and_rebuilds(cohort, images):
    told = run("list", "--cohort", cohort.pk, "--as", "alice@example.org")
    assert len(re.findall(r"^[12]\t", told, re.MULTILINE)) == 5
    found = json.loads(run("list", "--cohort", cohort.pk, "--exact", "--json", "--as", "alice@example.org"))
    assert [[row["isic_id"] for row in group] for group in found["groups"]] == [
        [images[3].public_id, images[4].public_id]
    ]
    assert "no cohort" in run("list", "--cohort", 999_999, "--as", "alice@example.org", exit_code=1)
    assert json.loads(run("status", "--json")) == {"groups": 2, "images": 5, "due": 0}
    assert "what the hashes" in run("verify")
    NearDuplicate.objects.filter(image=images[0].pk).delete()
    assert json.loads(run("verify", "--json", exit_code=1))["different"]
    assert "2 groups of 5 images" in run("rebuild")
    run("verify")


def test_an_image_that_goes_leaves_its_group(cohort):
    one, other = make_images(cohort, 2)
    Image.objects.filter(pk__in=[one.pk, other.pk]).update(pixel_hash="cd" * 32)
    group_due()
    assert NearDuplicate.objects.count() == 2
    Accession.objects.filter(image=other).update(image=None, state="refused", original=None)
    Image.objects.filter(pk=other.pk).delete()
    group_due()
    assert NearDuplicate.objects.count() == 0
