"""Named groups: circles that people make for themselves, and for which images can be published.

An owner runs the group; viewers see what is published for it. Names are known to members, to the staff, and to those
who decide on a publication for the group.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from medtheca.domains.access.access import holds_role, scopes_joined
from medtheca.domains.access.enums import Role, ScopeKind
from medtheca.domains.access.invitations import OVER, accept, invitation_of_secret, invitations_of, invite, revoke
from medtheca.domains.access.models import Invitation, Membership, Placement, Scope
from medtheca.domains.access.operations import add_member, create_scope, remove_member
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record

MOST_OWNED = 50
"""Groups that one person may own: rows cost the maker nothing."""

LONGEST_NAME = 100
ROLES = (Role.OWNER, Role.VIEWER)
_NO_TEXT = re.compile("[\x00-\x1f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """How many people are in a group, and how many images are published for it."""

    members: int = 0
    images: int = 0


def groups_for(user: User | None) -> QuerySet[Scope]:
    """Groups that the person is in, by name; all for staff."""
    groups = Scope.objects.filter(kind=ScopeKind.GROUP).order_by("name", "pk")
    if user is None or not user.is_active:
        return groups.none()
    return groups if user.is_staff else groups.filter(pk__in=scopes_joined(user).values("scope"))


def group_for(user: User | None, group_id: int) -> Scope:
    """A group that the person is in. Raises `NotFound`."""
    found = groups_for(user).filter(pk=group_id).first()
    if found is None:
        raise NotFound(f"There is no group {group_id}.")
    return found


def may_run(user: User | None, group: Scope) -> bool:
    """Whether the person may change the group: its owners and the staff."""
    return user is not None and user.is_active and (user.is_staff or holds_role(user, [group], [Role.OWNER]))


def roles_in(user: User, groups: Iterable[Scope]) -> dict[int, str]:
    """The person's role in each of the groups that they are in."""
    return dict(scopes_joined(user).filter(scope__in=list(groups)).values_list("scope", "role"))


def count_groups(groups: Iterable[Scope]) -> dict[int, GroupCounts]:
    """People and images of each group, by its id."""
    ids = [group.pk for group in groups]
    members = dict(_counted(Membership.objects.filter(scope__in=ids, user__is_active=True)))
    images = dict(_counted(Placement.objects.filter(scope__in=ids)))
    return {pk: GroupCounts(members.get(pk, 0), images.get(pk, 0)) for pk in ids}


def _counted(rows: QuerySet[Membership] | QuerySet[Placement]) -> Iterable[tuple[int, int]]:
    found: Iterable[tuple[int, int]] = rows.order_by().values_list("scope").annotate(number=Count("pk"))
    return found


def members_of(group: Scope) -> QuerySet[Membership]:
    """People of a group, owners first."""
    rows = Membership.objects.filter(scope=group).select_related("user")
    return rows.annotate(rank=Count("pk", filter=Q(role=Role.OWNER))).order_by("-rank", "created", "pk")


def name_among_members(user: User) -> str:
    """What members call each other: by name, and by pseudonym where there is none, never by address."""
    return f"{user.first_name} {user.last_name}".strip() or user.hash_id


def find_member(group: Scope, email: str, *, asker: User) -> User:
    """A member by address: oneself, or for whoever runs the group anybody in it.

    Raises `NotAllowed`, so that nobody tries addresses who may not read them, or `NotFound`.
    """
    wanted = email.strip().lower()
    if wanted == asker.email.lower():
        return asker
    _require_running(asker, group, to="name its people by address")
    found = members_of(group).filter(user__email__iexact=wanted).first()
    if found is None:
        raise NotFound(f"Nobody with the address {email.strip()} is in the group.", remedy="Invite them.")
    return found.user


def create_group(*, creator: User, name: str) -> Scope:
    """Make a group; its creator becomes its first owner.

    Whoever has a confirmed address may. Raises `NotAllowed`, `Invalid`, or `Conflict` for more than `MOST_OWNED`.
    """
    if not creator.is_active or not EmailAddress.objects.filter(user=creator, verified=True).exists():
        raise NotAllowed("Only people with a confirmed address may make groups.", remedy="Confirm your address first.")
    text = _checked(name)
    with transaction.atomic():
        # The person's row is the queue: two at once cannot both be the last that is allowed.
        User.objects.select_for_update(no_key=True).get(pk=creator.pk)
        mine = scopes_joined(creator, role=Role.OWNER).filter(scope__kind=ScopeKind.GROUP)
        if mine.count() >= MOST_OWNED:
            raise Conflict(f"You own {MOST_OWNED} groups, which is the most.", remedy="Delete one first.")
        group = create_scope(kind=ScopeKind.GROUP, name=text)
        add_member(scope=group, user=creator, role=Role.OWNER)
        _record(creator, "group.created", group)
    return group


def rename_group(*, group: Scope, actor: User, name: str) -> None:
    """Give a group another name. Raises `NotAllowed` or `Invalid`."""
    _require_running(actor, group, to="rename it")
    group.name = _checked(name)
    with transaction.atomic():
        group.save(update_fields=["name"])
        _record(actor, "group.renamed", group)


