"""Reader studies: there are none yet, and their lists say so."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from medtheca.interfaces.api.v1.paging import send_page
from medtheca.interfaces.api.v1.shapes.common import ListOut, NothingYetOut, WindowQuery
from medtheca.interfaces.http.api_auth import anybody, somebody

router = Router(tags=["reader studies"], auth=anybody)


@router.get("/", response=ListOut[NothingYetOut], url_name="reader_studies")
def list_reader_studies(request: HttpRequest, page: Query[WindowQuery]) -> Any:
    """Reader studies that the caller may see."""
    return send_page(request, [], count=0)


@router.get("/questions/", response=ListOut[NothingYetOut], url_name="reader_study_questions")
def list_questions(request: HttpRequest, page: Query[WindowQuery]) -> Any:
    """Questions of reader studies that the caller may see."""
    return send_page(request, [], count=0)


@router.get("/answers/", response=ListOut[NothingYetOut], url_name="reader_study_answers")
def list_answers(request: HttpRequest, page: Query[WindowQuery]) -> Any:
    """Answers that the caller may see."""
    return send_page(request, [], count=0)


@router.get("/answers/mine/", response=ListOut[NothingYetOut], auth=somebody, url_name="reader_study_my_answers")
def list_my_answers(request: HttpRequest, page: Query[WindowQuery]) -> Any:
    """Answers that the caller has given."""
    return send_page(request, [], count=0)


@router.get("/display-sets/", response=ListOut[NothingYetOut], url_name="reader_study_display_sets")
def list_display_sets(request: HttpRequest, page: Query[WindowQuery]) -> Any:
    """Cases of reader studies that the caller may see."""
    return send_page(request, [], count=0)
