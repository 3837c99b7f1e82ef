"""Sharing collections with people and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from medtheca.domains.collections.access import require_owner
from medtheca.domains.collections.queries import collection_for, count_not_shared
from medtheca.domains.collections.sharing import people_to_share_with, revoke, share, shares_of
from medtheca.interfaces.api.v2.calling import user_of
from medtheca.interfaces.api.v2.shapes.collections import Id, RevokedOut, RevokeIn, SharedOut, ShareIn, SharingOut
from medtheca.interfaces.http.api_auth import somebody

if TYPE_CHECKING:
    from medtheca.domains.collections.models import Collection

router = Router(tags=["collections"], auth=somebody)


@router.get("/sharing-info/", response=list[SharingOut], url_name="collection_sharing_info")
def list_collection_sharing(request: HttpRequest, collection_ids: Query[list[Id]]) -> Any:
    """With whom each of these collections is shared. For their owners, and staff for all."""
    user = user_of(request)
    found = [collection_for(user, pk) for pk in dict.fromkeys(collection_ids[:100])]
    for row in found:
        require_owner(user, row, to="see with whom it is shared")
    return [_sharing(row) for row in found]


@router.post("/{int:collection_id}/share/", response={202: SharedOut}, url_name="collection_share")
def share_collection(request: HttpRequest, collection_id: int, given: ShareIn) -> Any:
    """Share a collection with people and groups. Its owner and staff.

    They see what is public anyway, and what was added by somebody who may show it to others: an owner or editor of the
    image's cohort. Nobody passes on what was only shown to them.
    """
    user = user_of(request)
    found = collection_for(user, collection_id)
    require_owner(user, found, to="share it")
    people = people_to_share_with(user, user_ids=given.user_ids, emails=given.emails)
    done = share(
        collection=found,
        actor=user,
        users=people,
        group_ids=given.group_ids,
        as_editors=given.editors,
        tell=given.notify,
    )
    return Status(202, {"shared": done.fresh, "images_shown": done.shown})


@router.post("/{int:collection_id}/revoke/", response=RevokedOut, url_name="collection_revoke")
def revoke_collection(request: HttpRequest, collection_id: int, given: RevokeIn) -> Any:
    """Take back what is shared with people and groups: its owner and staff, and whoever leaves by themselves.

    Images that only this collection showed them are closed to them within a minute.
    """
    user = user_of(request)
    found = collection_for(user, collection_id)
    return {"revoked": revoke(collection=found, actor=user, user_ids=given.user_ids, group_ids=given.group_ids)}


def _sharing(row: Collection) -> dict[str, Any]:
    shares = shares_of(row)
    return {
        "id": row.pk,
        "name": row.name,
        "public": row.public,
        "owner": {"id": row.creator_id, "name": row.creator.shown_name},
        "shared_with": [
            {"id": one.user.pk, "name": one.name, "editor": one.edits} for one in shares if one.user is not None
        ],
        "shared_with_groups": [{"id": one.group.pk, "name": one.name} for one in shares if one.group is not None],
        "not_shared_count": count_not_shared(row),
    }
