"""Items of archives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.archives.access import inside_archives
from medtheca.domains.archives.items import trash_items
from medtheca.domains.archives.queries import intakes_of_item, item_for, visible_items, with_values
from medtheca.domains.sockets.operations import NO_VALUE
from medtheca.interfaces.api.v1.addresses import no_such_thing, read_address
from medtheca.interfaces.api.v1.calling import asked_key, caller_of, user_of
from medtheca.interfaces.api.v1.paging import page_of, send_json
from medtheca.interfaces.api.v1.shapes.archives import (
    ItemChangeIn,
    ItemDetailOut,
    ItemIn,
    ItemOut,
    ItemPostOut,
    ValueIn,
    item_out,
    item_post_out,
)
from medtheca.interfaces.api.v1.shapes.common import ListOut, WindowQuery
from medtheca.interfaces.http.api_auth import anybody, somebody
from medtheca.workflows.archiving.filling import Given, fill_item, make_filled_item

router = Router(tags=["archives"], auth=anybody)


class ItemsQuery(WindowQuery):
    """Which items."""

    archive: str | None = None
    title: str | None = None


@router.get("/", response=ListOut[ItemOut], by_alias=True, url_name="items")
def list_items(request: HttpRequest, asked: Query[ItemsQuery]) -> Any:
    """Items of the archives that the caller is in, archive by archive, each in the order in which they were made."""
    items = with_values(visible_items(caller_of(request).user))
    archive = asked_key(request, "archive")
    if archive is not None:
        items = items.filter(archive=archive)
    if asked.title is not None:
        items = items.filter(title=asked.title.replace("\x00", ""))
    order = ("archive__created", "archive", "number")
    return page_of(request, items, shape=lambda rows: [item_out(row) for row in rows], order=order)


@router.post("/", response={201: ItemPostOut}, by_alias=True, auth=somebody, url_name="items")
def create_item(request: HttpRequest, given: ItemIn) -> Any:
    """Make an item, with values where they are given."""
    user = user_of(request)
    key = read_address(given.archive, "archive", field="archive")
    archive = inside_archives(user).filter(pk=key).first()
    if archive is None:
        raise no_such_thing("archive")
    item = make_filled_item(archive=archive, user=user, title=given.title, given=_given(given.values))
    return send_json(_answer(user_of(request), item.pk), status=201)


@router.get("/{uuid:item_id}/", response=ItemDetailOut, by_alias=True, url_name="item")
def read_item(request: HttpRequest, item_id: UUID) -> Any:
    """One item, with what is on its way into it."""
    item = item_for(caller_of(request).user, item_id)
    return send_json({**item_out(item), "pending": item_post_out(item, list(intakes_of_item(item)))["pending"]})


@router.patch("/{uuid:item_id}/", response=ItemPostOut, by_alias=True, auth=somebody, url_name="item")
def change_item(request: HttpRequest, item_id: UUID, given: ItemChangeIn) -> Any:
    """Put values into an item; what is in other sockets stays. Images that are uploaded come later: see `pending`."""
    return _change(request, item_id, given, keep_others=True)


@router.put("/{uuid:item_id}/", response=ItemPostOut, by_alias=True, auth=somebody, url_name="item")
def replace_item(request: HttpRequest, item_id: UUID, given: ItemChangeIn) -> Any:
    """Put values into an item; what is in sockets that are not named goes."""
    return _change(request, item_id, given, keep_others=False)


@router.delete("/{uuid:item_id}/", response={204: None}, auth=somebody, url_name="item")
def delete_item(request: HttpRequest, item_id: UUID) -> Any:
    """Put an item into the trash, from which editors can take it back. Only editors may."""
    user = user_of(request)
    item = item_for(user, item_id)
    trash_items(archive=item.archive, actor=user, item_ids=[item.pk])
    return HttpResponse(status=204)


def _change(request: HttpRequest, item_id: UUID, given: ItemChangeIn, *, keep_others: bool) -> HttpResponse:
    user = user_of(request)
    item = item_for(user, item_id)
    values = _given(given.values or [])
    fill_item(item=item, user=user, given=values, title=given.title, keep_others=keep_others or given.values is None)
    return send_json(_answer(user, item.pk))


def _answer(user: Any, item_id: UUID) -> dict[str, Any]:
    item = item_for(user, item_id)
    return item_post_out(item, list(intakes_of_item(item)))


def _given(values: Sequence[ValueIn]) -> list[Given]:
    """What the caller wrote, by keys instead of addresses. Raises `Invalid` with the place of what cannot be read."""
    found, problems = [], []
    for place, value in enumerate(values):
        try:
            found.append(_one(value))
        except Invalid as error:
            problems += [
                Problem(f"values.{place}.{problem.field}".rstrip("."), problem.message, remedy=problem.remedy)
                for problem in error.problems
            ]
    if problems:
        raise Invalid("Some values cannot be read.", problems=problems)
    return found


def _one(value: ValueIn) -> Given:
    slug = value.interface or value.socket
    if not slug:
        raise Invalid("No socket.", problems=[Problem("interface", "This field is required.")])
    if value.file is not None or value.upload_session is not None:
        name = "file" if value.file is not None else "upload_session"
        message = "Files are given as uploads: user_upload for a file, user_uploads for an image."
        raise Invalid(message, problems=[Problem(name, message)])
    uploads = value.user_uploads
    return Given(
        socket=slug,
        value=NO_VALUE if value.value is None else value.value,
        upload=read_address(value.user_upload, "upload", field="user_upload") if value.user_upload else None,
        image=read_address(value.image, "image", field="image") if value.image else None,
        uploads=None if uploads is None else [read_address(one, "upload", field="user_uploads") for one in uploads],
        image_name=value.image_name,
    )