def invite_to_group(*, group: Scope, actor: User, email: str, role: str) -> tuple[Invitation, str]:
    """Invite an address into a group; return the invitation with its secret. Raises as `invitations.invite` does."""
    _require_running(actor, group, to="invite people")
    with transaction.atomic():
        invitation, secret = invite(scope=group, email=email, role=_role(role), by=actor)
        _record(actor, "group.invited", group)
    return invitation, secret


def invitations_into(*, group: Scope, asker: User) -> QuerySet[Invitation]:
    """Invitations into a group that nobody accepted or revoked, newest first. Raises `NotAllowed`."""
    _require_running(asker, group, to="see its invitations")
    return invitations_of(group)


def revoke_invitation(*, group: Scope, actor: User, invitation_id: int) -> None:
    """End an invitation into a group. Raises `NotAllowed`, `NotFound`, or `Conflict` where it was accepted."""
    _require_running(actor, group, to="revoke invitations")
    found = invitations_of(group).filter(pk=invitation_id).first()
    if found is None:
        raise NotFound(f"There is no invitation {invitation_id}.")
    with transaction.atomic():
        revoke(invitation=found)
        _record(actor, "group.invitation_revoked", group)


def accept_into_group(*, secret: str, user: User, with_other_address: bool = False) -> Scope:
    """Let the person in who holds the secret of an invitation into a group; return the group.

    It is worth what its sender may still give. Raises `NotFound`, or `OtherAddress` where it was sent elsewhere.
    """
    with transaction.atomic():
        invitation = invitation_of_secret(secret)
        # Before it is accepted: who invites themselves would run the group again afterwards.
        if invitation.scope.kind != ScopeKind.GROUP or not may_run(invitation.by, invitation.scope):
            raise NotFound(OVER)
        return accept(secret=secret, user=user, with_other_address=with_other_address).scope


def change_member(*, group: Scope, actor: User, user_id: int, role: str) -> None:
    """Give a member another role. Raises `NotAllowed`, `NotFound`, `Invalid`, or `Conflict` for the last owner."""
    _require_running(actor, group, to="change its people")
    with transaction.atomic():
        add_member(scope=group, user=_member(group, user_id), role=_role(role))
        _record(actor, "group.role_changed", group, user_id)


def remove_from_group(*, group: Scope, actor: User, user_id: int) -> None:
    """Take a member out, or leave oneself. Raises `NotAllowed`, `NotFound`, or `Conflict` for the last owner."""
    if user_id != actor.pk:
        _require_running(actor, group, to="remove people")
    with transaction.atomic():
        remove_member(scope=group, user=_member(group, user_id))
        _record(actor, "group.left" if user_id == actor.pk else "group.member_removed", group, user_id)


def require_deletable(*, group: Scope, actor: User) -> None:
    """Raise `NotAllowed`, or `Conflict` where images are published for the group."""
    _require_running(actor, group, to="delete it")
    number = Placement.objects.filter(scope=group).count()
    if number:
        raise Conflict(
            f"{number:,} images are published for the group.",
            code="group_in_use",
            remedy="Ask their owners to take them back first.",
        )


def delete_group(*, group: Scope, actor: User) -> None:
    """Take a group away for good. Raises as `require_deletable`.

    Open requests to publish for it are the caller's to ask for: they belong to a domain above.
    """
    with transaction.atomic():
        # Publishing refers to the row, and so waits for this or comes before it.
        Scope.objects.select_for_update().get(pk=group.pk)
        require_deletable(group=group, actor=actor)
        _record(actor, "group.deleted", group)
        group.delete()


def _member(group: Scope, user_id: int) -> User:
    found = Membership.objects.select_related("user").filter(scope=group, user=user_id).first()
    if found is None:
        raise NotFound("There is no such member.")
    return found.user


def _role(role: str) -> Role:
    if role not in ROLES:
        problem = Problem("role", f"{role or 'Nothing'} is no role in a group.", remedy="owner or viewer.")
        raise Invalid("The role cannot be given.", problems=[problem])
    return Role(role)


def _checked(name: str) -> str:
    text = name.strip()
    if not text or len(text) > LONGEST_NAME or _NO_TEXT.search(text):
        words = "The name is missing." if not text else "This cannot be a group's name."
        problem = Problem("name", words, remedy=f"Write up to {LONGEST_NAME} characters in one line.")
        raise Invalid("The group cannot be named so.", problems=[problem])
    return text


def _require_running(actor: User, group: Scope, *, to: str) -> None:
    if not may_run(actor, group):
        raise NotAllowed(f"Only owners of the group may {to}.", remedy="Ask an owner of the group.")


def _record(actor: User, verb: str, group: Scope, user_id: int | None = None) -> None:
    details = {} if user_id is None else {"user": user_id}
    record(actor_id=actor.pk, verb=verb, subject_type="group", subject_id=group.pk, details=details)
