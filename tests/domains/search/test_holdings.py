"""What hangs in collections, as somebody sees it: the index, SQL and plain counting say the same."""

import pytest

from medtheca.domains.access.enums import Role, Visibility
from medtheca.domains.access.models import Placement
from medtheca.domains.access.operations import add_member, set_visibility, withdraw_image
from medtheca.domains.access.queries import may_see, viewer_of
from medtheca.domains.provenance.models import Accession
from medtheca.domains.search import holdings
from medtheca.domains.search.holdings import Holding, Sizes, holdings_of, sizes_of
from medtheca.domains.search.index.asking import asking
from medtheca.domains.search.index.holding import HOLDER
from medtheca.domains.search.index.snapshots import one_snapshot
from medtheca.toolkit.querylang import Everything
from tests.factories.accounts import make_user
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.plugins.server import fresh_database, speaking_to


@pytest.fixture
def world(django_db_setup, django_db_blocker):
    """Alice's images and Bob's, some private, one withdrawn, one that names nobody; in three collections of Sam's."""
    HOLDER.forget()
    with fresh_database() as (name, _), speaking_to(name), django_db_blocker.unblock():
        alice, bob, sam = make_user("alice"), make_user("bob"), make_user("sam")
        hers = make_cohort(alice, attribution="Clinic of Alice")
        his = make_cohort(bob, name="Other", attribution="Clinic of Bob")
        add_member(scope=his.scope, user=alice, role=Role.VIEWER)
        images = make_images(hers, 5, visibility="public") + make_images(his, 4, visibility="public")
        Accession.objects.filter(image=images[0]).update(attribution="")
        set_visibility(image_ids=[images[1].pk, images[8].pk], visibility=Visibility.PRIVATE)
        made = [
            make_collection(sam, images, name="All"),
            make_collection(sam, images[3:6], name="Some"),
            make_collection(sam, [images[1]], name="Private"),
        ]
        withdraw_image(image=images[7], user=sam, reason="Blurred.")
        yield [row.listing_id for row in made], {"alice": alice, "bob": bob, "sam": sam, "nobody": None}
    HOLDER.forget()


def counted(scopes, asker):
    """By asking of each image whether it is seen."""
    found, images = {}, set()
    for scope in scopes:
        hanging = Placement.objects.filter(scope=scope).values_list("image", flat=True)
        seen = {pk for pk in hanging if may_see(viewer_of(asker), pk)}
        names = Accession.objects.filter(image__in=seen).values_list("attribution", flat=True)
        found[scope] = Holding(len(seen), frozenset(names))
        images |= seen
    return found, Sizes(sum(holding.number for holding in found.values()), len(images))


@pytest.mark.parametrize("who", ["nobody", "alice", "bob", "sam"])
def test_index_and_sql_say_what_counting_says(world, who, monkeypatch):
    scopes, people = world
    asker = people[who]
    scopes = [*scopes, 10**9]  # and one that there is not
    expected, sizes = counted(scopes, asker)
    with one_snapshot(), asking(Everything(), asker=asker) as answer:
        assert answer is not None, "the index does not answer, so it is not what is tried"
    assert (holdings_of(scopes, asker=asker), sizes_of(scopes, asker=asker)) == (expected, sizes)
    # An index without a beginning gives way to SQL, as while it is being made.
    monkeypatch.setattr(HOLDER, "_first", lambda _snapshot: None)
    with one_snapshot(), asking(Everything(), asker=asker) as answer:
        assert answer is None
    assert (holdings_of(scopes, asker=asker), sizes_of(scopes, asker=asker)) == (expected, sizes)
    assert sizes.images < sizes.memberships


def test_without_scopes_there_is_nothing(db):
    assert holdings.holdings_of([], asker=None) == {}
    assert holdings.sizes_of([], asker=None) == Sizes(0, 0)
