"""How codes and tokens are given, for oauthlib and django-oauth-toolkit.

Stricter than both: nothing that opens a door is stored in clear, PKCE by S256 for everybody, a code or a refresh token
that comes twice ends all that came of it (RFC 9700 sections 2 and 4). Each request for tokens, or for their end, is one
transaction: rows are locked from the look until the answer.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare
from oauth2_provider.models import AccessToken, Grant, RefreshToken
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib import openid
from oauthlib.oauth2.rfc6749 import errors

from medtheca.base.clock import now
from medtheca.domains.accounts.applications import ISIC_CLI, default_scopes, isic_cli
from medtheca.domains.accounts.bearers import live_access_tokens, new_access_token, new_refresh_token
from medtheca.domains.accounts.claims import CLAIMS
from medtheca.domains.accounts.connections import end_family
from medtheca.domains.accounts.queries import digest_of_secret
from medtheca.domains.accounts.scopes import SCOPES
from medtheca.toolkit.redirect_uris import OUT_OF_BAND

CODE_LIFE = timedelta(minutes=1)
# A person carries the code from a page to a terminal.
CARRIED_CODE_LIFE = timedelta(minutes=5)
ACCESS_LIFE = timedelta(hours=1)
# isic-cli looks at the expiry when it starts, and a download takes hours.
ISIC_ACCESS_LIFE = timedelta(days=1)
REFRESH_LIFE = timedelta(days=30)
# For a client whose answer got lost on the way, or that asks twice at once.
REFRESH_GRACE = timedelta(seconds=10)
_OLD_ACCESS_LIFE = timedelta(minutes=1)


class Validator(OAuth2Validator):  # type: ignore[misc]  # django-oauth-toolkit ships no types
    """What oauthlib asks about clients, codes and tokens."""

    oidc_claim_scope = {"sub": "openid"} | {name: scope for name, (scope, _) in CLAIMS.items()}

    # -- clients ----------------------------------------------------------------------------------------

    def _load_application(self, client_id: Any, request: Any) -> Any:
        if client_id == ISIC_CLI:
            isic_cli()
        return super()._load_application(client_id, request)

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        return bool(stored_secret) and constant_time_compare(digest_of_secret(provided_secret), stored_secret)

    def validate_scopes(self, client_id: str, scopes: list[str], client: Any, request: Any, *_: Any, **__: Any) -> bool:
        return set(scopes) <= SCOPES.keys()

    def get_default_scopes(self, client_id: str, request: Any, *_: Any, **__: Any) -> list[str]:
        return default_scopes(request.client)

    def get_default_redirect_uri(self, client_id: str, request: Any, *_: Any, **__: Any) -> str:
        if request.client.client_id != ISIC_CLI:
            raise errors.MissingRedirectURIError(request=request)
        return OUT_OF_BAND

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        return True

    # -- codes ------------------------------------------------------------------------------------------

    def _create_authorization_code(self, request: Any, code: dict[str, Any], expires: Any = None) -> Any:
        # Audiences of tokens (RFC 8707) are not offered: there is one, this archive.
        request.resource = []
        life = CARRIED_CODE_LIFE if request.redirect_uri == OUT_OF_BAND else CODE_LIFE
        stored = {**code, "code": digest_of_secret(code["code"])}
        return super()._create_authorization_code(request, stored, now() + life)

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *_: Any, **__: Any) -> bool:
        # Locked, so that of two who come at once one comes second.
        grants = Grant.objects.select_for_update(of=("self",)).filter(code=digest_of_secret(code))
        grant = grants.select_related("user").first()
        if grant is None:
            end_family(family=_family_of(code), application=client, because="a code came twice")
            return False
        return grant.user.is_active and bool(super().validate_code(client_id, digest_of_secret(code), client, request))

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Any, *_: Any, **__: Any
    ) -> bool:
        return bool(super().confirm_redirect_uri(client_id, digest_of_secret(code), redirect_uri, client))

    def get_code_challenge(self, code: str, request: Any) -> Any:
        return super().get_code_challenge(digest_of_secret(code), request)

    def get_code_challenge_method(self, code: str, request: Any) -> Any:
        return super().get_code_challenge_method(digest_of_secret(code), request)

    def get_authorization_code_scopes(self, client_id: str, code: str, redirect_uri: str, request: Any) -> Any:
        return super().get_authorization_code_scopes(client_id, digest_of_secret(code), redirect_uri, request)

    def get_authorization_code_nonce(self, client_id: str, code: str, redirect_uri: str, request: Any) -> Any:
        return super().get_authorization_code_nonce(client_id, digest_of_secret(code), redirect_uri, request)

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *_: Any, **__: Any) -> None:
        super().invalidate_authorization_code(client_id, digest_of_secret(code), request)

    # -- tokens -----------------------------------------------------------------------------------------

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *_: Any, **__: Any) -> bool:
        tokens = RefreshToken.objects.select_for_update(of=("self",)).filter(
            token_checksum=digest_of_secret(refresh_token), application=client
        )
        token = tokens.select_related("user", "access_token").order_by(F("revoked").desc(nulls_first=True)).first()
        if token is None or not token.user.is_active:
            return False
        # A token that was replaced keeps its access token; one that was taken away lost it.
        if token.revoked is not None and (token.access_token is None or token.revoked <= now() - REFRESH_GRACE):
            end_family(family=token.token_family, application=client, because="a refresh token came twice")
            return False
        if token.access_token is None or token.access_token.expires + REFRESH_LIFE <= now():
            return False
        request.user, request.refresh_token, request.refresh_token_instance = token.user, refresh_token, token
        return True

    def get_original_scopes(self, refresh_token: str, request: Any, *_: Any, **__: Any) -> str:
        return str(request.refresh_token_instance.access_token.scope)

    def _save_bearer_token(self, token: dict[str, Any], request: Any, *_: Any, **__: Any) -> None:
        request.resource = []
        expires = now() + timedelta(seconds=token["expires_in"])
        if request.grant_type == "client_credentials":
            request.user = None
        previous = getattr(request, "refresh_token_instance", None)
        source = None
        if previous is not None and previous.revoked is None:
            _replace(previous)
            source = previous
        access = self._create_access_token(expires, request, token, source_refresh_token=source)
        if secret := token.get("refresh_token"):
            fresh = RefreshToken(
                user=request.user,
                application=request.client,
                access_token=access,
                token_family=previous.token_family if previous is not None else _family_of(request.code),
                resource=[],
            )
            self._set_token_value(fresh, secret)
            fresh.save()

    def revoke_token(self, token: str, token_type_hint: str, request: Any, *_: Any, **__: Any) -> None:
        # Whichever of a pair it is, all that came of the authorization ends (RFC 7009 section 2.1).
        digest, client = digest_of_secret(token), request.client
        if client is None:
            return
        families = RefreshToken.objects.filter(token_checksum=digest, application=client)
        families |= RefreshToken.objects.filter(access_token__token_checksum=digest, application=client)
        for family in set(families.values_list("token_family", flat=True)):
            RefreshToken.revoke_family(family)
        AccessToken.objects.filter(token_checksum=digest, application=client).delete()

    def _load_access_token(self, token: str) -> Any:
        return live_access_tokens(token).select_related("application", "user").first()

    # -- OpenID Connect ---------------------------------------------------------------------------------

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        return {name: read(request.user) for name, (_, read) in CLAIMS.items()}

    def validate_silent_login(self, request: Any) -> bool:
        # Who is logged in only the page knows, which has looked before it asks here.
        return True

    def validate_silent_authorization(self, request: Any) -> bool:
        return True


class Server(openid.Server):  # type: ignore[misc]  # oauthlib ships no types
    """oauthlib's server with the flows that RFC 9700 leaves: codes, refresh tokens, and programs for themselves."""

    def __init__(self, request_validator: Any, **_: Any) -> None:
        super().__init__(
            request_validator,
            token_expires_in=_life_of,
            token_generator=new_access_token,
            refresh_token_generator=new_refresh_token,
        )
        self._response_types = {"code": self.auth_grant_choice}
        kept = ("authorization_code", "refresh_token", "client_credentials")
        given: dict[str, Any] = self.grant_types
        self._grant_types = {name: given[name] for name in kept}
        for grant in (self.auth_grant, self.openid_connect_auth.proxy_target):
            grant._code_challenge_methods = {"S256": grant._code_challenge_methods["S256"]}  # noqa: SLF001 - else "plain" too

    def create_token_response(self, *given: Any, **named: Any) -> Any:
        # A refusal is an answer, too: what it ended stays ended.
        with transaction.atomic():
            return super().create_token_response(*given, **named)

    def create_revocation_response(self, *given: Any, **named: Any) -> Any:
        with transaction.atomic():
            return super().create_revocation_response(*given, **named)


def _life_of(request: Any) -> int:
    life = ISIC_ACCESS_LIFE if request.client.client_id == ISIC_CLI else ACCESS_LIFE
    return int(life.total_seconds())


def _family_of(code: str) -> UUID:
    """Under what the tokens of a code are found again, should the code come twice. It does not tell the code."""
    return UUID(bytes=hashlib.sha256(b"medtheca.family:" + code.encode()).digest()[:16])


def _replace(token: RefreshToken) -> None:
    """Mark a refresh token as replaced. What is under way with its access token gets a minute."""
    token.revoked = now()
    token.save(update_fields=["revoked", "updated"])
    access = token.access_token
    access.expires = min(access.expires, now() + _OLD_ACCESS_LIFE)
    access.save(update_fields=["expires", "updated"])
