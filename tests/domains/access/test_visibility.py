"""What a viewer sees, in random worlds: the compiled query against the rule in plain Python."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import F, Q
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from medtheca.base.clock import now
from medtheca.domains.access import queries
from medtheca.domains.access.enums import PUBLIC_SCOPE, SIGNED_IN_SCOPE, Role, ScopeKind, Visibility
from medtheca.domains.access.models import Membership, Placement, Scope, Tally, Withdrawal
from medtheca.domains.access.operations import add_member, add_up_tally, create_scope, place_images
from medtheca.domains.access.queries import (
    ANYBODY,
    count_visible,
    downloadable_images,
    look_by_links,
    may_see,
    viewer_of,
    visibility_of,
    visible_images,
    withheld_among,
)
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.models import Image
from tests.factories.accounts import make_user
from tests.plugins.thoroughness import examples

PEOPLE = ("alice", "bob", "charlie", "sam")
CIRCLES = ("public", "signed_in", "clinic", "group")
OPENS = {"always": None, "since yesterday": timedelta(days=-1), "from tomorrow": timedelta(days=1)}

worlds = st.fixed_dictionaries(
    {
        "memberships": st.dictionaries(
            st.tuples(st.sampled_from(PEOPLE), st.sampled_from(CIRCLES[2:])), st.sampled_from(list(Role)), max_size=6
        ),
        "placements": st.dictionaries(
            st.tuples(st.integers(0, 4), st.sampled_from(CIRCLES)), st.sampled_from(list(OPENS)), max_size=12
        ),
        "withdrawn": st.frozensets(st.integers(0, 4), max_size=3),
        "disabled": st.frozensets(st.sampled_from(PEOPLE), max_size=2),
        "links": st.frozensets(st.tuples(st.sampled_from((None, *PEOPLE)), st.sampled_from(CIRCLES[2:])), max_size=3),
    }
)


def sees(person, image, world):
    """The rule in words. Links are the request's, whoever sends it."""
    by_link = {circle for name, circle in world["links"] if name == person}
    if person in world["disabled"]:
        person = None
    if person == "sam":
        return True
    for (placed, circle), opens in world["placements"].items():
        if placed != image or opens == "from tomorrow":
            continue
        role = world["memberships"].get((person, circle))
        if circle == "public" or (circle == "signed_in" and person) or role in {Role.OWNER, Role.EDITOR}:
            return True
        if (role is not None or circle in by_link) and image not in world["withdrawn"]:
            return True
    return False


def takes(person, image, world):
    """What somebody sees without being an onlooker is what they may take away."""
    looking = {key: role for key, role in world["memberships"].items() if role != Role.ONLOOKER}
    return sees(person, image, {**world, "memberships": looking, "links": frozenset()})


def picture(serial):
    return Image(
        format="jpeg",
        media_type="image/jpeg",
        width=4,
        height=3,
        colour_space="sRGB",
        bits=8,
        channels=3,
        pixel_hash=f"{serial:064x}",
        perceptual_hash=serial,
    )


@pytest.fixture
def cast(db):
    """People, circles and images, of which each world makes its own."""
    people = {name: User.objects.create(email=f"{name}@example.org", is_staff=name == "sam") for name in PEOPLE}
    scopes = {
        "public": Scope.objects.get(kind=ScopeKind.PUBLIC),
        "signed_in": Scope.objects.get(kind=ScopeKind.SIGNED_IN),
        "clinic": create_scope(kind=ScopeKind.CONTRIBUTOR, name="Clinic"),
        "group": create_scope(kind=ScopeKind.GROUP, name="Group"),
    }
    return people, scopes, Image.objects.bulk_create([picture(serial) for serial in range(5)])


def build(world, people, scopes, images):
    Membership.objects.bulk_create(
        [
            Membership(user=people[name], scope=scopes[circle], role=role)
            for (name, circle), role in world["memberships"].items()
        ]
    )
    Placement.objects.bulk_create(
        [
            Placement(image=images[serial], scope=scopes[circle], opens=OPENS[opens] and now() + OPENS[opens])
            for (serial, circle), opens in world["placements"].items()
        ]
    )
    Withdrawal.objects.bulk_create(
        [Withdrawal(image=images[serial], reason="Consent was withdrawn.") for serial in world["withdrawn"]]
    )
    for name, person in people.items():
        person.is_active = name not in world["disabled"]


def check(world, cast):
    people, _, images = cast
    with transaction.atomic():
        build(world, *cast)
        for person in (None, *PEOPLE):
            asker = people.get(person) or AnonymousUser()
            look_by_links(asker, [cast[1][circle].pk for name, circle in world["links"] if name == person])
            viewer = viewer_of(asker)
            expected = {image.pk for serial, image in enumerate(images) if sees(person, serial, world)}
            found = list(visible_images(viewer).values_list("pk", flat=True))
            assert sorted(found) == sorted(expected), person
            assert count_visible(viewer) == len(expected)
            taken = {image.pk for serial, image in enumerate(images) if takes(person, serial, world)}
            assert set(downloadable_images(viewer).values_list("pk", flat=True)) == taken, person
            assert withheld_among(viewer, found) == expected - taken
            one = images[len(world["placements"]) % 5].pk
            assert may_see(viewer, one) == (one in expected)
        assert visibility_of([image.pk for image in images]) == {
            image.pk: widest(serial, world) for serial, image in enumerate(images)
        }
        # The next world begins where this one did.
        transaction.set_rollback(True)


