"""Images: lists, one image, taking back."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from medtheca.base.errors import Invalid
from medtheca.domains.search.entries import entry_for, find_entries
from medtheca.domains.search.filters import Filters, read_filters
from medtheca.domains.search.queries import Cursor, count, decode_cursor
from medtheca.interfaces.api.v2.calling import caller_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery
from medtheca.interfaces.api.v2.shapes.images import ImageFilters, ImageOut, TakeBackIn, image_out, site_of
from medtheca.interfaces.http.api_auth import anybody, somebody
from medtheca.interfaces.http.conditional import only_if_changed
from medtheca.interfaces.http.pagination import BadCursor, is_first_page, page_body, page_size
from medtheca.workflows.publish import unpublish_image, withdraw

router = Router(tags=["images"])


@router.get("/", auth=anybody, response=PageOut[ImageOut], url_name="images")
def list_images(request: HttpRequest, page: Query[PageQuery], wanted: Query[ImageFilters]) -> HttpResponse:
    """Images that the caller may see, oldest first, those that match all filters."""
    caller = caller_of(request)
    filters = _filters(wanted)
    found = find_entries(filters, asker=caller.user, limit=page_size(page.limit), cursor=_cursor(page.cursor))
    site = site_of(request)
    body = page_body(
        request,
        [image_out(entry, site=site, caller=caller) for entry in found.entries],
        count=count(filters, asker=caller.user) if is_first_page(page.cursor) else None,
        after=found.next.encode() if found.next else None,
        before=found.previous.encode() if found.previous else None,
    )
    return _json(body)


@router.get("/{isic_id}/", auth=anybody, response=ImageOut, url_name="image_detail")
def show_image(request: HttpRequest, isic_id: str) -> HttpResponse:
    """One image. Send `If-None-Match` with the ETag of an earlier answer to be told 304 where nothing changed."""
    return only_if_changed(request, _json(_shown(request, isic_id)))


@router.post("/{isic_id}/withdraw/", auth=somebody, response=ImageOut, url_name="image_withdraw")
def withdraw_image(request: HttpRequest, isic_id: str, given: TakeBackIn) -> HttpResponse:
    """Take an image from everybody's view but its owners', for good; its public id stays taken. Owners and staff."""
    withdraw(user=user_of(request), image_ref=isic_id, reason=given.reason)
    return _json(_shown(request, isic_id))


@router.post("/{isic_id}/unpublish/", auth=somebody, response=ImageOut, url_name="image_unpublish")
def make_image_private(request: HttpRequest, isic_id: str, given: TakeBackIn) -> HttpResponse:
    """Make an image private again; it may be published anew under the same id. Owners and staff."""
    unpublish_image(user=user_of(request), image_ref=isic_id, reason=given.reason)
    return _json(_shown(request, isic_id))


def _shown(request: HttpRequest, isic_id: str) -> dict[str, Any]:
    caller = caller_of(request)
    return image_out(entry_for(caller.user, isic_id), site=site_of(request), caller=caller)


def _filters(wanted: ImageFilters) -> Filters:
    return read_filters({name: str(value) for name, value in wanted.dict(exclude_none=True).items()})


def _cursor(text: str | None) -> Cursor | None:
    if not text:
        return None
    try:
        return decode_cursor(text)
    except Invalid as error:
        raise BadCursor from error


def _json(body: dict[str, Any]) -> HttpResponse:
    return HttpResponse(json.dumps(body, ensure_ascii=False, separators=(",", ":")), content_type="application/json")
