"""Images: lists, one image, taking back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from medtheca.base.errors import Erased, Invalid, NotFound
from medtheca.domains.access.queries import tombstone_of
from medtheca.domains.provenance.queries import accessions_of_images
from medtheca.domains.search.changes import changes_of
from medtheca.domains.search.entries import entry_for, find_entries
from medtheca.domains.search.filters import Filters, read_filters
from medtheca.domains.search.queries import Cursor, count, decode_cursor, image_for
from medtheca.interfaces.api.v2.calling import caller_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery
from medtheca.interfaces.api.v2.shapes.images import ImageFilters, ImageOut, TakeBackIn, image_out, site_of
from medtheca.interfaces.api.v2.shapes.publishing import ChangeOut
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
    """One image. Send `If-None-Match` with the ETag of an earlier answer to be told 304 where nothing changed.

    410 with the code `withdrawn` where the public once knew the image and it was taken back.
    """
    return only_if_changed(request, _json(_shown(request, isic_id)))


@router.get("/{isic_id}/changes/", auth=anybody, response=list[ChangeOut], url_name="image_changes")
def list_image_changes(request: HttpRequest, isic_id: str) -> Any:
    """What became of an image since it was published, newest first: public for whoever sees the image."""
    caller = caller_of(request)
    with _telling_withdrawals(isic_id):
        image = image_for(caller.user, isic_id)
    accession = accessions_of_images([image.pk]).get(image.pk)
    return [
        {
            "at": change.at,
            "kind": change.kind,
            "words": change.words,
            "reason": change.reason,
            "changes": change.changes,
        }
        for change in changes_of(image, accession)
    ]


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
    with _telling_withdrawals(isic_id):
        entry = entry_for(caller.user, isic_id)
    return image_out(entry, site=site_of(request), caller=caller)


class Withdrawn(Erased):
    """The public once knew the image, and it was taken back: 410 with the reason and the date."""

    code = "withdrawn"


@contextlib.contextmanager
def _telling_withdrawals(isic_id: str) -> Iterator[None]:
    try:
        yield
    except NotFound as absent:
        tombstone = tombstone_of(isic_id)
        if tombstone is None:
            raise
        message = f"{isic_id} was withdrawn on {tombstone.at:%Y-%m-%d}: {tombstone.reason}"
        raise Withdrawn(message, remedy="Do not use copies where the reason concerns you.") from absent


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
