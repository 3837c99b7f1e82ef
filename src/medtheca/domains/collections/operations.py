"""Making, describing, pinning, locking and deleting collections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from medtheca.base.errors import Conflict, Invalid, NotAllowed, Problem
from medtheca.domains.access.enums import ScopeKind
from medtheca.domains.access.models import Placement, Scope
from medtheca.domains.access.operations import create_scope
from medtheca.domains.access.queries import open_public_placements, viewer_of, visible_images
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.access import require_editor, require_owner
from medtheca.domains.collections.contents import hold, hold_as_it_is
from medtheca.domains.collections.errors import Locked, NameTaken, PrivateImages
from medtheca.domains.collections.models import Collection
from medtheca.domains.collections.refs import names_of
from medtheca.domains.ledger.operations import record

LONGEST_NAME = 200
LONGEST_DESCRIPTION = 20_000
MOST_OWNED = 1000
"""Collections that one person may have made: rows cost the maker nothing."""

MOST_NAMED = 10_000
"""Private images that a refusal names one by one."""

_NO_NAME = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


def create_collection(*, creator: User, name: str, description: str = "", public: bool = False) -> Collection:
    """Make an empty collection.

    Raises `NotAllowed`, `Invalid`, `NameTaken`, or `Conflict` for more than `MOST_OWNED`.
    """
    if not creator.is_active:
        raise NotAllowed("Only people who can log in may make collections.")
    checked = _checked({"name": name, "description": description})
    with transaction.atomic(), _names_once(checked["name"]):
        # The person's row is the queue: two at once cannot both be the last that is allowed.
        User.objects.select_for_update(no_key=True).get(pk=creator.pk)
        if Collection.objects.filter(creator=creator).count() >= MOST_OWNED:
            raise Conflict(f"You have {MOST_OWNED:,} collections, which is the most.", remedy="Delete one first.")
        made = Collection.objects.create(
            creator=creator,
            public=public,
            listing=create_scope(kind=ScopeKind.COLLECTION, name=checked["name"]),
            sharing=create_scope(kind=ScopeKind.SHARING, name=checked["name"]),
            **checked,
        )
        _record(creator, "collection.created", made, public=public)
    return made


def change_collection(
    *,
    collection: Collection,
    actor: User,
    name: str | None = None,
    description: str | None = None,
    public: bool | None = None,
) -> Collection:
    """Rename, describe, show to everybody or not any more; None leaves as it is. Returns it as it is now.

    Editors describe; only the owner renames and decides who sees it. Raises `NotAllowed`, `Locked`, `Invalid`,
    `NameTaken`, `PrivateImages` with every image that is in the way, or `Conflict` for a pinned one that shall not be
    public.
    """
    require_editor(actor, collection, to="change it")
    if name is not None or public is not None:
        require_owner(actor, collection, to="rename it or change who sees it")
    given = {"name": name, "description": description}
    changes: dict[str, Any] = _checked({key: value for key, value in given.items() if value is not None})
    with transaction.atomic(), _names_once(changes.get("name", "")):
        held = hold(collection, to="change it")
        if public is not None and public != held.public:
            if public:
                require_public_images(held, actor)
            elif held.pinned:
                raise Conflict("A pinned collection is public.", remedy="Have the staff unpin it first.")
            changes["public"] = public
        changed = sorted(key for key, value in changes.items() if value != getattr(held, key))
        for key in changed:
            setattr(held, key, changes[key])
        if changed:
            held.save(update_fields=[*changed, "modified"])
            _record(actor, "collection.changed", held, fields=changed)
        if "name" in changed:
            Scope.objects.filter(pk__in=[held.listing_id, held.sharing_id]).update(name=held.name[:255])
    return held


def require_public_images(collection: Collection, actor: User) -> None:
    """Raise `PrivateImages` with every image of the collection that is not public, as far as the person sees it."""
    private = _not_public(collection)
    number = private.count()
    if not number:
        return
    seen = visible_images(viewer_of(actor)).filter(pk__in=private.values("image"))
    ids = list(seen.order_by("pk").values_list("pk", flat=True)[:MOST_NAMED])
    names = names_of(ids)
    problems = [Problem(names[pk], f"{names[pk]} is not public.", code="private_image") for pk in ids]
    hidden = number - len(ids)
    rest = f" {hidden:,} of them cannot be named here." if hidden else ""
    raise PrivateImages(
        f"{number:,} images of the collection are not public, so it cannot be.{rest}",
        problems=problems,
        remedy="Remove them, or have them published first.",
    )


def _not_public(collection: Collection) -> QuerySet[Placement]:
    public = open_public_placements().filter(image=OuterRef("image"))
    return Placement.objects.filter(scope=collection.listing_id).filter(~Exists(public))


def set_pinned(*, collection: Collection, actor: User, pinned: bool) -> Collection:
    """Show a public collection first, or not any more. Staff only.

    Raises `NotAllowed`, `Invalid` for one that is not public, or `NameTaken` where another of the name is pinned.
    """
    if not actor.is_active or not actor.is_staff:
        raise NotAllowed("Only staff may pin collections.")
    with transaction.atomic(), _names_once(collection.name, pinned=True):
        held = hold_as_it_is(collection)
        if pinned and not held.public:
            problem = Problem("pinned", "Only a public collection can be pinned.", remedy="Make it public first.")
            raise Invalid("The collection cannot be pinned.", problems=[problem])
        if held.pinned != pinned:
            held.pinned = pinned
            held.save(update_fields=["pinned", "modified"])
            _record(actor, "collection.pinned" if pinned else "collection.unpinned", held)
    return held


def set_locked(*, collection: Collection, actor: User, locked: bool) -> Collection:
    """Lock a collection so that nothing in it changes, or unlock it. Its owner and staff.

    Raises `NotAllowed`, or `Locked` for one that stays locked for a reason.
    """
    require_owner(actor, collection, to="lock or unlock it")
    with transaction.atomic():
        held = hold_as_it_is(collection)
        if not locked and held.lock_reason:
            raise Locked(f"{held.name} stays locked. {held.lock_reason}")
        if held.locked != locked:
            held.locked = locked
            held.save(update_fields=["locked", "modified"])
            _record(actor, "collection.locked" if locked else "collection.unlocked", held)
    return held


def delete_collection(*, collection: Collection, actor: User) -> None:
    """Take a collection away for good; its images stay where they are. Its owner and staff.

    Raises `NotAllowed`, `Locked`, or `Conflict` for a pinned one.
    """
    require_owner(actor, collection, to="delete it")
    with transaction.atomic():
        held = hold(collection, to="delete it")
        if held.pinned:
            raise Conflict("A pinned collection cannot be deleted.", remedy="Have the staff unpin it first.")
        _record(actor, "collection.deleted", held)
        remove_whole(held)


def remove_whole(held: Collection) -> None:
    """Remove a collection that is held, with its scopes. Call in a transaction."""
    scopes = [held.listing_id, held.sharing_id]
    held.delete()
    Placement.objects.filter(scope__in=scopes).delete()
    Scope.objects.filter(pk__in=scopes).delete()


@contextmanager
def _names_once(name: str, *, pinned: bool = False) -> Iterator[None]:
    """The database's refusal of a name that is taken, in words."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "collection_name_once" not in str(error):
            raise
        whose = "A pinned collection" if pinned or "once_pinned" in str(error) else "Another collection of the owner"
        raise NameTaken(f"{whose} is called {name} already.", remedy="Choose another name.") from error


def _checked(given: dict[str, str]) -> dict[str, str]:
    problems = []
    values = {key: value.strip() for key, value in given.items()}
    name, description = values.get("name"), values.get("description", "")
    if name is not None and (not name or len(name) > LONGEST_NAME or _NO_NAME.search(name)):
        words = "The name is missing." if not name else "This cannot be a collection's name."
        problems.append(Problem("name", words, remedy=f"Write up to {LONGEST_NAME} characters in one line."))
    if len(description) > LONGEST_DESCRIPTION or _NO_TEXT.search(description):
        remedy = f"Write up to {LONGEST_DESCRIPTION:,} characters of text."
        problems.append(Problem("description", "The description cannot be kept.", remedy=remedy))
    if problems:
        raise Invalid("The collection cannot be described so.", problems=problems)
    return values


def _record(actor: User, verb: str, collection: Collection, **details: Any) -> None:
    record(actor_id=actor.pk, verb=verb, subject_type="collection", subject_id=collection.pk, details=details)
