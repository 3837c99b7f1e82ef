"""What happens to a person's circles when the person goes."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from medtheca.domains.access.enums import Role, ScopeKind
from medtheca.domains.access.models import Grant, Invitation, Membership, Scope
from medtheca.domains.accounts.models import User

# A cohort without an owner of its own is its contributor's; these two would be nobody's.
_NEED_AN_OWNER = (ScopeKind.CONTRIBUTOR, ScopeKind.GROUP)


def circles_owned_alone(user: User) -> QuerySet[Scope]:
    """Contributors' circles and groups that would be left without an owner who can log in; archives, without editor."""
    needs = (Q(kind__in=_NEED_AN_OWNER) & _is_alone(user, Role.OWNER)) | (
        Q(kind=ScopeKind.ARCHIVE) & _is_alone(user, Role.EDITOR)
    )
    return Scope.objects.filter(needs).order_by("kind", "name", "pk")


def _is_alone(user: User, role: Role) -> Q:
    holders = Membership.objects.filter(scope=OuterRef("pk"), role=role)
    others = holders.filter(user__is_active=True).exclude(user=user)
    return Q(Exists(holders.filter(user=user))) & ~Q(Exists(others))


def lock_owners(user: User) -> None:
    """Hold the owners of what a person owns, so that two owners who go at once do not each rely on the other."""
    answering = [Role.OWNER, Role.EDITOR]
    mine = Membership.objects.filter(user=user, role__in=answering).values("scope")
    owners = Membership.objects.select_for_update().filter(scope__in=mine, role__in=answering)
    list(owners.order_by("pk").values_list("pk"))


def leave_all_circles(user: User) -> int:
    """End every membership of a person and take their address out of invitations; return how many circles.

    Invitations that they sent and nobody took end, since nobody answers for them.
    """
    Invitation.objects.filter(email__iexact=user.email, accepted__isnull=True).delete()
    Invitation.objects.filter(by=user, accepted__isnull=True).delete()
    Invitation.objects.filter(accepted_by=user).update(email=f"deleted-{user.hash_id}@deleted.invalid".lower())
    # Before the memberships: those of shared collections follow from these.
    Grant.objects.filter(user=user).delete()
    left, _ = Membership.objects.filter(user=user).delete()
    return left
