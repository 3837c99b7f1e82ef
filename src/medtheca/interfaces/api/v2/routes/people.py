"""The person who calls."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from medtheca.domains.accounts.terms import accept_terms
from medtheca.interfaces.api.v2.calling import user_of
from medtheca.interfaces.api.v2.shapes.people import UserOut
from medtheca.interfaces.http.api_auth import somebody

router = Router(tags=["users"])


@router.get("/me/", auth=somebody, response=UserOut, url_name="user_me")
def show_caller(request: HttpRequest) -> Any:
    """Who the caller is."""
    return user_of(request)


@router.put("/accept-terms/", auth=somebody, response=dict[str, Any], url_name="accept_terms")
def accept_terms_of_use(request: HttpRequest) -> dict[str, Any]:
    """Accept the terms of use. Doing it again changes nothing."""
    accept_terms(user=user_of(request))
    return {}
