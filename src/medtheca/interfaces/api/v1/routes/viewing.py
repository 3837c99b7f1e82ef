"""Viewer configurations: Grand Challenge's workstation configurations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router

from medtheca.domains.viewing.queries import configuration_named, configurations, creator_named
from medtheca.interfaces.api.v1.calling import caller_of
from medtheca.interfaces.api.v1.paging import page_of, send_json
from medtheca.interfaces.api.v1.shapes.common import ListOut, WindowQuery
from medtheca.interfaces.api.v1.shapes.viewing import WorkstationConfigOut, configuration_shapes
from medtheca.interfaces.http.api_auth import anybody

router = Router(tags=["viewers"], auth=anybody)


class ConfigQuery(WindowQuery):
    """Which of them."""

    slug: str | None = None


@router.get("/", response=ListOut[WorkstationConfigOut], url_name="workstation_configs")
def list_viewer_configurations(request: HttpRequest, page: Query[ConfigQuery]) -> Any:
    """Viewer configurations: everybody sees all of them."""
    asker = caller_of(request).user
    rows = configurations()
    if page.slug is not None:
        rows = rows.filter(slug=page.slug)
    return page_of(
        request, rows, shape=lambda found: configuration_shapes(found, [creator_named(row, asker) for row in found])
    )


@router.get("/{uuid:pk}/", response=WorkstationConfigOut, url_name="workstation_config")
def show_viewer_configuration(request: HttpRequest, pk: UUID) -> Any:
    """One viewer configuration. What it leaves open is told as what the viewer does then."""
    row = configuration_named(str(pk))
    (told,) = configuration_shapes([row], [creator_named(row, caller_of(request).user)])
    return send_json(told)
