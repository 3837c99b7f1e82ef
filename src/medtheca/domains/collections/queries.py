"""Reading collections: which there are for somebody, what is in them for that person, whose work it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from medtheca.base.clock import now
from medtheca.base.errors import NotFound
from medtheca.domains.access.access import scopes_joined
from medtheca.domains.access.enums import PUBLIC_SCOPE, SIGNED_IN_SCOPE
from medtheca.domains.access.models import Placement
from medtheca.domains.access.queries import Viewer, open_public_placements, viewer_of, visible_images
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.access import Asker, person_of, visible_collections
from medtheca.domains.collections.enums import BatchState
from medtheca.domains.collections.models import Batch, Collection, Editor
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.queries import Credit, credits_among

COVERS = 3
"""Images that stand for a collection in a list."""

SHORTEST_PREFIX = 3
_MOST_SUGGESTED = 20
_LAST = timedelta(days=1)
_LARGEST_KEY = 2**63 - 1


def collection_for(asker: Asker, collection_id: int) -> Collection:
    """A collection that the person sees. Raises `NotFound`."""
    found = None
    if 0 < collection_id <= _LARGEST_KEY:
        found = visible_collections(asker).select_related("creator").filter(pk=collection_id).first()
    if found is None:
        raise NotFound(f"There is no collection {collection_id}.")
    return found


def collections_of(user: User) -> QuerySet[Collection]:
    """Those that the person made or edits, by name."""
    edited = Editor.objects.filter(user=user).values("collection")
    return Collection.objects.filter(Q(creator=user) | Q(pk__in=edited)).order_by("name", "pk")


def shared_with(user: User) -> QuerySet[Collection]:
    """Those of others that were shared with the person, or that they edit."""
    edited = Editor.objects.filter(user=user).values("collection")
    shared = scopes_joined(user).values("scope")
    rows = Collection.objects.filter(Q(sharing__in=shared) | Q(pk__in=edited)).exclude(creator=user)
    return rows.order_by("name", "pk")


def owners_named(collections: Iterable[Collection], asker: Asker) -> dict[int, str]:
    """What the asker calls the owner of each collection, by its id. Only those who have a part in it read the name;
    in public people appear under their pseudonyms.
    """
    rows, user = list(collections), person_of(asker)
    known: set[int] = set()
    if user is not None:
        known = {row.pk for row in rows if user.is_staff or row.creator_id == user.pk}
        known |= set(shared_with(user).filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    return {row.pk: row.creator.shown_name if row.pk in known else f"User {row.creator.hash_id}" for row in rows}


def images_in(collection: Collection, asker: Asker) -> QuerySet[Image]:
    """Those images of a collection that the person may see. The caller has found the collection by `collection_for`."""
    listed = Placement.objects.filter(scope=collection.listing_id).values("image")
    return visible_images(viewer_of(asker)).filter(pk__in=listed)


def count_images(collections: Iterable[Collection], asker: Asker) -> dict[int, int]:
    """How many images each collection has for the person, by its id; one statement for all of them."""
    ids = {row.listing_id: row.pk for row in collections}
    rows = _listed_and_visible(viewer_of(asker)).filter(scope__in=list(ids))
    counted = dict(rows.order_by().values_list("scope").annotate(number=Count("pk")))
    return {pk: counted.get(scope, 0) for scope, pk in ids.items()}


def count_listed(collection: Collection) -> int:
    """How many images are in a collection, whoever may see them. For those who may edit it."""
    return Placement.objects.filter(scope=collection.listing_id).count()


def count_not_shared(collection: Collection) -> int:
    """Images of a collection that it shows to nobody: not public, not for all who are signed in, and not shared."""
    everywhere = Placement.objects.filter(image=OuterRef("image")).filter(Q(opens__isnull=True) | Q(opens__lte=Now()))
    shown = everywhere.filter(scope__in=[PUBLIC_SCOPE, SIGNED_IN_SCOPE, collection.sharing_id])
    return Placement.objects.filter(scope=collection.listing_id).filter(~Exists(shown)).count()


def covers_of(collections: Iterable[Collection], asker: Asker) -> dict[int, list[Image]]:
    """The first images of each collection that the person sees, at most `COVERS`, by the collection's id."""
    placed = _listed_and_visible(viewer_of(asker)).filter(scope=OuterRef("listing")).order_by("image")
    rows = Collection.objects.filter(pk__in=[row.pk for row in collections])
    found = rows.annotate(cover=ArraySubquery(placed.values("image")[:COVERS])).order_by()
    covers = dict(found.values_list("pk", "cover"))
    images = Image.objects.in_bulk({pk for cover in covers.values() for pk in cover})
    return {pk: [images[one] for one in cover if one in images] for pk, cover in covers.items()}


def _listed_and_visible(viewer: Viewer) -> QuerySet[Placement]:
    if viewer.is_staff:
        return Placement.objects.all()
    if viewer == Viewer():
        return Placement.objects.filter(Exists(open_public_placements().filter(image=OuterRef("image"))))
    return Placement.objects.filter(image__in=visible_images(viewer).values("pk"))


def credits_of(collection: Collection, asker: Asker) -> list[Credit]:
    """Licences and attributions of the images that the person sees, most images first, anonymous ones last."""
    return credits_among(images_in(collection, asker))


def suggest(asker: Asker, text: str) -> list[Collection]:
    """At most 20 visible collections whose name has all the words, those that begin so first; none for short texts."""
    words = text.strip()
    if len(words) < SHORTEST_PREFIX:
        return []
    rows = visible_collections(asker).select_related("creator")
    for word in words.split():
        rows = rows.filter(name__icontains=word)
    begins = rows.filter(name__istartswith=words).order_by("name", "pk")[:_MOST_SUGGESTED]
    found = list(begins)
    known = [row.pk for row in found]
    return found + list(rows.exclude(pk__in=known).order_by("name", "pk")[: _MOST_SUGGESTED - len(found)])


def named(asker: Asker, text: str) -> list[Collection]:
    """Visible collections that a text names: by id, or by the whole name in any case."""
    wanted = text.strip()
    rows = visible_collections(asker).select_related("creator").order_by("pk")
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < 19:
        found = list(rows.filter(pk=int(wanted)))
        if found:
            return found
    return list(rows.filter(name__iexact=wanted)) if wanted and "\0" not in wanted else []


def containing(image: Image, asker: Asker) -> list[Collection]:
    """Collections with an image that the person sees, among the collections that they see, by name."""
    scopes = Placement.objects.filter(image=image).values("scope")
    return list(visible_collections(asker).filter(listing__in=scopes).order_by("-pinned", "name", "pk"))


def batch_for(asker: Asker, collection: Collection, batch_id: UUID) -> Batch:
    """A batch of a collection, for whoever ordered it and staff: it names images that others may not see.

    Raises `NotFound`.
    """
    user = person_of(asker)
    found = Batch.objects.filter(collection=collection, pk=batch_id).first() if user else None
    if found is None or user is None or not (user.is_staff or found.by_id == user.pk):
        raise NotFound(f"There is no batch {batch_id}.")
    return found


def last_batch(collection: Collection, user: User) -> Batch | None:
    """The person's latest batch of a collection, where it ended in the last day."""
    found = Batch.objects.filter(collection=collection, by=user).order_by("-created", "-pk").first()
    return found if found and found.finished and found.finished > now() - _LAST else None


def batches_under_way(collection: Collection) -> QuerySet[Batch]:
    """Batches of a collection that are not finished, oldest first."""
    return Batch.objects.filter(collection=collection, state=BatchState.WAITING).order_by("created", "pk")
