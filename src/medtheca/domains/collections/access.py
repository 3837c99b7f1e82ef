"""Who sees collections, who may change them, and whose images somebody may show to others."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from medtheca.base.errors import NotAllowed
from medtheca.domains.access.access import scopes_joined
from medtheca.domains.access.enums import Role
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.models import Collection, Editor
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.enums import AccessionState, ReviewState
from medtheca.domains.provenance.models import Accession

Asker = User | AnonymousUser | None


def person_of(asker: Asker) -> User | None:
    """The active person who asks, or nobody."""
    return asker if isinstance(asker, User) and asker.is_active else None


def visible_collections(asker: Asker) -> QuerySet[Collection]:
    """Public ones, the person's own, those that they edit, those shared with them; all for staff.

    What is in one that they see is another matter: see `queries.images_in`.
    """
    user = person_of(asker)
    if user is None:
        return Collection.objects.filter(public=True)
    if user.is_staff:
        return Collection.objects.all()
    edited = Editor.objects.filter(user=user).values("collection")
    shared = scopes_joined(user).values("scope")
    return Collection.objects.filter(Q(public=True) | Q(creator=user) | Q(pk__in=edited) | Q(sharing__in=shared))


def may_own(asker: Asker, collection: Collection) -> bool:
    """Whether the person answers for the collection: its creator, or staff."""
    user = person_of(asker)
    return user is not None and (user.is_staff or user.pk == collection.creator_id)


def may_edit(asker: Asker, collection: Collection) -> bool:
    """Whether the person may add and remove images and describe it: creator, editors, staff."""
    user = person_of(asker)
    if user is None:
        return False
    return may_own(user, collection) or Editor.objects.filter(collection=collection, user=user).exists()


def require_owner(user: User, collection: Collection, *, to: str) -> None:
    """Raise `NotAllowed` unless the person answers for the collection; `to` says what they wanted to do."""
    if not may_own(user, collection):
        raise NotAllowed(f"Only the owner of the collection may {to}.", remedy="Ask its owner.")


def require_editor(user: User, collection: Collection, *, to: str) -> None:
    """Raise `NotAllowed` unless the person may edit the collection; `to` says what they wanted to do."""
    if not may_edit(user, collection):
        raise NotAllowed(f"Only the owner and the editors of the collection may {to}.", remedy="Ask its owner.")


def showable_images(user: User) -> QuerySet[Image]:
    """Images that the person may show to others: of cohorts that they own or edit, taken in whole, not rejected in
    review and not withdrawn. Staff may show all of these. What was only shown to somebody is not theirs to pass on.
    """
    accessions = Accession.objects.filter(state=AccessionState.CONVERTED, image__isnull=False)
    accessions = accessions.exclude(review_state=ReviewState.REJECTED)
    if not user.is_staff:
        mine = scopes_joined(user).filter(role__in=[Role.OWNER, Role.EDITOR]).values("scope")
        accessions = accessions.filter(Q(cohort__scope__in=mine) | Q(cohort__contributor__scope__in=mine))
    return Image.objects.filter(pk__in=accessions.values("image"), withdrawal__isnull=True)
