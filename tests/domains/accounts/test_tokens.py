import hashlib
import json
import logging
from datetime import datetime, timedelta

import pytest
from django.core import serializers

from medtheca.base.clock import now
from medtheca.domains.accounts import operations
from medtheca.domains.accounts.enums import TokenScope, TokenState
from medtheca.domains.accounts.errors import BadToken, TooManyTokens, UnknownToken
from medtheca.domains.accounts.models import ApiToken
from medtheca.domains.accounts.operations import create_token, revoke_token, set_active, use_token
from medtheca.domains.accounts.queries import token_state, tokens_of, user_of_token
from medtheca.domains.ledger.models import Event
from tests.factories.accounts import make_token, make_user

pytestmark = pytest.mark.django_db


def test_a_token_names_its_user_and_scope():
    alice = make_user("alice")
    token, secret = make_token(alice, "write")
    assert user_of_token(secret) == (alice, TokenScope.WRITE)
    assert secret.startswith("mt_")
    assert len(secret) >= 43
    assert secret.startswith(token.hint)
    assert token_state(token) == TokenState.ACTIVE


def test_the_secret_is_nowhere_at_rest_nor_in_the_ledger_nor_in_logs(caplog):
    caplog.set_level(logging.DEBUG)
    token, secret = make_token(make_user("alice"))
    use_token(secret=secret)
    revoke_token(user=token.user, token_id=token.pk)
    stored = serializers.serialize("json", ApiToken.objects.all())
    assert hashlib.sha256(secret.encode()).hexdigest() in stored
    events = json.dumps(list(Event.objects.values("verb", "subject_id", "details")))
    assert {"token.created", "token.revoked"} <= set(Event.objects.values_list("verb", flat=True))
    beyond_hint = secret[len(token.hint) : len(token.hint) + 12]
    for text in (stored, events, caplog.text):
        assert beyond_hint not in text


def test_guesses_open_nothing():
    _, secret = make_token(make_user("alice"))
    flipped = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for guess in ("", "mt_", flipped, secret.upper(), secret + "x", " " + secret, "mt_" + "é" * 43, secret[3:]):
        assert user_of_token(guess) is None


def test_an_expired_token_opens_nothing():
    token, secret = make_token(make_user("alice"))
    ApiToken.objects.filter(pk=token.pk).update(expires=now() - timedelta(seconds=1))
    assert user_of_token(secret) is None
    token.refresh_from_db()
    assert token_state(token) == TokenState.EXPIRED


def test_a_token_without_expiry_lives():
    _, secret = create_token(user=make_user("alice"), name="robot", scope="read", expires=None)
    assert user_of_token(secret) is not None


def test_a_revoked_token_opens_nothing_and_revoking_again_changes_nothing():
    alice = make_user("alice")
    token, secret = make_token(alice)
    first = revoke_token(user=alice, token_id=token.pk).revoked
    assert user_of_token(secret) is None
    assert revoke_token(user=alice, token_id=token.pk).revoked == first
    assert Event.objects.filter(verb="token.revoked").count() == 1


def test_charlie_and_even_sam_cannot_revoke_alices_token():
    alice, charlie, sam = make_user("alice"), make_user("charlie"), make_user("sam")
    token, secret = make_token(alice)
    for other in (charlie, sam):
        with pytest.raises(UnknownToken):
            revoke_token(user=other, token_id=token.pk)
        assert not tokens_of(other).exists()
    assert user_of_token(secret) is not None


def test_a_disabled_users_tokens_open_nothing_until_enabled_again():
    alice = make_user("alice")
    _, secret = make_token(alice)
    set_active(user=alice, active=False)
    assert user_of_token(secret) is None
    set_active(user=alice, active=True)
    assert user_of_token(secret) is not None


def test_wrong_tokens_are_refused_with_every_field():
    alice = make_user("alice")
    with pytest.raises(BadToken) as refusal:
        create_token(user=alice, name=" ", scope="admin", expires=now() - timedelta(days=1))
    assert [problem.field for problem in refusal.value.problems] == ["name", "scope", "expires"]
    for expires in (now() + timedelta(days=732), datetime(2099, 1, 1)):  # noqa: DTZ001 - a time without zone is the case
        with pytest.raises(BadToken):
            create_token(user=alice, name="robot", scope="read", expires=expires)
    assert not tokens_of(alice).exists()


def test_live_tokens_are_limited_and_revoked_ones_do_not_count(monkeypatch):
    monkeypatch.setattr(operations, "MAX_LIVE_TOKENS", 3)
    alice, bob = make_user("alice"), make_user("bob")
    tokens = [make_token(alice)[0] for _ in range(3)]
    with pytest.raises(TooManyTokens):
        make_token(alice)
    make_token(bob)
    revoke_token(user=alice, token_id=tokens[0].pk)
    make_token(alice)


def test_use_is_noted_at_most_once_a_minute(django_assert_num_queries):
    token, secret = make_token(make_user("alice"))
    with django_assert_num_queries(2):
        use_token(secret=secret)
    token.refresh_from_db()
    first = token.last_used
    assert first is not None
    with django_assert_num_queries(1):
        use_token(secret=secret)
    ApiToken.objects.filter(pk=token.pk).update(last_used=first - timedelta(seconds=61))
    use_token(secret=secret)
    token.refresh_from_db()
    assert token.last_used > first
