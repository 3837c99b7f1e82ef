"""Downloads: what a search, collections or a selection find now is frozen, and made ready to be sent."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.errors import NotAllowed, NotFound
from medtheca.domains.access.queries import downloadable_images, has_looks_alone, viewer_of, withheld_among
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.queries import collection_for
from medtheca.domains.collections.refs import images_named, names_of
from medtheca.domains.downloads.freezing import freeze
from medtheca.domains.downloads.models import Download
from medtheca.domains.downloads.operations import enqueue_preparing, open_download, prepare_download, require_room
from medtheca.domains.downloads.queries import bytes_of
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.queries import Credit, credits_among
from medtheca.domains.search.index.snapshots import one_snapshot
from medtheca.domains.search.naming import Asker
from medtheca.domains.search.queries import count, find
from medtheca.domains.storage.checksums import Unreadable
from medtheca.toolkit.querylang import Everything, Node
from medtheca.workflows.finding import in_collections, listings

log = logging.getLogger(__name__)

_AT_ONCE = 2.0
"""Seconds for which whoever asks waits, so that small downloads are ready with the answer."""


def make_download(
    *,
    asker: Asker,
    tree: Node | None = None,
    collection_ids: Sequence[int] | None = None,
    refs: Sequence[str] | None = None,
) -> Download:
    """Freeze what is found now, of that what collections hold, or the images named; all that the asker sees of it.

    Every collection and every image named must be visible. Raises `NotFound`, `Invalid`, `TooManyOpen`, `NoSpace`.
    """
    most: int = settings.ENVIRONMENT.download_images
    owner = asker if isinstance(asker, User) else None
    require_room(owner)
    with one_snapshot(patient=True):
        names = [collection_for(asker, pk).name for pk in collection_ids or ()]
        ice = freeze(_found(asker, tree, collection_ids, refs), asker=asker, most=most)
    with transaction.atomic():
        download = open_download(owner=owner, ice=ice, name=_file_name(names))
    try:
        ready = prepare_download(download.pk, seconds=_AT_ONCE)
    except Unreadable:
        ready = True  # The download says so itself.
    if not ready:
        with transaction.atomic():
            enqueue_preparing(download)
    download.refresh_from_db()
    return download


@dataclass(frozen=True, slots=True)
class Preview:
    """What a download would have; of more images than `most`, which is none, neither bytes nor credits are told.

    `withheld` are images that are found, may be looked at only, and would not be in it.
    """

    images: int
    most: int
    bytes: int
    credits: tuple[Credit, ...]
    withheld: int = 0

    @property
    def is_possible(self) -> bool:
        """Whether there is something, and not too much."""
        return 0 < self.images <= self.most


def preview_download(
    *,
    asker: Asker,
    tree: Node | None = None,
    collection_ids: Sequence[int] | None = None,
    refs: Sequence[str] | None = None,
) -> Preview:
    """Say what `make_download` would freeze now. Changes nothing. Raises `NotFound`."""
    most: int = settings.ENVIRONMENT.download_images
    with one_snapshot():
        for pk in collection_ids or ():
            collection_for(asker, pk)
        found = _found(asker, tree, collection_ids, refs)
        withheld = 0
        if refs is None:
            number = count(in_collections(tree or Everything(), collection_ids), asker=asker, listings=listings)
            if has_looks_alone(viewer_of(asker)):
                withheld = number - (number := found.count())
        else:
            number = found.count()
    if number > most:
        return Preview(number, most, 0, (), withheld)
    # What can be made may be told, however long it takes: the button is on that page.
    with one_snapshot(patient=True):
        return Preview(number, most, bytes_of(found), tuple(credits_among(found)), withheld)


def prepare(*, download_id: UUID) -> None:
    """Work out what is missing of a download's checksums."""
    try:
        prepare_download(download_id)
    except Unreadable:
        log.exception("The download %s cannot be made ready.", download_id)


def _found(
    asker: Asker, tree: Node | None, collection_ids: Sequence[int] | None, refs: Sequence[str] | None
) -> QuerySet[Image]:
    """What the asker may take away of what they find; of images that are named, one that they may not is refused."""
    found = find(in_collections(tree or Everything(), collection_ids), asker=asker, listings=listings)
    viewer = viewer_of(asker)
    if refs is not None:
        found = _named(found, refs, asker)
        if withheld := withheld_among(viewer, found.values_list("pk", flat=True)):
            names = ", ".join(sorted(names_of(sorted(withheld)[:5]).values())) + (" …" if len(withheld) > 5 else "")
            raise NotAllowed(f"You may look at {names}, and not download them.", remedy="Leave them out.")
    elif has_looks_alone(viewer):
        found = found.filter(pk__in=downloadable_images(viewer).values("pk"))
    return found


def _named(found: QuerySet[Image], refs: Sequence[str], asker: Asker) -> QuerySet[Image]:
    keys = images_named(asker, refs)
    if absent := [ref for ref in dict.fromkeys(refs) if ref not in keys]:
        names = ", ".join(absent[:5]) + (" and others" if len(absent) > 5 else "")
        raise NotFound(f"There is no image {names}.", remedy="Leave them out, or look for what they are called now.")
    return found.filter(pk__in=list(keys.values()))


def _file_name(collections: Sequence[str]) -> str:
    """What the ZIP is called, without its ending: after the collection where it is of one.

    >>> _file_name(["Challenge 2017: Training"]), _file_name([])
    ('Challenge-2017-Training', 'images')
    """
    name = collections[0] if len(collections) == 1 else ""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:80] or "images"
