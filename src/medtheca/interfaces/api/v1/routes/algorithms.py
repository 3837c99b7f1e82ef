"""Algorithms: there are none yet, and their lists say so."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from medtheca.interfaces.api.v1.paging import send_page
from medtheca.interfaces.api.v1.shapes.common import ListOut, NothingYetOut, WindowQuery
from medtheca.interfaces.http.api_auth import anybody

router = Router(tags=["algorithms"], auth=anybody)


@router.get("/", response=ListOut[NothingYetOut], url_name="algorithms")
def list_algorithms(request: HttpRequest, page: Query[WindowQuery]) -> Any:
    """Algorithms that the caller may see."""
    return send_page(request, [], count=0)


@router.get("/jobs/", response=ListOut[NothingYetOut], url_name="algorithm_jobs")
def list_jobs(request: HttpRequest, page: Query[WindowQuery]) -> Any:
    """Runs of algorithms that the caller may see."""
    return send_page(request, [], count=0)


@router.get("/images/", response=ListOut[NothingYetOut], url_name="algorithm_images")
def list_algorithm_images(request: HttpRequest, page: Query[WindowQuery]) -> Any:
    """Containers of algorithms that the caller may see."""
    return send_page(request, [], count=0)


@router.get("/endpoints/", response=ListOut[NothingYetOut], url_name="algorithm_endpoints")
def list_endpoints(request: HttpRequest, page: Query[WindowQuery]) -> Any:
    """Algorithms that are kept running for the caller."""
    return send_page(request, [], count=0)


@router.get("/invocations/", response=ListOut[NothingYetOut], url_name="algorithm_invocations")
def list_invocations(request: HttpRequest, page: Query[WindowQuery]) -> Any:
    """What the caller asked of algorithms that are kept running."""
    return send_page(request, [], count=0)
