"""What a client meant by `+` in an address."""

from __future__ import annotations

from urllib.parse import unquote

from django.http import HttpRequest


def text_with_plus(request: HttpRequest, name: str) -> str:
    """A parameter of the address, in which `+` is itself, and no space, where the client writes spaces as `%20`.

    isic-cli counts with `+` for spaces, and then walks the pages with an address that it puts together by hand: there
    `+` is a plus, and a search for `CD30+` would find others than it counted. What has a cursor was written here. The
    addresses of further pages are made with the text that was meant.
    """
    parts = request.META.get("QUERY_STRING", "").split("&")
    raw = next((part.partition("=")[2] for part in parts if part.startswith(f"{name}=")), "")
    if "+" in raw and "%2b" not in raw.lower() and "cursor" not in request.GET:
        agent = request.headers.get("User-Agent", "")
        walks = agent.startswith("isic-cli/") and request.path.endswith("/search/") and "limit" not in request.GET
        if "%20" in raw or walks:
            meant = request.GET.copy()
            meant[name] = unquote(raw)
            request.GET = meant  # type: ignore[assignment]  # of Django's types only an unchangeable one fits
    return request.GET.get(name, "")
