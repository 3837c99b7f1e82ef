"""Where an application sends people who are to let it act for them.

Only what oauthlib has found good is ever an address to go back to. What may not go back is told on a page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2.rfc6749 import errors

from medtheca.domains.accounts.applications import ISIC_CLI
from medtheca.domains.accounts.connections import allow, is_allowed
from medtheca.domains.accounts.scopes import words_of
from medtheca.interfaces.http.middleware import content_policy
from medtheca.interfaces.http.request_ids import note_refusal
from medtheca.toolkit.redirect_uris import OUT_OF_BAND, host_of, is_of_this_machine

# What S256 makes of a verifier is 32 bytes in base64url.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_LONGEST_NONCE = 255


@dataclass(frozen=True, slots=True)
class Wish:
    """What an application asks for, found good; `uri` is the request with its parameters and nothing else."""

    uri: str
    scopes: list[str]
    credentials: dict[str, Any]
    application: Any
    prompt: frozenset[str]

    @property
    def redirect_uri(self) -> str:
        """Where the person goes afterwards, or `OUT_OF_BAND`."""
        return str(self.credentials["redirect_uri"])

    @property
    def proves_itself(self) -> bool:
        """Whether nobody else can stand at the address to which the code goes (RFC 8252 section 8.6)."""
        return not is_of_this_machine(self.redirect_uri)


@never_cache
@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """Ask the person, unless they allowed the same before, and send them back with a code."""
    try:
        wish = _read(request)
    except errors.FatalClientError as error:
        return _refuse(request, error)
    except errors.OAuth2Error as error:
        # Nobody is led away from here by a bare link: first they log in (RFC 9700 section 4.11.2).
        return _go_back_refused(request, error) if request.user.is_authenticated else _log_in(request)
    if not request.user.is_authenticated or "login" in wish.prompt:
        return _ask_to_log_in(request, wish)
    return _decide(request, wish) if request.method == "POST" else _consider(request, wish)


def _ask_to_log_in(request: HttpRequest, wish: Wish) -> HttpResponse:
    if "none" in wish.prompt:
        return _go_back_refused(request, _error("login_required", wish))
    if request.user.is_authenticated:
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': _without_prompt(request)})}")
    return _log_in(request)


def _consider(request: HttpRequest, wish: Wish) -> HttpResponse:
    assert request.user.is_authenticated
    allowed = is_allowed(user=request.user, application=wish.application, scopes=wish.scopes)
    if allowed and wish.proves_itself and "consent" not in wish.prompt:
        return _grant(request, wish)
    if "none" in wish.prompt:
        return _go_back_refused(request, _error("consent_required", wish))
    return _ask(request, wish)


def _read(request: HttpRequest) -> Wish:
    """What is asked for. Raises errors of oauthlib; those that may be told to the application know where it is."""
    # Written anew, because oauthlib refuses characters that browsers send.
    uri = f"{request.path}?{urlencode([(name, value) for name, values in request.GET.lists() for value in values])}"
    scopes, credentials = OAuthLibCore().server.validate_authorization_request(uri, http_method="GET")
    found = credentials.pop("request")
    problem = ""
    if _CHALLENGE.fullmatch(credentials["code_challenge"]) is None:
        problem = "code_challenge is not the base64url form of a SHA-256."
    if len(request.GET.get("nonce", "")) > _LONGEST_NONCE:
        problem = f"nonce has more than {_LONGEST_NONCE} characters."
    if problem:
        raise errors.InvalidRequestError(description=problem, request=found)
    prompt = frozenset(request.GET.get("prompt", "").split())
    return Wish(uri, scopes, credentials, found.client, prompt)


def _ask(request: HttpRequest, wish: Wish) -> HttpResponse:
    at_this_machine = not wish.proves_itself
    context = {
        "application": wish.application,
        "is_isic_cli": wish.application.client_id == ISIC_CLI,
        "scopes": words_of(wish.scopes),
        "host": "" if wish.redirect_uri == OUT_OF_BAND else host_of(wish.redirect_uri),
        "at_this_machine": at_this_machine,
    }
    response = render(request, "pages/oauth_consent.html", context)
    # Browsers hold forms to this also where the answer leads on.
    response.headers["Content-Security-Policy"] = content_policy(form_action=_form_action(wish.redirect_uri))
    return response


def _decide(request: HttpRequest, wish: Wish) -> HttpResponse:
    if request.POST.get("decision") != "allow":
        return _go_back_refused(request, _error("access_denied", wish))
    assert request.user.is_authenticated
    allow(user=request.user, application=wish.application, scopes=wish.scopes)
    return _grant(request, wish)


def _grant(request: HttpRequest, wish: Wish) -> HttpResponse:
    headers, _, _ = OAuthLibCore().server.create_authorization_response(
        uri=wish.uri, http_method="GET", scopes=wish.scopes, credentials={**wish.credentials, "user": request.user}
    )
    if wish.redirect_uri == OUT_OF_BAND:
        code = dict(parse_qsl(urlsplit(headers["Location"]).query))["code"]
        return render(request, "pages/oauth_code.html", {"code": code, "application": wish.application})
    return _go_back(request, headers["Location"])


def _go_back(request: HttpRequest, location: str) -> HttpResponse:
    """Send the person on, naming who sends them (RFC 9207)."""
    parts = urlsplit(location)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "iss"]
    query = urlencode([*kept, ("iss", settings.OAUTH2_PROVIDER["OIDC_ISS_ENDPOINT"])])
    location = parts._replace(query=query).geturl()
    if request.method == "GET" and request.headers.get("Sec-Fetch-Site") == "same-origin":
        # Behind a form of ours, such as that of the log-in: browsers would not follow it to another site.
        response = render(request, "pages/oauth_onward.html", {"location": location, "host": host_of(location)})
    else:
        response = HttpResponse(status=303 if request.method == "POST" else 302)
        response.headers["Location"] = location
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _go_back_refused(request: HttpRequest, error: Any) -> HttpResponse:
    if not error.redirect_uri or error.redirect_uri == OUT_OF_BAND:
        return _refuse(request, error)
    return _go_back(request, add_params_to_uri(error.redirect_uri, error.twotuples))


def _refuse(request: HttpRequest, error: Any) -> HttpResponse:
    denied = error.error == "access_denied"
    status = 200 if denied else 400
    context = {
        "denied": denied,
        "code": error.error,
        "words": error.description or "",
        "error_id": "" if denied else note_refusal(request, status),
    }
    return render(request, "pages/oauth_refused.html", context, status=status)


def _error(code: str, wish: Wish) -> Any:
    error = errors.CustomOAuth2Error(error=code, state=wish.credentials.get("state"))
    error.redirect_uri = wish.redirect_uri
    return error


def _log_in(request: HttpRequest) -> HttpResponse:
    return redirect_to_login(_without_prompt(request))


def _without_prompt(request: HttpRequest) -> str:
    """The same request, once the log-in that it asks for is done."""
    query = request.GET.copy()
    left = [word for word in query.get("prompt", "").split() if word != "login"]
    query.pop("prompt", None)
    if left:
        query["prompt"] = " ".join(left)
    return f"{request.path}?{query.urlencode()}"


def _form_action(redirect_uri: str) -> str:
    parts = urlsplit(redirect_uri)
    if redirect_uri == OUT_OF_BAND:
        return "'self'"
    return f"'self' {parts.scheme}://{parts.netloc}" if parts.netloc else f"'self' {parts.scheme}:"
