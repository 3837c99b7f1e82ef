"""Collections: lists, one, making and changing, what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Status

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.collections.access import may_edit, may_own, visible_collections
from medtheca.domains.collections.batches import progress_of, send_named
from medtheca.domains.collections.contents import add_named, remove_named
from medtheca.domains.collections.enums import BatchAction
from medtheca.domains.collections.operations import (
    change_collection,
    create_collection,
    delete_collection,
    set_locked,
    set_pinned,
)
from medtheca.domains.collections.queries import (
    batch_for,
    collection_for,
    count_listed,
    credits_of,
    suggest,
)
from medtheca.domains.collections.totals import shown_of
from medtheca.interfaces.api.v2.calling import caller_of, page_of, user_of
from medtheca.interfaces.api.v2.shapes.collections import (
    AddedOut,
    BatchOut,
    CollectionChangeIn,
    CollectionDetailOut,
    CollectionFilledIn,
    CollectionIn,
    CollectionMadeOut,
    CollectionOut,
    CollectionQuery,
    CreditOut,
    FewImagesIn,
    FoundImagesIn,
    LockedIn,
    NamedImagesIn,
    PinnedIn,
    RemovedOut,
)
from medtheca.interfaces.api.v2.shapes.common import PageOut, isic_licence
from medtheca.interfaces.http.api_auth import anybody, somebody
from medtheca.workflows.archive_services import archives_behind
from medtheca.workflows.collecting import change_by_search, create_filled

if TYPE_CHECKING:
    from medtheca.domains.collections.models import Batch, Collection
    from medtheca.domains.search.queries import Asker

router = Router(tags=["collections"])


@router.get("/", auth=anybody, response=PageOut[CollectionOut], url_name="collections")
def list_collections(request: HttpRequest, wanted: Query[CollectionQuery]) -> Any:
    """Collections that the caller may see: public ones, their own, those shared with them; all for staff."""
    asker = caller_of(request).user
    rows: QuerySet[Collection] = visible_collections(asker)
    if wanted.pinned is not None:
        rows = rows.filter(pinned=wanted.pinned)
    by_name = wanted.sort == "name"
    order = ("name", "pk") if by_name else ("created", "pk")
    return page_of(
        request,
        rows,
        wanted,
        order=order,
        shape=lambda found: shown_collections(found, asker),
        descending=not by_name,
    )


@router.post("/", auth=somebody, response={201: CollectionDetailOut}, url_name="collections")
def make_collection(request: HttpRequest, given: CollectionIn) -> Any:
    """Make an empty collection; the caller owns it."""
    user = user_of(request)
    made = create_collection(creator=user, name=given.name, description=given.description, public=given.public)
    return Status(201, _done(made, user))


@router.post("/create-from-isic-ids/", auth=somebody, response={202: CollectionMadeOut}, url_name="collection_filled")
def make_collection_from_isic_ids(request: HttpRequest, given: CollectionFilledIn) -> Any:
    """Make a collection of named images; a job fills it, whose progress the answer's `batch` begins."""
    made, batch = create_filled(
        creator=user_of(request),
        name=given.name,
        description=given.description,
        public=given.public,
        refs=given.isic_ids,
    )
    return Status(202, {"collection_id": made.pk, "batch": batch_out(batch)})


@router.get("/autocomplete/", auth=anybody, response=list[CollectionOut], url_name="collection_autocomplete")
def autocomplete_collections(request: HttpRequest, query: str) -> Any:
    """At most 20 collections whose name has all these words; none for fewer than three characters."""
    asker = caller_of(request).user
    return shown_collections(suggest(asker, query[:200]), asker)


@router.get("/{int:collection_id}/", auth=anybody, response=CollectionDetailOut, url_name="collection_detail")
def show_collection(request: HttpRequest, collection_id: int) -> Any:
    """One collection."""
    asker = caller_of(request).user
    return _detail(collection_for(asker, collection_id), asker)


