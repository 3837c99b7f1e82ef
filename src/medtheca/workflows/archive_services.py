"""Items of archives are given to services, which know nothing of archives: collections, and others when they come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from medtheca.base.errors import Invalid
from medtheca.domains.access.queries import open_public_placements
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import Asker, Standing, listed_archives
from medtheca.domains.archives.enums import Service
from medtheca.domains.archives.models import Archive, ServiceLink
from medtheca.domains.archives.selecting import Selection, images_in_items, items_selected
from medtheca.domains.archives.services import archives_used_by, note_use, require_service, uses_of
from medtheca.domains.collections.access import visible_collections
from medtheca.domains.collections.batches import send_batch
from medtheca.domains.collections.enums import BatchAction
from medtheca.domains.collections.models import Batch, Collection
from medtheca.domains.collections.operations import create_collection

_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class NewCollection:
    """A collection that is to be made."""

    name: str
    description: str = ""
    public: bool = False


@dataclass(frozen=True, slots=True)
class Collected:
    """A collection that is being filled: the job that does it, what was noted, and of how many items and images."""

    collection: Collection
    batch: Batch
    link: ServiceLink
    items: int
    images: int


@dataclass(frozen=True, slots=True)
class Used:
    """One thing that uses items of an archive, as somebody is told of it. Of what they do not see, `name` is empty."""

    service: Service
    target: str
    name: str
    whole: bool
    items: int
    by: str
    at: datetime


def collect_items(
    *,
    archive: Archive,
    actor: User,
    into: Collection | NewCollection,
    selection: Selection,
    overlays: bool = False,
) -> Collected:
    """Add the images of items to a collection, or to a new one, by a job, and note that they are used there.

    Masks and other overlays are left out unless `overlays` asks for them. Images that the actor does not see are not
    among them, and a public collection takes public ones alone, as ever. Raises as `require_service` and
    `items_selected`, `Invalid` where there is nothing to add, and as `create_collection` and `send_batch`.
    """
    require_service(actor, archive, Service.COLLECTION)
    with transaction.atomic():
        chosen = items_selected(archive, selection)
        item_ids = list(chosen.values_list("pk", flat=True))
        images = images_in_items(chosen, actor, overlays=overlays)
        if not images:
            words = "The items hold no image that you see." if item_ids else "No item is found so."
            remedy = "Masks and other overlays are added only where they are asked for." if item_ids else ""
            raise Invalid(words, remedy=remedy or "Choose other items.")
        if into.public:
            _require_some_public(images, into.name)
        if isinstance(into, NewCollection):
            made = create_collection(creator=actor, name=into.name, description=into.description, public=into.public)
        else:
            made = into
        batch = send_batch(collection=made, actor=actor, action=BatchAction.ADD, image_ids=images)
        link = note_use(
            archive=archive,
            actor=actor,
            service=Service.COLLECTION,
            target=str(made.pk),
            item_ids=item_ids,
            whole=selection.is_whole,
        )
    return Collected(made, batch, link, len(item_ids), len(images))


def _require_some_public(image_ids: Sequence[int], name: str) -> None:
    """What is not public is told by the job; where that is everything, nothing is begun."""
    parts = (image_ids[at : at + _AT_ONCE] for at in range(0, len(image_ids), _AT_ONCE))
    if not any(open_public_placements().filter(image__in=part).exists() for part in parts):
        number = len(image_ids)
        words = "The image is" if number == 1 else f"All {number:,} images are"
        raise Invalid(f"{words} not public, and {name} is.", remedy="Choose a private collection.")


def used_in(archive: Archive, asker: Asker, standing: Standing) -> list[Used]:
    """What uses the items of an archive, the latest first, for whoever sees these.

    Its people are told of what they may see. Its editors are told of the rest as well, by whom and when, and not what
    it is called: it is their images that are used, and somebody else's collection.
    """
    links = uses_of(archive) if standing.sees_items else []
    names = _names(links, asker)
    told = [
        Used(
            Service(link.service),
            link.target if (link.service, link.target) in names else "",
            names.get((link.service, link.target), ""),
            link.whole,
            link.number,
            link.by.shown_name if link.by is not None and standing.edits else "",
            link.at,
        )
        for link in links
    ]
    return [one for one in told if one.name or standing.edits]


def _names(links: Iterable[ServiceLink], asker: Asker) -> dict[tuple[str, str], str]:
    """What things are called that the asker sees. A service that comes adds its own here."""
    ids = [int(link.target) for link in links if link.service == Service.COLLECTION]
    rows = visible_collections(asker).filter(pk__in=ids).values_list("pk", "name")
    return {(Service.COLLECTION.value, str(pk)): name for pk, name in rows}


def archives_behind(collection: Collection, asker: Asker) -> list[Archive]:
    """Archives whose items' images were added to a collection, as far as lists show them to the asker, by title."""
    keys = archives_used_by(Service.COLLECTION, str(collection.pk))
    return list(listed_archives(asker).filter(pk__in=keys).order_by("title", "pk")) if keys else []
