"""Sockets, which Grand Challenge calls component interfaces."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from medtheca.domains.sockets.access import visible_sockets
from medtheca.domains.sockets.queries import socket_by_pk
from medtheca.interfaces.api.v1.calling import caller_of
from medtheca.interfaces.api.v1.paging import page_of, send_json
from medtheca.interfaces.api.v1.shapes.common import ListOut, WindowQuery
from medtheca.interfaces.api.v1.shapes.sockets import SocketOut, socket_out
from medtheca.interfaces.http.api_auth import anybody

router = Router(tags=["sockets"], auth=anybody)


class SocketsQuery(WindowQuery):
    """Which sockets."""

    slug: str | None = None


@router.get("/", response=ListOut[SocketOut], by_alias=True, url_name="sockets")
def list_sockets(request: HttpRequest, asked: Query[SocketsQuery]) -> Any:
    """Everybody's sockets, and those of archives that the caller is in."""
    sockets = visible_sockets(caller_of(request).user).select_related("look_up_table")
    if asked.slug:
        sockets = sockets.filter(slug=asked.slug.replace("\x00", ""))
    return page_of(request, sockets, shape=lambda rows: [socket_out(row) for row in rows])


@router.get("/{int:socket_id}/", response=SocketOut, by_alias=True, url_name="socket")
def read_socket(request: HttpRequest, socket_id: int) -> Any:
    """One socket."""
    return send_json(socket_out(socket_by_pk(caller_of(request).user, socket_id)))
