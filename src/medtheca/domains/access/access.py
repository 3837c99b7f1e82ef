"""Who may write scopes: the domains above ask these, and write no rule of their own about images."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Membership, Scope
from medtheca.domains.accounts.models import User


def scopes_joined(user: User, *, role: Role | None = None) -> QuerySet[Membership]:
    """A person's memberships, of one role where it is given. As a subquery, use `.values("scope")`."""
    memberships = Membership.objects.filter(user=user)
    return memberships.filter(role=role) if role else memberships


def owns_any(user: User, scopes: Iterable[Scope | int]) -> bool:
    """Whether the person is an owner of one of the scopes. Staff are not owners; callers ask for staff by name."""
    return holds_role(user, scopes, [Role.OWNER])


def holds_role(user: User, scopes: Iterable[Scope | int], roles: Iterable[Role]) -> bool:
    """Whether the person has one of the roles in one of the scopes. Staff are not members; callers ask for them."""
    return scopes_joined(user).filter(scope__in=list(scopes), role__in=list(roles)).exists()
