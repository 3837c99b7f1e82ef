"""Filling collections: from a search, from names, from a cohort; a job does what is too much for one request."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.errors import Invalid
from medtheca.domains.access.models import Placement
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.access import Asker
from medtheca.domains.collections.batches import send_batch, send_named, work_off
from medtheca.domains.collections.contents import add_named
from medtheca.domains.collections.enums import BatchAction
from medtheca.domains.collections.models import Batch, Collection
from medtheca.domains.collections.operations import create_collection
from medtheca.domains.collections.queries import collection_for
from medtheca.domains.imaging.models import Image
from medtheca.domains.search.queries import Wanted, find
from medtheca.domains.search.query_text import read_query
from medtheca.workflows.finding import listings

_CHUNK = 5000


def found_by(query: str | Wanted, *, collection_ids: Sequence[int] = (), asker: Asker) -> QuerySet[Image]:
    """Images that the asker sees and that a search finds, narrowed to collections where some are named.

    `query` is a text of the query language, empty for all, or what was read from one. Raises `BadQuery`, or `NotFound`
    for a collection that the asker does not see.
    """
    images = find(read_query(query) if isinstance(query, str) else query, asker=asker, listings=listings)
    if not collection_ids:
        return images
    scopes = [collection_for(asker, pk).listing_id for pk in collection_ids]
    return images.filter(pk__in=Placement.objects.filter(scope__in=scopes).values("image"))


def change_by_search(
    *,
    collection: Collection,
    actor: User,
    action: BatchAction,
    query: str | Wanted,
    collection_ids: Sequence[int] = (),
) -> Batch:
    """Add or remove what a search finds now, by a job. Raises as `found_by` and `send_batch`."""
    images = found_by(query, collection_ids=collection_ids, asker=actor)
    ids = images.order_by("created", "id").values_list("pk", flat=True).iterator(chunk_size=_CHUNK)
    with transaction.atomic():
        return send_batch(collection=collection, actor=actor, action=action, image_ids=ids)


def create_filled(
    *, creator: User, name: str, description: str = "", public: bool = False, refs: Sequence[str]
) -> tuple[Collection, Batch]:
    """Make a collection and fill it with named images by a job. Raises as `create_collection` and `send_named`."""
    with transaction.atomic():
        made = create_collection(creator=creator, name=name, description=description, public=public)
        return made, send_named(collection=made, actor=creator, action=BatchAction.ADD, refs=refs)


def add_all_named(*, into: Collection | str, actor: User, refs: Sequence[str]) -> tuple[Collection, int]:
    """Add named images, all or none, to a collection or a new one of that name; gives it, and how many are new in it.

    Raises `Invalid` naming an image that is not there for the person or that a public collection refuses, and as
    `create_collection` and `add_named`.
    """
    with transaction.atomic():
        chosen = _chosen(into, actor)
        done = add_named(collection=chosen, actor=actor, refs=refs)
        if done.absent:
            raise Invalid(f"There is no image {done.absent[0]}.", remedy="Choose the images anew in the gallery.")
        if done.private:
            name = done.private[0] if len(refs) == 1 else f"{len(done.private):,} of the images"
            verb = "is" if len(done.private) == 1 else "are"
            raise Invalid(f"{name} {verb} not public, and {chosen.name} is.", remedy="Choose a private collection.")
    return chosen, done.changed


def add_all_found(*, into: Collection | str, actor: User, query: Wanted) -> tuple[Collection, Batch]:
    """Add what a search finds now, by a job, to a collection or to a new one of that name.

    Raises `Invalid` where it finds nothing, and as `create_collection` and `change_by_search`.
    """
    with transaction.atomic():
        chosen = _chosen(into, actor)
        batch = change_by_search(collection=chosen, actor=actor, action=BatchAction.ADD, query=query)
        if not batch.total:
            raise Invalid("The search finds no image.", remedy="Change it in the gallery.")
    return chosen, batch


def _chosen(into: Collection | str, actor: User) -> Collection:
    return create_collection(creator=actor, name=into) if isinstance(into, str) else into


def fill_collection(*, batch_id: UUID) -> None:
    """Work off a batch; run again, it goes on where it was."""
    work_off(batch_id)
