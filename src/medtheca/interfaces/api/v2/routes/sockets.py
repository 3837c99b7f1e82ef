"""Sockets: what there are, what belongs into each, new ones, and whether a value fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from medtheca.domains.sockets.access import may_change
from medtheca.domains.sockets.operations import check_json
from medtheca.domains.sockets.queries import matching, socket_by_slug
from medtheca.interfaces.api.v2.calling import caller_of, page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut
from medtheca.interfaces.api.v2.shapes.sockets import (
    CheckOut,
    KindOut,
    SocketChangeIn,
    SocketIn,
    SocketOut,
    SocketsQuery,
    ValueIn,
)
from medtheca.interfaces.http.api_auth import anybody, somebody
from medtheca.toolkit.sockets.definitions import Definition
from medtheca.toolkit.sockets.examples import example_of
from medtheca.toolkit.sockets.kinds import KINDS, kind_named
from medtheca.toolkit.sockets.schemas import schema_of
from medtheca.workflows.socketing import archives_of, change, define, of_archive

if TYPE_CHECKING:
    from medtheca.domains.sockets.access import Asker
    from medtheca.domains.sockets.models import Socket

router = Router(tags=["sockets"], auth=anybody)


@router.get("/socket-kinds/", response=list[KindOut], by_alias=True, url_name="socket_kinds")
def list_kinds(request: HttpRequest) -> Any:
    """All kinds of sockets, with the schema of their values and an example."""
    return [
        {
            "code": kind.code,
            "label": kind.label,
            "about": kind.about,
            "family": kind.family.value,
            "extension": kind.extension,
            "schema": schema_of(kind.code) if kind.is_json and kind.code != "CHART" else None,
            "example": example_of(kind.code) if kind.is_json else None,
        }
        for kind in KINDS.values()
    ]


@router.get("/sockets/", response=PageOut[SocketOut], by_alias=True, url_name="sockets")
def list_sockets(request: HttpRequest, wanted: Query[SocketsQuery]) -> Any:
    """Sockets for new values: everybody's, and those of archives that the caller is in."""
    asker = caller_of(request).user
    rows = of_archive(matching(asker, text=wanted.query, kind=wanted.kind), asker, wanted.archive)
    return page_of(request, rows, wanted, order=("title", "pk"), shape=lambda found: _shown(found, asker))


@router.post("/sockets/", auth=somebody, response={201: SocketOut}, by_alias=True, url_name="sockets")
def make_socket(request: HttpRequest, given: SocketIn) -> Any:
    """Define a socket, for an archive of which the caller is editor; staff also for everybody."""
    user = user_of(request)
    kind = kind_named(given.kind)
    said = given.model_dump(exclude={"archive", "look_up_table", "kind", "schema_"})
    definition = Definition(**said, kind=kind.code if kind else given.kind, schema=given.schema_)
    made = define(creator=user, definition=definition, archive=given.archive, look_up_table=given.look_up_table)
    return Status(201, _shown([made], user)[0])


@router.get("/sockets/{slug}/", response=SocketOut, by_alias=True, url_name="socket")
def show_socket(request: HttpRequest, slug: str) -> Any:
    """One socket."""
    asker = caller_of(request).user
    return _shown([socket_by_slug(asker, slug)], asker)[0]


@router.patch("/sockets/{slug}/", auth=somebody, response=SocketOut, by_alias=True, url_name="socket")
def change_one_socket(request: HttpRequest, slug: str, given: SocketChangeIn) -> Any:
    """Change a socket. Once there are values its schema stays, and segments are only added to."""
    user = user_of(request)
    changes = given.model_dump(exclude_unset=True, by_alias=True)
    return _shown([change(socket=socket_by_slug(user, slug), actor=user, changes=changes)], user)[0]


@router.post("/sockets/{slug}/check/", auth=somebody, response=CheckOut, url_name="socket_check")
def check_value(request: HttpRequest, slug: str, given: ValueIn) -> Any:
    """Say whether JSON would be taken as a value, or as the file of a socket that keeps JSON as files.

    What is wrong is a refusal (400) with the place within the value and the rule; nothing is written.
    """
    check_json(socket=socket_by_slug(user_of(request), slug), value=given.value)
    return {"valid": True}


def _shown(sockets: Sequence[Socket], asker: Asker) -> list[dict[str, Any]]:
    archives = archives_of(asker, sockets)
    return [
        {
            "slug": socket.slug,
            "id": socket.pk,
            "title": socket.title,
            "description": socket.description,
            "kind": socket.kind,
            "kind_label": socket.kind_details.label,
            "super_kind": socket.super_kind.value,
            "schema": socket.schema,
            "default_value": socket.default_value,
            "example_value": socket.example_value,
            "relative_path": socket.relative_path,
            "store_in_database": socket.store_in_database,
            "overlay_segments": socket.overlay_segments,
            "look_up_table": socket.look_up_table.slug if socket.look_up_table else None,
            "archive": archives[socket.pk].slug if socket.pk in archives else None,
            "reserved": socket.reserved,
            "may_change": may_change(asker, socket),
        }
        for socket in sockets
    ]
