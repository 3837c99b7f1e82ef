"""Sessions of viewers: on Grand Challenge containers that have to be started. Here viewers run in the browser."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from medtheca.interfaces.api.v1.paging import send_page
from medtheca.interfaces.api.v1.shapes.common import ListOut, NothingYetOut, WindowQuery
from medtheca.interfaces.http.api_auth import somebody

router = Router(tags=["viewers"], auth=somebody)


@router.get("/", response=ListOut[NothingYetOut], url_name="workstation_sessions")
def list_viewer_sessions(request: HttpRequest, page: Query[WindowQuery]) -> Any:
    """Containers that run viewers for the caller: there are never any."""
    return send_page(request, [], count=0)