@router.patch("/{int:collection_id}/", auth=somebody, response=CollectionDetailOut, url_name="collection_detail")
def change_one_collection(request: HttpRequest, collection_id: int, given: CollectionChangeIn) -> Any:
    """Describe a collection; its owner may also rename it and make it public or not."""
    user = user_of(request)
    found = collection_for(user, collection_id)
    changed = change_collection(
        collection=found, actor=user, name=given.name, description=given.description, public=given.public
    )
    return _done(changed, user)


@router.delete("/{int:collection_id}/", auth=somebody, response={204: None}, url_name="collection_detail")
def delete_one_collection(request: HttpRequest, collection_id: int) -> Any:
    """Take a collection away for good; its images stay. Its owner and staff, unless it is locked or pinned."""
    user = user_of(request)
    delete_collection(collection=collection_for(user, collection_id), actor=user)
    return Status(204, None)


@router.get(
    "/{int:collection_id}/attribution/", auth=anybody, response=list[CreditOut], url_name="collection_attribution"
)
def list_collection_attribution(request: HttpRequest, collection_id: int) -> Any:
    """Whose work the images are that the caller sees, under which licences, most images first."""
    asker = caller_of(request).user
    return [
        {
            "license": isic_licence(one.licence),
            "license_spdx": one.licence,
            "attribution": one.attribution,
            "count": one.count,
        }
        for one in credits_of(collection_for(asker, collection_id), asker)
    ]


@router.post(
    "/{int:collection_id}/populate-from-search/",
    auth=somebody,
    response={202: BatchOut},
    url_name="collection_from_search",
)
def populate_collection_from_search(request: HttpRequest, collection_id: int, given: FoundImagesIn) -> Any:
    """Add what a search finds now; a job does it. Its owner, editors and staff."""
    return Status(202, _search(request, collection_id, given, BatchAction.ADD))


@router.post(
    "/{int:collection_id}/remove-from-search/",
    auth=somebody,
    response={202: BatchOut},
    url_name="collection_remove_search",
)
def remove_from_collection_by_search(request: HttpRequest, collection_id: int, given: FoundImagesIn) -> Any:
    """Remove what a search finds now; a job does it. Its owner, editors and staff."""
    return Status(202, _search(request, collection_id, given, BatchAction.REMOVE))


@router.post(
    "/{int:collection_id}/populate-from-isic-ids/",
    auth=somebody,
    response={202: BatchOut},
    url_name="collection_from_isic_ids",
)
def populate_collection_from_isic_ids(request: HttpRequest, collection_id: int, given: NamedImagesIn) -> Any:
    """Add images by name; a job does it. Its owner, editors and staff."""
    user = user_of(request)
    found = collection_for(user, collection_id)
    batch = send_named(collection=found, actor=user, action=BatchAction.ADD, refs=given.isic_ids)
    return Status(202, batch_out(batch))


@router.get(
    "/{int:collection_id}/batches/{uuid:batch_id}/", auth=somebody, response=BatchOut, url_name="collection_batch"
)
def show_collection_batch(request: HttpRequest, collection_id: int, batch_id: UUID) -> Any:
    """How far a job is that adds or removes images: for whoever asked for it, and staff."""
    user = user_of(request)
    return batch_out(batch_for(user, collection_for(user, collection_id), batch_id))


@router.post(
    "/{int:collection_id}/populate-from-list/", auth=somebody, response=AddedOut, url_name="collection_from_list"
)
def populate_collection_from_list(request: HttpRequest, collection_id: int, given: FewImagesIn) -> Any:
    """Add up to 500 images by name at once. Its owner, editors and staff."""
    user = user_of(request)
    done = add_named(collection=collection_for(user, collection_id), actor=user, refs=given.isic_ids)
    return {
        "succeeded": done.succeeded,
        "no_perms_or_does_not_exist": done.absent,
        "private_image_public_collection": done.private,
    }


