"""Which versions of the client `gcapi` work here: the first thing that it asks, as nobody."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

LATEST, LOWEST = "0.16.1", "0.14.0"
"""The newest and the oldest that are tried against this archive (`tests/contract`)."""
router = Router(tags=["client"])


class ClientVersionsOut(Schema):
    """Versions of `gcapi`."""

    latest_version: str
    lowest_supported_version: str


@router.get("/", response=ClientVersionsOut, url_name="gcapi")
def show_client_versions(request: HttpRequest) -> Any:
    """The newest version of `gcapi` that was tried here, and the oldest that works."""
    return {"latest_version": LATEST, "lowest_supported_version": LOWEST}
