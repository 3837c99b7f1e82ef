"""Opening a circle to people and named groups, and closing it. Who may is decided by the domain whose circle it is.

Members of a circle of kind sharing follow from its grants by triggers, so whoever comes into a group sees what is
shared with it, and whoever leaves does not, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.db.models import QuerySet

from medtheca.domains.access.enums import ScopeKind
from medtheca.domains.access.models import Grant, Membership, Placement, Scope
from medtheca.domains.accounts.models import User


def open_circle(*, scope: Scope, users: Iterable[User], groups: Iterable[Scope], by: User) -> list[Grant]:
    """Show what hangs in a circle to people and groups; return the grants that are new. Others stay as they are."""
    assert scope.kind == ScopeKind.SHARING
    made: list[Grant] = []
    wanted: list[dict[str, object]] = [{"user": user} for user in users]
    wanted += [{"group": group} for group in groups]
    for who in wanted:
        grant, fresh = Grant.objects.get_or_create(scope=scope, **who, defaults={"by": by})
        made += [grant] if fresh else []
    return made


def close_circle(*, scope: Scope, user_ids: Iterable[int] = (), group_ids: Iterable[int] = ()) -> int:
    """Show what hangs in a circle to these no longer; return how many grants ended.

    Somebody who is also in a group to which it is open stays a member, until that ends as well.
    """
    ended, _ = Grant.objects.filter(scope=scope, user__in=list(user_ids)).delete()
    more, _ = Grant.objects.filter(scope=scope, group__in=list(group_ids)).delete()
    return ended + more


def grants_of(scopes: Iterable[int]) -> QuerySet[Grant]:
    """Grants of circles in the order in which they were given, with whom each is for."""
    return Grant.objects.filter(scope__in=list(scopes)).select_related("user", "group").order_by("pk")


def members_in(scope_ids: Iterable[int]) -> list[int]:
    """Ids of the active people in these circles."""
    rows = Membership.objects.filter(scope__in=list(scope_ids), user__is_active=True)
    return list(rows.order_by("user").values_list("user", flat=True).distinct())


def people_in(scope_ids: Iterable[int]) -> QuerySet[User]:
    """Active people who belong to one of these circles."""
    return User.objects.filter(
        pk__in=Membership.objects.filter(scope__in=list(scope_ids)).values("user"), is_active=True
    )


def hang(*, image_ids: Iterable[int], scope: int) -> None:
    """Hang images in one circle; those that hang there already stay as they are."""
    with connection.cursor() as cursor:
        # As one array: rows written one by one take many times as long, and there may be a hundred thousand.
        cursor.execute(
            "INSERT INTO access_placement (image_id, scope_id) SELECT unnest(%s::bigint[]), %s ON CONFLICT DO NOTHING",
            [list(image_ids), scope],
        )


def take_down(*, image_ids: Iterable[int], scopes: Iterable[int]) -> int:
    """Take images out of circles; return how many placements there were."""
    removed, _ = Placement.objects.filter(image__in=list(image_ids), scope__in=list(scopes)).delete()
    return removed
