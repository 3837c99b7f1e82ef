"""What applications call: tokens, their end, what they are worth, who the person is, and how all of it is found."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.utils import jwk_from_pem
from oauthlib.common import Request as OauthRequest

from medtheca.domains.accounts.authorizing import Validator
from medtheca.domains.accounts.bearers import describe_token
from medtheca.domains.accounts.claims import CLAIMS, claims_of
from medtheca.domains.accounts.scopes import SCOPES
from medtheca.interfaces.http.authentication import identify_user
from medtheca.interfaces.http.cross_origin import allow_origins, preflight
from medtheca.interfaces.http.refusals import InvalidAccessToken, Refused, refusal_response

_View = Callable[[HttpRequest], HttpResponse]
_METHODS = ["client_secret_basic", "client_secret_post"]


def _endpoint(*methods: str) -> Callable[[_View], _View]:
    """A view for programs of any origin: no cookies, no CSRF, nothing stored."""

    def wrap(view: _View) -> _View:
        @csrf_exempt
        @functools.wraps(view)
        def answer(request: HttpRequest) -> HttpResponse:
            if request.method == "OPTIONS":
                response = preflight()
            elif request.method not in methods:
                response = HttpResponse(status=405, headers={"Allow": ", ".join([*methods, "OPTIONS"])})
            elif _holds_nul(request):
                # PostgreSQL has no text with this character.
                response = _error(400, "invalid_request", "A parameter holds the character NUL.")
            else:
                response = view(request)
            response.headers.setdefault("Cache-Control", "no-store")
            allow_origins(request, response)
            return response

        return answer

    return wrap


@_endpoint("POST")
@sensitive_post_parameters()
def token(request: HttpRequest) -> HttpResponse:
    """Tokens for a code, for a refresh token, or for a program by itself (RFC 6749)."""
    _, headers, body, status = OAuthLibCore().create_token_response(request)
    return HttpResponse(body, status=status, headers=headers)


@_endpoint("POST")
@sensitive_post_parameters()
def revoke_token(request: HttpRequest) -> HttpResponse:
    """End a token, and with it all that came of the same authorization (RFC 7009)."""
    _, headers, body, status = OAuthLibCore().create_revocation_response(request)
    return HttpResponse(body or "", status=status, headers=headers)


@_endpoint("POST")
@sensitive_post_parameters()
def introspect(request: HttpRequest) -> HttpResponse:
    """What a token of the application's own is worth; of any other only that it is not active (RFC 7662)."""
    asked = OauthRequest(request.path, "POST", request.POST.dict(), OAuthLibCore().extract_headers(request))
    if not Validator().authenticate_client(asked):
        response = _error(401, "invalid_client", "Only applications with a secret may ask, with that secret.")
        response.headers["WWW-Authenticate"] = 'Basic realm="oauth"'
        return response
    secret = request.POST.get("token", "")
    if not secret:
        return _error(400, "invalid_request", "The parameter token is missing.")
    return JsonResponse(describe_token(application=asked.client, secret=secret))


@_endpoint("GET", "POST")
def userinfo(request: HttpRequest) -> HttpResponse:
    """Who the person is for whom the application acts (OpenID Connect Core, section 5.3)."""
    try:
        caller = identify_user(request)
        if caller.scopes is None or caller.user is None:
            raise InvalidAccessToken
    except Refused as refusal:
        return refusal_response(refusal)
    return JsonResponse(claims_of(caller.user, caller.scopes))


@_endpoint("GET", "HEAD")
def metadata(request: HttpRequest) -> HttpResponse:
    """How everything is found: OpenID Connect Discovery and RFC 8414 in one."""
    issuer = settings.OAUTH2_PROVIDER["OIDC_ISS_ENDPOINT"]
    body: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": _address("authorize"),
        "token_endpoint": _address("token"),
        "revocation_endpoint": _address("revoke-token"),
        "introspection_endpoint": _address("introspect"),
        "userinfo_endpoint": _address("user-info"),
        "jwks_uri": _address("jwks-info"),
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*_METHODS, "none"],
        "revocation_endpoint_auth_methods_supported": [*_METHODS, "none"],
        "introspection_endpoint_auth_methods_supported": _METHODS,
        "authorization_response_iss_parameter_supported": True,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", *CLAIMS],
        "prompt_values_supported": ["none", "login", "consent"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "service_documentation": f"{settings.PUBLIC_URL}/api/docs/",
    }
    return JsonResponse(body, headers={"Cache-Control": "public, max-age=300"})


@_endpoint("GET", "HEAD")
def keys(request: HttpRequest) -> HttpResponse:
    """The public keys that sign id tokens, or did (RFC 7517)."""
    own: dict[str, Any] = settings.OAUTH2_PROVIDER
    found = []
    for pem in (own["OIDC_RSA_PRIVATE_KEY"], *own["OIDC_RSA_PRIVATE_KEYS_INACTIVE"]):
        key = jwk_from_pem(pem)
        found.append({"alg": "RS256", "use": "sig", "kid": key.thumbprint(), **json.loads(key.export_public())})
    return JsonResponse({"keys": found}, headers={"Cache-Control": "public, max-age=300"})


def _address(name: str) -> str:
    return settings.PUBLIC_URL + reverse(f"oauth:{name}")


def _holds_nul(request: HttpRequest) -> bool:
    return any("\0" in value for parts in (request.GET, request.POST) for _, all_ in parts.lists() for value in all_)


def _error(status: int, code: str, words: str) -> HttpResponse:
    return JsonResponse({"error": code, "error_description": words}, status=status)
