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
        "affiliation",
        "orcid",
        "country",
        "accepted_version",
    }
    assert (body["email"], body["full_name"]) == ("alice@example.org", "Alice Example")
    assert body["created"].endswith("Z")


def test_nobody_is_unauthorized_in_the_words_of_isic():
    answer = nobody().get("users/me/")
    assert (answer.status_code, answer.body["detail"]) == (401, "Unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_stale_token_of_isic_cli_is_404_at_users_me_and_nobodys_elsewhere():
    """It logs out by itself then, and keeps sending the token all the same."""
    alice = make_user("alice")
    caller = by_revoked_token(alice, agent=CLI)
    assert caller.get("users/me/").status_code == 404
    assert caller.get("images/").body == nobody(agent=CLI).get("images/").body
    assert caller.get("uploads/").status_code == 401
    other = by_revoked_token(alice, agent="Mozilla/5.0")
    assert (other.get("users/me/").status_code, other.get("images/").status_code) == (401, 401)


def test_isic_cli_without_a_login_is_told_that_there_is_no_such_cohort():
    answer = nobody(agent=CLI).get("cohorts/1/")
    assert (answer.status_code, answer.body["detail"]) == (404, "Not Found")


def test_terms_are_accepted_once():
    alice = make_user("alice", asked=False)
    caller = by_session(alice)
    assert caller.get("users/terms/").body["accepted"] is False
    assert caller.ask("PUT", "users/accept-terms/", {}).body == {}
    first = User.objects.get(pk=alice.pk).accepted_terms
    caller.ask("PUT", "users/accept-terms/", {})
    assert User.objects.get(pk=alice.pk).accepted_terms == first
    assert caller.get("users/me/").body["accepted_terms"] is not None


def test_terms_are_told_to_everybody():
    body = nobody().get("users/terms/").body
    assert (body["version"], body["accepted"]) == ("1", None)
    assert "Do not try to find out who a person in an image is" in body["text"]


def test_alice_changes_some_of_her_profile():
    caller = by_session(make_user("alice"))
    body = caller.ask(
        "PATCH", "users/me/", {"orcid": "https://orcid.org/0000-0002-1825-0097", "country": "switzerland"}
    ).body
    assert (body["orcid"], body["country"], body["last_name"]) == ("0000-0002-1825-0097", "CH", "Example")
    refused = caller.ask("PATCH", "users/me/", {"orcid": "0000-0002-1825-0098", "country": "Swizerland"})
    assert refused.status_code == 400
    assert {error["field"] for error in refused.body["errors"]} == {"orcid", "country"}
    assert "Did you mean 'Switzerland'" in refused.body["errors"][1]["remedy"]


def test_tokens_are_made_and_revoked_by_who_logged_in_and_never_by_a_token():
    alice = make_user("alice")
    caller = by_session(alice)
    made = caller.ask("POST", "users/me/tokens/", {"name": "notebook", "scope": "write"}).body
    assert made["secret"].startswith("mt_")
    assert [row["name"] for row in caller.get("users/me/tokens/").body["results"]] == ["notebook"]
    assert "secret" not in caller.get("users/me/tokens/").body["results"][0]
    stolen = by_token(alice, "write")
    assert stolen.get("users/me/tokens/").status_code == 403
    assert stolen.ask("POST", "users/me/tokens/", {"name": "another"}).status_code == 403
    assert stolen.ask("DELETE", f"users/me/tokens/{made['id']}/", {}).status_code == 403
    assert by_session(make_user("bob")).ask("DELETE", f"users/me/tokens/{made['id']}/", {}).status_code == 404
    assert caller.ask("DELETE", f"users/me/tokens/{made['id']}/", {}).body["state"] == "revoked"