def widest(image, world):
    open_in = {c for (placed, c), opens in world["placements"].items() if placed == image and opens != "from tomorrow"}
    named = {"public": "public", "signed_in": "signed_in", "group": "groups"}
    return Visibility(next((named[circle] for circle in named if circle in open_in), "private"))


SETTINGS = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


@pytest.mark.django_db
@settings(max_examples=examples(60), phases=[Phase.explicit, Phase.generate], **SETTINGS)
@given(world=worlds)
def test_everybody_sees_exactly_what_the_rule_says(world, cast):
    check(world, cast)


def forgets_embargoes(viewer, **_):
    circles = Q(scope__in=[PUBLIC_SCOPE, SIGNED_IN_SCOPE])
    return Placement.objects.filter(circles | Q(scope__memberships__user=viewer.user_id))


def lets_strangers_in(viewer, **_):
    return Placement.objects.filter(Q(opens__isnull=True) | Q(opens__lte=F("created")))


def forgets_viewers(viewer, **_):
    return Placement.objects.filter(
        Q(scope__kind__in=["public", "signed_in"])
        | Q(scope__memberships__user=viewer.user_id, scope__memberships__role__in=[Role.OWNER, Role.EDITOR])
    ).filter(Q(opens__isnull=True) | Q(opens__lte=now()))


RIGHT = queries.open_placements


def lets_onlookers_take(viewer, **_):
    return RIGHT(viewer)


def takes_nobody_for_an_onlooker(_):
    return False


def lets_links_show_what_is_withdrawn(viewer, **options):
    return RIGHT(viewer, **options) | Placement.objects.filter(scope__in=viewer.links)


BUGS = [
    ("open_placements", forgets_embargoes),
    ("open_placements", lets_strangers_in),
    ("open_placements", forgets_viewers),
    ("open_placements", lets_onlookers_take),
    ("open_placements", lets_links_show_what_is_withdrawn),
    ("has_looks_alone", takes_nobody_for_an_onlooker),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "bug"), BUGS)
def test_a_planted_bug_is_found(name, bug, monkeypatch, cast):
    monkeypatch.setattr(queries, name, bug)

    @settings(max_examples=examples(100), phases=[Phase.generate], **SETTINGS)
    @given(world=worlds)
    def search(world):
        check(world, cast)

    with pytest.raises((AssertionError, BaseExceptionGroup)):
        search()


@pytest.mark.django_db
def test_the_database_clock_ends_an_embargo():
    image = Image.objects.bulk_create([picture(1)])[0]
    place_images(image_ids=[image.pk], scope_ids=[PUBLIC_SCOPE], opens=now() + timedelta(hours=1))
    assert not may_see(ANYBODY, image.pk)
    assert visibility_of([image.pk]) == {image.pk: Visibility.PRIVATE}
    place_images(image_ids=[image.pk], scope_ids=[PUBLIC_SCOPE], opens=now() - timedelta(seconds=1))
    assert may_see(ANYBODY, image.pk)
    assert Placement.objects.count() == 1


@pytest.mark.django_db
def test_counting_for_the_public_is_one_query_on_placements(django_assert_num_queries):
    with django_assert_num_queries(1):
        assert count_visible(ANYBODY) == 0


@pytest.mark.django_db
def test_a_viewer_does_not_see_what_is_withdrawn_and_an_owner_does():
    scope = create_scope(kind=ScopeKind.GROUP, name="Group")
    alice, bob = make_user("alice"), make_user("bob")
    add_member(scope=scope, user=alice, role=Role.OWNER)
    add_member(scope=scope, user=bob, role=Role.VIEWER)
    image = Image.objects.bulk_create([picture(1)])[0]
    place_images(image_ids=[image.pk], scope_ids=[scope.pk])
    assert may_see(viewer_of(bob), image.pk)
    Withdrawal.objects.create(image=image, reason="Consent was withdrawn.")
    assert not may_see(viewer_of(bob), image.pk)
    assert may_see(viewer_of(alice), image.pk)


@pytest.mark.django_db
def test_the_tally_of_the_public_follows_every_change():
    images = Image.objects.bulk_create([picture(number) for number in range(6)])
    ids = [image.pk for image in images]

    def told():
        assert count_visible(ANYBODY) == visible_images(ANYBODY).count()
        return count_visible(ANYBODY)

    place_images(image_ids=ids, scope_ids=[PUBLIC_SCOPE, SIGNED_IN_SCOPE])
    assert told() == 6
    place_images(image_ids=ids[:2], scope_ids=[PUBLIC_SCOPE], opens=now() + timedelta(hours=1))
    assert told() == 4
    place_images(image_ids=ids[:1], scope_ids=[PUBLIC_SCOPE], opens=now() - timedelta(hours=1))
    assert told() == 5
    Placement.objects.filter(scope=PUBLIC_SCOPE, image=ids[5]).delete()
    assert told() == 4
    add_up_tally()
    assert Tally.objects.count() == 1
    assert told() == 4
    place_images(image_ids=ids, scope_ids=[PUBLIC_SCOPE])
    assert told() == 6
