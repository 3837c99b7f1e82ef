"""Writing scopes, members and placements. Who may is decided by the domain whose scope it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from medtheca.base.errors import Conflict
from medtheca.domains.access.enums import Role, ScopeKind, Visibility
from medtheca.domains.access.models import Membership, Placement, Scope, Withdrawal
from medtheca.domains.access.queries import public_scope_id, signed_in_scope_id
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.models import Image


def create_scope(*, kind: ScopeKind, name: str) -> Scope:
    """Make a circle without members."""
    return Scope.objects.create(kind=kind, name=name[:255])


def add_member(*, scope: Scope, user: User, role: Role) -> None:
    """Let a person into a circle, or change their role there."""
    Membership.objects.update_or_create(scope=scope, user=user, defaults={"role": role})


def remove_member(*, scope: Scope, user: User) -> None:
    """Take a person out of a circle. Raises `Conflict` for the last owner."""
    with transaction.atomic():
        owners = set(
            Membership.objects.select_for_update()
            .filter(scope=scope, role=Role.OWNER)
            .values_list("user_id", flat=True)
        )
        if owners == {user.pk}:
            raise Conflict(
                f"{user.email} is the last owner.", remedy="Make somebody else an owner first.", code="last_owner"
            )
        Membership.objects.filter(scope=scope, user=user).delete()


def place_images(*, image_ids: Iterable[int], scope_ids: Iterable[int], opens: datetime | None = None) -> None:
    """Hang images in scopes; where they hang already, only the embargo changes."""
    scopes = list(scope_ids)
    Placement.objects.bulk_create(
        [Placement(image_id=image, scope_id=scope, opens=opens) for image in image_ids for scope in scopes],
        update_conflicts=True,
        unique_fields=["image", "scope"],
        update_fields=["opens"],
    )


def set_visibility(*, image_ids: Iterable[int], visibility: Visibility, opens: datetime | None = None) -> None:
    """Show images to the public or the signed-in, or to neither. Circles of owners and members stay as they are."""
    images = list(image_ids)
    wanted = {
        Visibility.PUBLIC: [public_scope_id(), signed_in_scope_id()],
        Visibility.SIGNED_IN: [signed_in_scope_id()],
        Visibility.PRIVATE: [],
    }[visibility]
    with transaction.atomic():
        wide = Placement.objects.filter(image__in=images, scope__in=[public_scope_id(), signed_in_scope_id()])
        wide.exclude(scope__in=wanted).delete()
        place_images(image_ids=images, scope_ids=wanted, opens=opens)


def withdraw_image(*, image: Image, reason: str, user: User) -> None:
    """Take an image from everybody's view but its owners' and the staff's, with a tombstone."""
    with transaction.atomic():
        set_visibility(image_ids=[image.pk], visibility=Visibility.PRIVATE)
        Withdrawal.objects.update_or_create(image=image, defaults={"reason": reason[:500], "by": user})
