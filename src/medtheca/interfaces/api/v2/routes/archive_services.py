"""What the items of archives may be used for, and are: collections now, other services when they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja import Router, Status

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.archives.access import require_seeing_items, standing_in
from medtheca.domains.archives.enums import Service
from medtheca.domains.archives.queries import archive_named
from medtheca.domains.archives.searching import read_query
from medtheca.domains.archives.selecting import Selection
from medtheca.domains.archives.services import OFFERS, require_service
from medtheca.domains.collections.queries import collection_for
from medtheca.interfaces.api.v2.calling import caller_of, user_of
from medtheca.interfaces.api.v2.routes.collections import batch_out
from medtheca.interfaces.api.v2.shapes.archive_services import (
    CollectedOut,
    ServiceIn,
    ServiceName,
    ServiceOut,
    UsedOut,
    service_out,
    used_out,
)
from medtheca.interfaces.http.api_auth import anybody, somebody
from medtheca.workflows.archive_services import NewCollection, collect_items, used_in

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.collections.models import Collection

router = Router(tags=["archives"])


@router.get("/{archive_ref}/services/", auth=anybody, response=list[ServiceOut], url_name="archive_services")
def list_archive_services(request: HttpRequest, archive_ref: str) -> Any:
    """What the items of an archive may be used for, by whom, and what is still to come."""
    asker = caller_of(request).user
    standing = standing_in(asker, archive_named(asker, archive_ref))
    return [service_out(offer, standing) for offer in OFFERS]


@router.get("/{archive_ref}/uses/", auth=somebody, response=list[UsedOut], url_name="archive_uses")
def list_archive_uses(request: HttpRequest, archive_ref: str) -> Any:
    """What uses items of an archive, the latest first, a hundred at most. Its people."""
    user = user_of(request)
    archive = archive_named(user, archive_ref)
    return [used_out(one) for one in used_in(archive, user, require_seeing_items(user, archive))]


@router.post(
    "/{archive_ref}/services/{service}/", auth=somebody, response={202: CollectedOut}, url_name="archive_service"
)
def use_archive(request: HttpRequest, archive_ref: str, service: ServiceName, given: ServiceIn) -> Any:
    """Give items of an archive to a service.

    `collection` adds their images to one that there is, or with `name` to a new one, by a job whose progress the
    answer's `batch` begins. Editors, uploaders and users may. The other services are 409 with the code `not_here_yet`.
    """
    user = user_of(request)
    archive = archive_named(user, archive_ref)
    require_service(user, archive, Service(service))
    selection = Selection(given.items, read_query(given.q, archive=archive))
    into = _into(given, user)
    done = collect_items(archive=archive, actor=user, into=into, selection=selection, overlays=given.overlays)
    told = {"collection_id": done.collection.pk, "items": done.items, "images": done.images}
    return Status(202, {**told, "batch": batch_out(done.batch)})


def _into(given: ServiceIn, user: User) -> Collection | NewCollection:
    if (given.collection is None) == (given.name is None):
        problem = Problem("collection", "Name one collection.", remedy="Its id, or `name` for a new one.")
        raise Invalid("It is not clear where the images go.", problems=[problem])
    if given.collection is not None:
        return collection_for(user, given.collection)
    return NewCollection(given.name or "", given.description, given.public)
