"""Circles that become one: their people, their invitations and their images."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from medtheca.domains.access.enums import RANK, Role
from medtheca.domains.access.models import Invitation, Membership, Placement, Scope
from medtheca.domains.access.operations import place_images

_CHUNK = 5000


def move_images(*, image_ids: Iterable[int], source: int, target: int) -> None:
    """Hang images of one circle in another; what others see of them stays as it is. Both are ids of scopes."""
    wanted = list(image_ids)
    with transaction.atomic():
        for start in range(0, len(wanted), _CHUNK):
            hanging = Placement.objects.filter(image__in=wanted[start : start + _CHUNK], scope=source)
            images = list(hanging.values_list("image", flat=True))
            hanging.delete()
            place_images(image_ids=images, scope_ids=[target])


def join_circles(*, source: Scope, target: Scope) -> int:
    """Let everybody of one circle into another, with the stronger of their two roles; the first circle is gone then.

    Returns how many people came in. Call inside a transaction.
    """
    came = 0
    there = {row.user_id: row for row in Membership.objects.select_for_update().filter(scope=target)}
    for member in Membership.objects.select_for_update().filter(scope=source).order_by("pk"):
        present = there.get(member.user_id)
        if present is None:
            Membership.objects.create(scope=target, user_id=member.user_id, role=member.role)
            came += 1
        elif RANK[Role(member.role)] > RANK[Role(present.role)]:
            Membership.objects.filter(pk=present.pk).update(role=member.role)
    Invitation.objects.filter(scope=source).update(scope=target)
    images = Placement.objects.filter(scope=source).values_list("image", flat=True)
    move_images(image_ids=list(images), source=source.pk, target=target.pk)
    return came


def remove_circle(scope: Scope) -> None:
    """Take away a circle in which nothing hangs any more; the database refuses any other."""
    scope.delete()
