"""Saved searches through the API."""

import pytest

from medtheca.domains.search.models import SavedSearch
from tests.factories.accounts import make_user
from tests.interfaces.api.world import by_token, nobody

pytestmark = pytest.mark.django_db

NEVI = {"name": "Nevi", "query": "diagnosis:Nevus sex:(male OR female)"}


def test_one_is_kept_shown_changed_and_forgotten():
    alice = by_token(make_user("alice"), "write")
    made = alice.post("saved-searches/", NEVI)
    assert made.status_code == 201, made.content
    assert {key: made.body[key] for key in ("name", "query", "sort", "error")} == NEVI | {"sort": "newest", "error": ""}
    assert made.body["url"].endswith("/gallery/?q=diagnosis%3ANevus+sex%3A%28male+OR+female%29")
    one = f"saved-searches/{made.body['id']}/"
    assert alice.get("saved-searches/").body == [made.body]
    assert alice.get(one).body == made.body
    changed = alice.ask("PATCH", one, {"sort": "oldest", "name": "All nevi"}).body
    assert (changed["name"], changed["query"], changed["sort"]) == ("All nevi", NEVI["query"], "oldest")
    assert changed["url"].endswith("&sort=oldest")
    bob = by_token(make_user("bob"), "write")
    assert bob.get("saved-searches/").body == []
    assert [bob.ask(verb, one).status_code for verb in ("GET", "DELETE")] == [404, 404]
    assert alice.ask("DELETE", one).status_code == 204
    assert alice.get("saved-searches/").body == []
    assert nobody().get("saved-searches/").status_code == 401


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"name": "nevi", "query": "nevus"}, 409, "name_taken"),
        ({"name": "Other", "query": "sexx:male"}, 400, "bad_query"),
        ({"name": "Other", "query": ""}, 400, "invalid"),
        ({"name": "", "query": "nevus"}, 400, "invalid"),
        ({"name": "Other", "query": "nevus", "sort": "best"}, 422, ""),
        ({"name": "Other", "query": "nevus", "who": "me"}, 422, ""),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_reason(given, status, code):
    alice = by_token(make_user("alice"), "write")
    alice.post("saved-searches/", NEVI)
    answer = alice.post("saved-searches/", given)
    assert (answer.status_code, answer.body["code"] if code else "") == (status, code), answer.content


def test_a_query_that_cannot_be_read_any_more_is_shown_with_its_error():
    user = make_user("alice")
    kept = SavedSearch.objects.create(user=user, name="Old", query="gone_field:male")
    [shown] = by_token(user).get("saved-searches/").body
    assert (shown["id"], shown["query"]) == (kept.pk, "gone_field:male")
    assert shown["error"].startswith("Column 1: ")
