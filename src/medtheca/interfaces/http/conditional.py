"""Who may keep an answer, and when it need not be sent again."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers


def etag_of(body: bytes) -> str:
    """A strong entity tag: equal bytes, equal tags.

    >>> etag_of(b"a") == etag_of(b"a") != etag_of(b"b")
    True
    """
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def only_if_changed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The response with an ETag, or 304 where the caller has these very bytes already (If-None-Match)."""
    tag = etag_of(response.content)
    response.headers["ETag"] = tag
    # Django answers 304 and, for If-Match, 412; it typed the return as optional because the response may be.
    return get_conditional_response(request, etag=tag, response=response) or response


def set_freshness(response: HttpResponseBase, *, public: bool) -> None:
    """Say who may keep the answer. A public one may be kept and is asked for anew each time; others are not kept.

    Withdrawal must close every door within a minute, so nothing is ever fresh without asking.
    """
    response.headers.setdefault("Cache-Control", "no-cache" if public else "private, no-store")
    patch_vary_headers(response, ["Authorization", "Cookie"])
