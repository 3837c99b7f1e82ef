"""Archives."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router

from medtheca.domains.archives.access import listed_archives
from medtheca.domains.archives.queries import archive_for
from medtheca.interfaces.api.v1.calling import caller_of
from medtheca.interfaces.api.v1.paging import page_of, send_json
from medtheca.interfaces.api.v1.shapes.archives import ArchiveOut, archive_out
from medtheca.interfaces.api.v1.shapes.common import ListOut, WindowQuery
from medtheca.interfaces.http.api_auth import anybody

router = Router(tags=["archives"], auth=anybody)


class ArchivesQuery(WindowQuery):
    """Which archives."""

    slug: str | None = None


@router.get("/", response=ListOut[ArchiveOut], url_name="archives")
def list_archives(request: HttpRequest, asked: Query[ArchivesQuery]) -> Any:
    """Archives that the caller may know of: public ones, and those that they are in."""
    archives = listed_archives(caller_of(request).user)
    if asked.slug:
        archives = archives.filter(slug=asked.slug.replace("\x00", ""))
    return page_of(request, archives, shape=lambda rows: [archive_out(row) for row in rows])


@router.get("/{uuid:archive_id}/", response=ArchiveOut, url_name="archive")
def read_archive(request: HttpRequest, archive_id: UUID) -> Any:
    """One archive."""
    return send_json(archive_out(archive_for(caller_of(request).user, archive_id)))
