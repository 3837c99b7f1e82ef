"""Putting images into collections and taking them out. Each call is one transaction; large sets come as batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from medtheca.base.errors import NotFound
from medtheca.domains.access.models import Placement
from medtheca.domains.access.queries import open_public_placements, viewer_of, visible_images
from medtheca.domains.access.sharing import hang, take_down
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.access import require_editor, showable_images
from medtheca.domains.collections.enums import ChangeKind
from medtheca.domains.collections.errors import Locked
from medtheca.domains.collections.models import Change, Collection
from medtheca.domains.collections.refs import images_named, images_named_within
from medtheca.domains.ledger.operations import record

MOST_AT_ONCE = 500
"""Images that one request may name to have them added or removed while it waits, as in the ISIC API."""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of images that were to be added, by their keys.

    Of those `accepted`, `fresh` were not there before. `private` are not public, so a public collection refuses them;
    `unseen` the person may not see, or there are none.
    """

    accepted: tuple[int, ...] = ()
    fresh: tuple[int, ...] = ()
    private: tuple[int, ...] = ()
    unseen: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The same in the words in which images were named, in the order in which they were."""

    succeeded: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    changed: int = 0


def hold_as_it_is(collection: Collection) -> Collection:
    """The collection as it is now, whose row nobody else changes until the transaction ends.

    Raises `NotFound` where it was deleted meanwhile.
    """
    held = Collection.objects.select_for_update(no_key=True).filter(pk=collection.pk).first()
    if held is None:
        raise NotFound(f"There is no collection {collection.pk}.")
    return held


def hold(collection: Collection, *, to: str) -> Collection:
    """As `hold_as_it_is`, for a change of what is in it or what it says. Raises `Locked`."""
    held = hold_as_it_is(collection)
    if held.locked:
        raise Locked(
            f"{held.name} is locked, so nobody can {to}." + (f" {held.lock_reason}" if held.lock_reason else ""),
            remedy="" if held.lock_reason else "Its owner can unlock it.",
        )
    return held


def add_images(*, collection: Collection, actor: User, image_ids: Sequence[int]) -> Added:
    """Add images; those already there stay. Raises `NotAllowed` or `Locked`. Call with some thousands at most.

    What the person may show to others is shown to those with whom the collection is shared; the rest only to who sees
    it anyway.
    """
    require_editor(actor, collection, to="add images")
    with transaction.atomic():
        held = hold(collection, to="add images")
        wanted = list(dict.fromkeys(image_ids))
        seen = set(visible_images(viewer_of(actor)).filter(pk__in=wanted).values_list("pk", flat=True))
        public = set(open_public_placements().filter(image__in=wanted).values_list("image", flat=True))
        accepted = [pk for pk in wanted if pk in seen and (pk in public or not held.public)]
        there = Placement.objects.filter(scope=held.listing_id, image__in=accepted)
        present = set(there.values_list("image", flat=True))
        fresh = [pk for pk in accepted if pk not in present]
        if fresh:
            hang(image_ids=fresh, scope=held.listing_id)
            Change.objects.create(collection=held, by=actor, kind=ChangeKind.ADDED, images=fresh)
        show(held, actor, [pk for pk in accepted if pk not in public])
    return Added(
        accepted=tuple(accepted),
        fresh=tuple(fresh),
        private=tuple(pk for pk in wanted if pk in seen and held.public and pk not in public),
        unseen=tuple(pk for pk in wanted if pk not in seen),
    )


def show(held: Collection, actor: User, image_ids: Sequence[int]) -> None:
    """Show images of a held collection to those it is shared with, as far as the person may.

    Public images are not the caller's to give: everybody sees them anyway, and nobody shall go on seeing them through
    a collection when they are not public any more.
    """
    mine = set(showable_images(actor).filter(pk__in=image_ids).values_list("pk", flat=True))
    there = Placement.objects.filter(scope=held.sharing_id, image__in=mine)
    fresh = sorted(mine - set(there.values_list("image", flat=True)))
    if mine:
        hang(image_ids=fresh, scope=held.sharing_id)
        # Also of those that somebody else has shown: they stay when that one may not show them any more.
        Change.objects.create(collection=held, by=actor, kind=ChangeKind.SHARED, images=sorted(mine))


def remove_images(*, collection: Collection, actor: User, image_ids: Iterable[int]) -> int:
    """Take images out, also such as the person does not see any more; return how many were there.

    Raises `NotAllowed` or `Locked`.
    """
    require_editor(actor, collection, to="remove images")
    with transaction.atomic():
        held = hold(collection, to="remove images")
        there = Placement.objects.filter(scope=held.listing_id, image__in=list(image_ids))
        gone = sorted(there.values_list("image", flat=True))
        if gone:
            take_down(image_ids=gone, scopes=[held.listing_id, held.sharing_id])
            Change.objects.create(collection=held, by=actor, kind=ChangeKind.REMOVED, images=gone)
    return len(gone)


def add_named(*, collection: Collection, actor: User, refs: Sequence[str]) -> Outcome:
    """Add images by public id or key, each with its outcome. Raises `NotAllowed` or `Locked`."""
    require_editor(actor, collection, to="add images")
    with transaction.atomic():
        found = images_named(actor, refs)
        added = add_images(collection=collection, actor=actor, image_ids=list(found.values()))
        _note(actor, "collection.images_added", collection, len(added.fresh))
    accepted, private = set(added.accepted), set(added.private)
    names = list(dict.fromkeys(refs))
    return Outcome(
        succeeded=tuple(ref for ref in names if found.get(ref) in accepted),
        private=tuple(ref for ref in names if found.get(ref) in private),
        absent=tuple(ref for ref in names if ref not in found or found[ref] not in accepted | private),
        changed=len(added.fresh),
    )


def remove_named(*, collection: Collection, actor: User, refs: Sequence[str]) -> Outcome:
    """Remove images by public id or key; those that were not in it count as removed. Raises as `add_named`."""
    require_editor(actor, collection, to="remove images")
    with transaction.atomic():
        found = images_named_within(collection, actor, refs)
        removed = remove_images(collection=collection, actor=actor, image_ids=found.values())
        _note(actor, "collection.images_removed", collection, removed)
    names = list(dict.fromkeys(refs))
    return Outcome(
        succeeded=tuple(ref for ref in names if ref in found),
        absent=tuple(ref for ref in names if ref not in found),
        changed=removed,
    )


def _note(actor: User, verb: str, collection: Collection, number: int) -> None:
    if number:
        record(
            actor_id=actor.pk,
            verb=verb,
            subject_type="collection",
            subject_id=collection.pk,
            details={"images": number},
        )