@router.post(
    "/{int:collection_id}/remove-from-list/", auth=somebody, response=RemovedOut, url_name="collection_remove_list"
)
def remove_from_collection_by_list(request: HttpRequest, collection_id: int, given: FewImagesIn) -> Any:
    """Remove up to 500 images by name at once. Its owner, editors and staff."""
    user = user_of(request)
    done = remove_named(collection=collection_for(user, collection_id), actor=user, refs=given.isic_ids)
    return {"succeeded": done.succeeded, "no_perms_or_does_not_exist": done.absent}


@router.post(
    "/{int:collection_id}/set-pinned/", auth=somebody, response=CollectionDetailOut, url_name="collection_pinned"
)
def pin_collection(request: HttpRequest, collection_id: int, given: PinnedIn) -> Any:
    """Show a public collection before others, or not any more. Staff only."""
    user = user_of(request)
    return _done(set_pinned(collection=collection_for(user, collection_id), actor=user, pinned=given.pinned), user)


@router.post(
    "/{int:collection_id}/set-locked/", auth=somebody, response=CollectionDetailOut, url_name="collection_locked"
)
def lock_collection(request: HttpRequest, collection_id: int, given: LockedIn) -> Any:
    """Lock a collection so that nothing in it changes, or unlock it. Its owner and staff."""
    user = user_of(request)
    return _done(set_locked(collection=collection_for(user, collection_id), actor=user, locked=given.locked), user)


def _search(request: HttpRequest, collection_id: int, given: FoundImagesIn, action: BatchAction) -> dict[str, Any]:
    user = user_of(request)
    batch = change_by_search(
        collection=collection_for(user, collection_id),
        actor=user,
        action=action,
        query=given.query,
        collection_ids=_ids(given.collections),
    )
    return batch_out(batch)


def _ids(given: str | list[int] | None) -> list[int]:
    """Ids of collections, also as ISIC's clients write them: with commas."""
    if not isinstance(given, str):
        return given or []
    parts = [part.strip() for part in given.split(",") if part.strip()]
    if not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts):
        problem = Problem("collections", "These are no ids of collections.", remedy="Write numbers with commas.")
        raise Invalid("The collections are not clear.", problems=[problem])
    return [int(part) for part in parts]


def shown_collections(rows: Sequence[Collection], asker: Asker, *, patient: bool = False) -> list[dict[str, Any]]:
    """Collections as lists of the API show them."""
    names = ("id", "name", "description", "public", "pinned", "locked")
    shown = shown_of(rows, asker, patient=patient)
    return [
        {name: getattr(row, name) for name in names}
        | {"doi": None, "doi_url": None}
        | {"image_count": shown[row.pk].images, "contributors": shown[row.pk].contributors}
        for row in rows
    ]


def _done(row: Collection, user: Asker) -> dict[str, Any]:
    """The detail of a collection that was changed, which is told however long counting takes."""
    return _detail(row, user, patient=True)


def _detail(row: Collection, asker: Asker, *, patient: bool = False) -> dict[str, Any]:
    (shown,) = shown_collections([row], asker, patient=patient)
    edits = may_edit(asker, row)
    return shown | {
        "created": row.created,
        "modified": row.modified,
        "hidden_count": count_listed(row) - shown["image_count"] if edits else None,
        "may_edit": edits,
        "may_share": may_own(asker, row),
        "archives": [{"slug": one.slug, "title": one.title} for one in archives_behind(row, asker)],
    }


def batch_out(batch: Batch) -> dict[str, Any]:
    """A batch as `BatchOut` has it."""
    told = progress_of(batch)
    return {
        "id": told.id,
        "action": told.action,
        "state": told.state,
        "total": told.total,
        "settled": told.settled,
        "changed": told.changed,
        "no_perms_or_does_not_exist": told.absent,
        "no_perms_or_does_not_exist_count": told.absent_count,
        "private_image_public_collection": told.private,
        "private_image_public_collection_count": told.private_count,
        "message": told.words,
    }
