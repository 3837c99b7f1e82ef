"""The person who calls: profile, terms, tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from medtheca.base.errors import NotAllowed
from medtheca.domains.accounts.operations import create_token, revoke_token
from medtheca.domains.accounts.profiles import Profile, change_profile
from medtheca.domains.accounts.queries import token_state, tokens_of
from medtheca.domains.accounts.terms import accept_terms, current_terms, must_accept
from medtheca.interfaces.api.v2.calling import caller_of, page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery
from medtheca.interfaces.api.v2.shapes.people import NewTokenOut, ProfileIn, TermsOut, TokenIn, TokenOut, UserOut
from medtheca.interfaces.http.api_auth import anybody, somebody

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import ApiToken, User

router = Router(tags=["users"])


@router.get("/me/", auth=somebody, response=UserOut, url_name="user_me")
def show_caller(request: HttpRequest) -> Any:
    """Who the caller is."""
    return user_of(request)


@router.patch("/me/", auth=somebody, response=UserOut)
def change_caller(request: HttpRequest, data: ProfileIn) -> Any:
    """Change what the caller says about themselves; what is not sent stays."""
    return change_profile(user=user_of(request), profile=Profile(**data.dict(exclude_unset=True)))


@router.put("/accept-terms/", auth=somebody, response=dict[str, Any], url_name="accept_terms")
def accept_terms_of_use(request: HttpRequest) -> dict[str, Any]:
    """Accept the terms of use as they are now. Doing it again changes nothing."""
    accept_terms(user=user_of(request))
    return {}


@router.get("/terms/", auth=anybody, response=TermsOut, url_name="terms")
def show_terms(request: HttpRequest) -> dict[str, Any]:
    """The terms of use as they are now, and whether the caller accepted them."""
    user = caller_of(request).user
    terms = current_terms()
    text = "\n\n".join("\n".join(block.lines) for block in terms.blocks)
    return {"version": terms.version, "text": text, "accepted": None if user is None else not must_accept(user)}


@router.get("/me/tokens/", auth=somebody, response=PageOut[TokenOut], url_name="tokens")
def list_tokens(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """The caller's tokens, newest first, revoked and expired ones too. By session only."""
    user = _by_session(request)
    return page_of(request, tokens_of(user), page, order=("created", "id"), shape=_shaped, descending=True)


@router.post("/me/tokens/", auth=somebody, response={201: NewTokenOut})
def make_token(request: HttpRequest, data: TokenIn) -> Any:
    """Make a token; its secret is in this answer and nowhere else. By session only."""
    user = _by_session(request)
    token, secret = create_token(user=user, name=data.name, scope=data.scope, expires=data.expires)
    return Status(201, {**_shape(token), "secret": secret})


@router.delete("/me/tokens/{int:token_id}/", auth=somebody, response=TokenOut, url_name="token")
def end_token(request: HttpRequest, token_id: int) -> Any:
    """Revoke a token for good; its row stays in the list. By session only."""
    return _shape(revoke_token(user=_by_session(request), token_id=token_id))


def _by_session(request: HttpRequest) -> User:
    """The caller, if they logged in: a token that was stolen must not make others, nor hide itself."""
    user = user_of(request)
    if caller_of(request).via != "session":
        raise NotAllowed(
            "Tokens are listed, made and revoked by whoever logged in, not by a token.",
            remedy="Use the page Account, API tokens.",
        )
    return user


def _shaped(tokens: list[ApiToken]) -> list[Any]:
    return [_shape(token) for token in tokens]


def _shape(token: ApiToken) -> dict[str, Any]:
    names = ("name", "scope", "hint", "created", "expires", "last_used")
    return {"id": token.pk, "state": token_state(token).value, **{name: getattr(token, name) for name in names}}
