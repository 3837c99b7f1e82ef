"""Saved searches: a person's own, under names, up to a number, and gone with the account."""

import pytest

from medtheca.base.errors import Invalid, NotAllowed, NotFound
from medtheca.domains.accounts.models import User
from medtheca.domains.search.errors import SearchNameTaken, TooManySaved
from medtheca.domains.search.models import SavedSearch
from medtheca.domains.search.operations import (
    MOST_SAVED,
    change_saved_search,
    delete_saved_search,
    save_search,
)
from medtheca.domains.search.query_text import BadQuery
from medtheca.domains.search.saved import fault_of, saved_search_for, saved_searches_of
from medtheca.toolkit.querylang import LONGEST_QUERY
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


def test_what_is_saved_is_found_by_name_and_by_its_person_alone(alice):
    bob = make_user("bob")
    second = save_search(user=alice, name=" nevi ", query="diagnosis:Nevus", oldest_first=True)
    first = save_search(user=alice, name="Melanomas", query="melanoma")
    his = save_search(user=bob, name="nevi", query="nevus")
    assert saved_searches_of(alice) == [first, second]
    assert (second.name, second.query, second.oldest_first) == ("nevi", "diagnosis:Nevus", True)
    assert saved_searches_of(bob) == [his]
    for person in (alice, make_user("sam")):
        with pytest.raises(NotFound):
            saved_search_for(person, his.pk)


def test_a_name_is_there_once_in_any_case(alice):
    save_search(user=alice, name="Nevi", query="nevus")
    other = save_search(user=alice, name="Others", query="melanoma")
    with pytest.raises(SearchNameTaken):
        save_search(user=alice, name="NEVI", query="sex:male")
    with pytest.raises(SearchNameTaken):
        change_saved_search(saved=other, name="nevi")
    assert change_saved_search(saved=other, name="OTHERS").name == "OTHERS"


@pytest.mark.parametrize(
    ("name", "query", "refusal"),
    [
        ("", "nevus", Invalid),
        ("x" * 101, "nevus", Invalid),
        ("two\nlines", "nevus", Invalid),
        ("Nothing", "  ", Invalid),
        ("Long", "x" * (LONGEST_QUERY + 1), Invalid),
        ("None", "sexx:male", BadQuery),
        ("Nul", "a\0b", Invalid),
    ],
)
def test_what_cannot_be_kept_is_refused(alice, name, query, refusal):
    with pytest.raises(refusal):
        save_search(user=alice, name=name, query=query)
    assert saved_searches_of(alice) == []


def test_there_is_a_most_for_each_person(alice):
    SavedSearch.objects.bulk_create(SavedSearch(user=alice, name=f"s{at}", query="nevus") for at in range(MOST_SAVED))
    with pytest.raises(TooManySaved):
        save_search(user=alice, name="One more", query="nevus")
    save_search(user=make_user("bob"), name="One", query="nevus")
    delete_saved_search(saved_searches_of(alice)[0])
    save_search(user=alice, name="One more", query="nevus")


def test_a_query_that_cannot_be_read_any_more_stays_and_says_why(alice):
    kept = save_search(user=alice, name="Old", query="sex:male")
    assert fault_of(kept) is None
    SavedSearch.objects.filter(pk=kept.pk).update(query="gone_field:male")
    kept.refresh_from_db()
    assert "gone_field" in fault_of(kept).message
    renamed = change_saved_search(saved=kept, name="Older")
    assert (renamed.name, renamed.query) == ("Older", "gone_field:male")
    assert fault_of(change_saved_search(saved=kept, query="sex:female")) is None


def test_what_was_deleted_meanwhile_is_not_renamed(alice):
    kept = save_search(user=alice, name="Old", query="sex:male")
    delete_saved_search(saved_search_for(alice, kept.pk))
    delete_saved_search(kept)
    with pytest.raises(NotFound):
        change_saved_search(saved=kept, name="New")


def test_an_account_that_was_deleted_meanwhile_keeps_no_search(alice):
    """The request began when it could still log in."""
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(NotAllowed):
        save_search(user=alice, name="Late", query="sex:male")
    assert not SavedSearch.objects.exists()
