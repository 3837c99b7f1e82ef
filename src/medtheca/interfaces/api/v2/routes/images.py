"""Images: lists, one image, taking back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from medtheca.base.errors import Erased, Invalid, NotFound
from medtheca.domains.access.queries import tombstone_of
from medtheca.domains.collections.pins import order_pins, pinned_images, set_image_pinned
from medtheca.domains.provenance.origins import origins_of_image
from medtheca.domains.provenance.queries import accessions_of_images
from medtheca.domains.search.changes import changes_of
from medtheca.domains.search.entries import entry_for, look_up
from medtheca.domains.search.facets import bytes_of, count_values
from medtheca.domains.search.filters import Filters, read_filters
from medtheca.domains.search.queries import Cursor, decode_cursor, image_for
from medtheca.domains.search.query_text import read_query
from medtheca.interfaces.api.v2.calling import caller_of, user_of
from medtheca.interfaces.api.v2.shapes.collections import PinnedIn
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery
from medtheca.interfaces.api.v2.shapes.images import (
    ImageDetailOut,
    ImageFilters,
    ImageOut,
    TakeBackIn,
    image_out,
    site_of,
)
from medtheca.interfaces.api.v2.shapes.provenance import OriginOut, origin_out
from medtheca.interfaces.api.v2.shapes.publishing import ChangeOut
from medtheca.interfaces.api.v2.shapes.search import (
    ISIC_FACETS,
    FacetOut,
    FacetQuery,
    PinOrderIn,
    PinQuery,
    SearchQuery,
    TotalSizeOut,
    facet_out,
)
from medtheca.interfaces.http.api_auth import anybody, somebody
from medtheca.interfaces.http.conditional import only_if_changed
from medtheca.interfaces.http.pagination import BadCursor, is_first_page, page_body, page_size
from medtheca.interfaces.http.raw_queries import text_with_plus
from medtheca.toolkit.querylang import Node, all_of
from medtheca.workflows.finding import in_collections, listings
from medtheca.workflows.publish import unpublish_image, withdraw

router = Router(tags=["images"])


@router.get("/", auth=anybody, response=PageOut[ImageOut], url_name="images")
def list_images(
    request: HttpRequest,
    page: Query[PageQuery],
    wanted: Query[ImageFilters],
    asked: Query[SearchQuery],
    pins: Query[PinQuery],
) -> HttpResponse:
    """Images that the caller may see, oldest first, those that match the query and all filters."""
    return _json(_page(request, page, _tree(request, asked), _filters(wanted).tree, pins=pins))


@router.get("/search/", auth=anybody, response=PageOut[ImageOut], url_name="image_search")
def search_images(
    request: HttpRequest, page: Query[PageQuery], asked: Query[SearchQuery], pins: Query[PinQuery]
) -> HttpResponse:
    """Images that the caller may see and that a query finds, oldest first. 400 with the place where it is wrong."""
    return _json(_page(request, page, _tree(request, asked), pins=pins))


@router.post("/pins/reorder/", auth=somebody, response={200: None}, url_name="image_pins_reorder")
def reorder_pins(request: HttpRequest, given: PinOrderIn) -> Any:
    """Put the pinned images into an order; all of them, each once. Staff only."""
    order_pins(refs=given.order, actor=user_of(request))
    return Status(200, None)


@router.post("/{isic_id}/set-pinned/", auth=somebody, response={200: None}, url_name="image_pinned")
def pin_image(request: HttpRequest, isic_id: str, given: PinnedIn) -> Any:
    """Put a public image behind those that are pinned already, or take its pin away. Staff only."""
    user = user_of(request)
    set_image_pinned(image=image_for(user, isic_id), actor=user, pinned=given.pinned)
    return Status(200, None)


@router.get("/search/size/", auth=anybody, response=TotalSizeOut, url_name="image_search_size")
def size_of_search(request: HttpRequest, asked: Query[SearchQuery]) -> Any:
    """How many bytes the full files of what a query finds have together."""
    tree = _tree(request, asked)
    return {"size": bytes_of(tree, asker=caller_of(request).user, listings=listings)}


@router.get("/facets/", auth=anybody, response=dict[str, FacetOut], url_name="image_facets")
def count_images_by_field(request: HttpRequest, asked: Query[FacetQuery]) -> HttpResponse:
    """How many of the images that a query finds have each value of each field, exactly."""
    names = tuple(dict.fromkeys(name.strip() for name in asked.fields.split(",") if name.strip())) or ISIC_FACETS
    counted = count_values(
        _tree(request, asked), names, asker=caller_of(request).user, listings=listings, disjunctive=not asked.own
    )
    return _json({name: facet_out(name, counts) for name, counts in counted.items()})


@router.get("/{isic_id}/", auth=anybody, response=ImageDetailOut, url_name="image_detail")
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


@router.post("/{isic_id}/withdraw/", auth=somebody, response=ImageDetailOut, url_name="image_withdraw")
def withdraw_image(request: HttpRequest, isic_id: str, given: TakeBackIn) -> HttpResponse:
    """Take an image from everybody's view but its owners', for good; its public id stays taken. Owners and staff."""
    withdraw(user=user_of(request), image_ref=isic_id, reason=given.reason)
    return _json(_shown(request, isic_id))


@router.post("/{isic_id}/unpublish/", auth=somebody, response=ImageDetailOut, url_name="image_unpublish")
def make_image_private(request: HttpRequest, isic_id: str, given: TakeBackIn) -> HttpResponse:
    """Make an image private again; it may be published anew under the same id. Owners and staff."""
    unpublish_image(user=user_of(request), image_ref=isic_id, reason=given.reason)
    return _json(_shown(request, isic_id))


def _shown(request: HttpRequest, isic_id: str) -> dict[str, Any]:
    caller = caller_of(request)
    with _telling_withdrawals(isic_id):
        entry = entry_for(caller.user, isic_id)
    origins = [OriginOut(**origin_out(row)).model_dump(mode="json") for row in origins_of_image(caller.user, entry.key)]
    return {**image_out(entry, site=site_of(request), caller=caller), "origins": origins}


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


def _page(request: HttpRequest, page: PageQuery, *trees: Node, pins: PinQuery) -> dict[str, Any]:
    caller, site = caller_of(request), site_of(request)
    found = look_up(
        all_of(*trees),
        asker=caller.user,
        limit=page_size(page.limit),
        cursor=_cursor(page.cursor),
        counted=is_first_page(page.cursor),
        listings=listings,
        first=pinned_images() if pins.pin_sort else (),
    )
    after, before = found.page.next, found.page.previous
    return page_body(
        request,
        [image_out(entry, site=site, caller=caller) for entry in found.page.entries],
        count=found.number,
        after=after.encode() if after else None,
        before=before.encode() if before else None,
    )


def _tree(request: HttpRequest, asked: SearchQuery) -> Node:
    # What `asked` has may have lost a plus.
    text = text_with_plus(request, "query")
    return in_collections(read_query(text), asked.collection_ids)


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
