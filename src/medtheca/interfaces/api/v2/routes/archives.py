"""Archives and their items: lists, one, making and changing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Status

from medtheca.base.errors import NotFound
from medtheca.domains.archives.access import require_seeing_items, standing_in
from medtheca.domains.archives.listing import Wanted, count_items, find_archives
from medtheca.domains.archives.operations import change_archive, create_archive
from medtheca.domains.archives.queries import archive_named, item_for, items_of, with_values
from medtheca.domains.archives.saying import change_said, create_said
from medtheca.domains.archives.searching import narrowed, read_query
from medtheca.domains.archives.table import pictures_of
from medtheca.domains.provenance.queries import contributor_for
from medtheca.interfaces.api.v2.calling import caller_of, page_of, user_of
from medtheca.interfaces.api.v2.shapes.archives import (
    ArchiveChangeIn,
    ArchiveDetailOut,
    ArchiveIn,
    ArchiveOut,
    ArchiveQuery,
    ItemChangeIn,
    ItemIn,
    ItemOut,
    ItemQuery,
    archive_out,
    item_out,
)
from medtheca.interfaces.api.v2.shapes.common import PageOut
from medtheca.interfaces.http.api_auth import anybody, somebody

if TYPE_CHECKING:
    from medtheca.domains.archives.access import Asker
    from medtheca.domains.archives.models import Archive, Item

router = Router(tags=["archives"])


@router.get("/", auth=anybody, response=PageOut[ArchiveOut], url_name="archives")
def list_archives(request: HttpRequest, asked: Query[ArchiveQuery]) -> Any:
    """Archives that the caller may find, the newest first: public ones, and those that they are in."""
    asker = caller_of(request).user
    kept = {
        "modalities": asked.modality,
        "structures": asked.structure,
        "organizations": asked.organisation,
        "keywords": asked.keyword,
    }
    wanted = Wanted(words=asked.q, kept=kept, mine=asked.mine, public=asked.public)

    def shape(rows: list[Archive]) -> list[Any]:
        items = count_items(asker, rows)
        return [archive_out(row, items.get(row.pk)) for row in rows]

    rows = find_archives(asker, wanted)
    return page_of(request, rows, asked, order=("created", "pk"), shape=shape, descending=True)


@router.post("/", auth=somebody, response={201: ArchiveDetailOut}, url_name="archives")
def make_archive(request: HttpRequest, given: ArchiveIn) -> Any:
    """Make an archive; the caller becomes its editor. Where the instance asks for it, the staff agree first."""
    user = user_of(request)
    said = {name: value for name, value in given.model_dump(exclude_unset=True).items() if value is not None}
    contributor = contributor_for(user, said.pop("contributor"))
    return Status(201, _detail(create_archive(creator=user, contributor=contributor, **said), user))


@router.get("/{archive_ref}/", auth=anybody, response=ArchiveDetailOut, url_name="archive_detail")
def show_archive(request: HttpRequest, archive_ref: str) -> Any:
    """One archive, by its slug or its id."""
    asker = caller_of(request).user
    return _detail(archive_named(asker, archive_ref), asker)


@router.patch("/{archive_ref}/", auth=somebody, response=ArchiveDetailOut, url_name="archive_detail")
def change_one_archive(request: HttpRequest, archive_ref: str, given: ArchiveChangeIn) -> Any:
    """Say something else of an archive. Its editors."""
    user = user_of(request)
    said = {name: value for name, value in given.model_dump(exclude_unset=True).items() if value is not None}
    return _detail(change_archive(archive=archive_named(user, archive_ref), actor=user, **said), user)


@router.get("/{archive_ref}/items/", auth=somebody, response=PageOut[ItemOut], url_name="archive_items")
def list_items(request: HttpRequest, archive_ref: str, asked: Query[ItemQuery]) -> Any:
    """Items in the order in which they were made. Its people."""
    user = user_of(request)
    archive = _opened(user, archive_ref)
    rows = with_values(narrowed(items_of(archive), read_query(asked.q, archive=archive), archive=archive))
    return page_of(request, rows, asked, order=("number",), shape=lambda found: _items(found, user))


@router.post("/{archive_ref}/items/", auth=somebody, response={201: ItemOut}, url_name="archive_items")
def make_item(request: HttpRequest, archive_ref: str, given: ItemIn) -> Any:
    """Make an item with values, or nothing. Its editors and uploaders; files are uploaded."""
    user = user_of(request)
    archive = archive_named(user, archive_ref)
    made = create_said(archive=archive, actor=user, title=given.title, values=given.values)
    return Status(201, _items([item_for(user, made.pk)], user)[0])


@router.get("/{archive_ref}/items/{uuid:item_id}/", auth=somebody, response=ItemOut, url_name="archive_item")
def show_item(request: HttpRequest, archive_ref: str, item_id: UUID) -> Any:
    """One item. Its people."""
    user = user_of(request)
    return _items([_item(user, archive_ref, item_id)], user)[0]


@router.patch("/{archive_ref}/items/{uuid:item_id}/", auth=somebody, response=ItemOut, url_name="archive_item")
def change_item(request: HttpRequest, archive_ref: str, item_id: UUID, given: ItemChangeIn) -> Any:
    """Rename an item, put values in and take them out, all or nothing. Its editors and uploaders."""
    user = user_of(request)
    item = _item(user, archive_ref, item_id)
    change_said(item=item, actor=user, title=given.title, values=given.values)
    return _items([item_for(user, item.pk)], user)[0]


def _opened(asker: Asker, archive_ref: str) -> Archive:
    archive = archive_named(asker, archive_ref)
    require_seeing_items(asker, archive)
    return archive


def _item(asker: Asker, archive_ref: str, item_id: UUID) -> Item:
    archive = _opened(asker, archive_ref)
    item = item_for(asker, item_id)
    if item.archive_id != archive.pk:
        raise NotFound("There is no such item.")
    return item


def _items(items: list[Item], asker: Asker) -> list[dict[str, Any]]:
    images = {row.value.image_id for item in items for row in item.values.all() if row.value.image_id is not None}
    pictures = pictures_of(images, asker)
    return [item_out(item, pictures) for item in items]


def _detail(archive: Archive, asker: Asker) -> dict[str, Any]:
    standing = standing_in(asker, archive)
    told = (
        *("information", "citation", "contact_email", "publications", "access_requests", "downloads"),
        *("terms", "terms_version"),
    )
    return {
        **archive_out(archive, count_items(asker, [archive]).get(archive.pk)),
        **{name: getattr(archive, name) for name in told},
        "contributor": archive.contributor_id,
        "contributor_name": archive.contributor.institution_name,
        "role": standing.role.value if standing.role else None,
    }
