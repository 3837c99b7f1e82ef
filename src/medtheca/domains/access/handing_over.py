"""Handing a circle over: a new owner in, the old one out, in one step."""

from __future__ import annotations

from django.db import transaction

from medtheca.base.errors import Conflict, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Membership, Scope
from medtheca.domains.access.operations import add_member, remove_member
from medtheca.domains.accounts.models import User


def hand_over(*, scope: Scope, giver: User, taker: User) -> None:
    """Make one person an owner in the place of another, in one step.

    Raises `NotFound` where the giver owns nothing here, `Conflict` for a disabled taker or for the giver themselves.
    """
    if giver.pk == taker.pk:
        raise Conflict(f"{giver.email} is an owner already.", remedy="Name somebody else.")
    if not taker.is_active:
        raise Conflict(f"{taker.email} is disabled.", remedy="Ask staff to enable the user first.")
    with transaction.atomic():
        # The owners' rows are locked in one order here too, before anybody comes in or goes.
        owners = Membership.objects.select_for_update().filter(scope=scope, role=Role.OWNER).order_by("pk")
        if giver.pk not in list(owners.values_list("user_id", flat=True)):
            raise NotFound(f"{giver.email} is not an owner.")
        add_member(scope=scope, user=taker, role=Role.OWNER)
        remove_member(scope=scope, user=giver)
