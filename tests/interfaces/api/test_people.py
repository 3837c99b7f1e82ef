import pytest

from medtheca.domains.accounts.models import User
from tests.factories.accounts import make_user
from tests.interfaces.api.world import by_revoked_token, by_session, by_token, nobody

pytestmark = pytest.mark.django_db
CLI = "isic-cli/12.4.0"


def test_the_caller_is_told_who_they_are():
    alice = make_user("alice")
    body = by_token(alice).get("users/me/").body
    assert set(body) == {
        "id",
        "email",
        "first_name",
        "last_name",
        "created",
        "accepted_terms",
        "hash_id",
        "full_name",
        "is_staff",
    }
    assert (body["email"], body["full_name"]) == ("alice@example.org", "Alice Example")
    assert body["created"].endswith("Z")


def test_nobody_is_unauthorized_in_the_words_of_isic():
    answer = nobody().get("users/me/")
    assert (answer.status_code, answer.body["detail"]) == (401, "Unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_stale_token_of_isic_cli_is_404_at_users_me_and_only_there():
    alice = make_user("alice")
    caller = by_revoked_token(alice, agent=CLI)
    assert caller.get("users/me/").status_code == 404
    assert caller.get("images/").status_code == 401
    assert by_revoked_token(alice, agent="Mozilla/5.0").get("users/me/").status_code == 401


def test_isic_cli_without_a_login_is_told_that_there_is_no_such_cohort():
    answer = nobody(agent=CLI).get("cohorts/1/")
    assert (answer.status_code, answer.body["detail"]) == (404, "Not Found")


def test_terms_are_accepted_once():
    alice = make_user("alice")
    caller = by_session(alice)
    assert caller.ask("PUT", "users/accept-terms/", {}).body == {}
    first = User.objects.get(pk=alice.pk).accepted_terms
    caller.ask("PUT", "users/accept-terms/", {})
    assert User.objects.get(pk=alice.pk).accepted_terms == first
    assert caller.get("users/me/").body["accepted_terms"] is not None
