"""The people of a contributor or a cohort: let in, given another role, removed, invited; ownership handed over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from medtheca.domains.access import invitations
from medtheca.domains.access.enums import Role
from medtheca.domains.access.handing_over import hand_over
from medtheca.domains.access.models import Invitation, Membership, Scope
from medtheca.domains.access.operations import add_member, remove_member
from medtheca.domains.accounts.models import User
from medtheca.domains.accounts.queries import user_by_email, user_numbered
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import may_own, require_owner, require_staff
from medtheca.domains.provenance.models import Cohort, Contributor

Thing = Contributor | Cohort
ROLES = (Role.OWNER, Role.EDITOR, Role.REVIEWER, Role.VIEWER)
"""What somebody can be of a contributor or a cohort."""
_A = {Role.OWNER: "an owner", Role.EDITOR: "an editor", Role.REVIEWER: "a reviewer", Role.VIEWER: "a viewer"}


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a contributor or a cohort. `through` is the contributor by which somebody belongs to a cohort."""

    user: User
    role: Role
    since: datetime
    through: Contributor | None = None


def members_of(thing: Thing) -> list[Member]:
    """Everybody of a contributor or cohort: owners first, then by name; to a cohort belong its contributor's too."""
    found = [Member(row.user, Role(row.role), row.created) for row in _memberships(thing.scope_id)]
    if isinstance(thing, Cohort):
        above = thing.contributor
        found += [Member(row.user, Role(row.role), row.created, above) for row in _memberships(above.scope_id)]
    order = list(Role)
    return sorted(found, key=lambda row: (order.index(row.role), row.user.full_name.lower(), row.user.pk))


def _memberships(scope_id: int) -> list[Membership]:
    return list(Membership.objects.filter(scope=scope_id).select_related("user"))


def set_member(*, thing: Thing, user: User, role: Role, actor: User) -> None:
    """Let a person in, or give them another role.

    Raises `NotAllowed` (reviewers are named by staff alone), or `Conflict` for the last owner or a disabled user.
    """
    _require_to_change(thing, user, role, actor)
    if not user.is_active:
        raise Conflict(f"{user.email} is disabled.", remedy="Ask staff to enable the user first.")
    with transaction.atomic():
        add_member(scope=thing.scope, user=user, role=role)
        _record(thing, "member_set", actor, user=user.pk, role=role.value)
        _tell(user, actor, f"You are now {_A[role]} of {name_of(thing)}.", _address(thing))


def remove_person(*, thing: Thing, user: User, actor: User) -> None:
    """Take a person out; anybody may leave by themselves.

    Raises `NotAllowed`, `NotFound` for no member, `Conflict` for the last owner.
    """
    if actor.pk != user.pk:
        _require_to_change(thing, user, None, actor)
    with transaction.atomic():
        remove_member(scope=thing.scope, user=user)
        invitations.revoke_all_by(user=user, scope=thing.scope)
        _record(thing, "member_removed", actor, user=user.pk)
        _tell(user, actor, f"You no longer belong to {name_of(thing)}.", "/cohorts/")


def transfer(*, thing: Thing, giver: User, taker: User, actor: User) -> None:
    """Hand ownership over in one step: the new owner is in and the old one out.

    Raises `NotAllowed` (also for a taker who reviews, unless by staff), `NotFound` where the giver owns nothing,
    `Conflict` for a disabled taker.
    """
    require_owner(actor, thing, to="hand it over")
    _require_to_change(thing, taker, Role.OWNER, actor)
    with transaction.atomic():
        hand_over(scope=thing.scope, giver=giver, taker=taker)
        invitations.revoke_all_by(user=giver, scope=thing.scope)
        _record(thing, "transferred", actor, giver=giver.pk, taker=taker.pk)
        _tell(taker, actor, f"{name_of(thing)} was handed over to you: you are its owner now.", _address(thing))
        _tell(giver, actor, f"{name_of(thing)} was handed over to somebody else.", "/cohorts/")


def invite_person(*, thing: Thing, email: str, role: Role, actor: User) -> tuple[Invitation, str]:
    """Invite an address; return the invitation and its secret, which the caller sends and nobody stores.

    Raises `NotAllowed`, `Invalid` or `Conflict`.
    """
    _require_to_change(thing, None, role, actor)
    with transaction.atomic():
        made, secret = invitations.invite(scope=thing.scope, email=email, role=role, by=actor)
        _record(thing, "invited", actor, invitation=made.pk, role=role.value)
    return made, secret


def invite_again(*, thing: Thing, invitation_id: int, actor: User) -> tuple[Invitation, str]:
    """Send an invitation anew with another secret. Raises `NotAllowed`, `NotFound` or `Conflict`."""
    invitation = invitation_for(thing, invitation_id, actor)
    _require_to_change(thing, None, Role(invitation.role), actor)
    with transaction.atomic():
        made, secret = invitations.renew(invitation=invitation, by=actor)
        _record(thing, "invited", actor, invitation=made.pk, role=made.role)
    return made, secret


def revoke_invitation(*, thing: Thing, invitation_id: int, actor: User) -> None:
    """End an invitation. Raises `NotAllowed`, `NotFound`, or `Conflict` where it was accepted."""
    invitation = invitation_for(thing, invitation_id, actor)
    _require_to_change(thing, None, Role(invitation.role), actor)
    with transaction.atomic():
        invitations.revoke(invitation=invitation)
        _record(thing, "invitation_revoked", actor, invitation=invitation.pk)


def accept_invitation(*, secret: str, user: User, with_other_address: bool = False) -> Thing:
    """Let the person in who holds the secret of an invitation; return what they now belong to.

    It is worth what its sender may still give. Raises `NotFound`, or `OtherAddress` where it was sent elsewhere.
    """
    with transaction.atomic():
        invitation = invitations.invitation_of_secret(secret)
        thing = thing_of_scope(invitation.scope)
        try:
            # Before it is accepted: who invites themselves would be somebody again afterwards.
            _require_to_change(thing, None, Role(invitation.role), invitation.by)
        except NotAllowed as refusal:
            raise NotFound(invitations.OVER) from refusal
        accepted = invitations.accept(secret=secret, user=user, with_other_address=with_other_address)
        _record(thing, "invitation_accepted", user, invitation=accepted.pk, role=accepted.role)
    return thing


def invitation_for(thing: Thing, invitation_id: int, actor: User) -> Invitation:
    """An invitation of a contributor or cohort. Raises `NotAllowed` or `NotFound`."""
    require_owner(actor, thing, to="invite people")
    found = Invitation.objects.select_related("scope").filter(pk=invitation_id, scope=thing.scope_id).first()
    if found is None:
        raise NotFound(f"There is no invitation {invitation_id}.")
    return found


def thing_of_scope(scope: Scope) -> Thing:
    """The contributor or cohort whose circle it is. Raises `NotFound` for any other circle."""
    found: Thing | None = Contributor.objects.select_related("scope").filter(scope=scope).first()
    found = found or Cohort.objects.select_related("scope", "contributor__scope").filter(scope=scope).first()
    if found is None:
        raise NotFound("There is no such contributor or cohort.")
    return found


def role_named(name: str) -> Role:
    """The role of a name. Raises `Invalid`."""
    if name not in ROLES:
        problem = Problem("role", f"{name or 'Nothing'} is not a role.", remedy=f"One of {', '.join(ROLES)}.")
        raise Invalid("There is no such role.", problems=[problem])
    return Role(name)


def person_named(email: str) -> User | None:
    """The user with an address, if there is one. Tell nobody but owners and staff whether there is."""
    return User.objects.filter(email__iexact=email.strip()).first()


def find_person(thing: Thing, user_id: int, *, asker: User) -> User:
    """Somebody who belongs to it; for staff anybody. For others there is nobody else, so that nobody is found out.

    Raises `NotFound`.
    """
    if asker.is_staff:
        return user_numbered(user_id)
    found = next((row.user for row in members_of(thing) if row.user.pk == user_id), None)
    if found is None:
        raise NotFound(f"No user {user_id} belongs to it.")
    return found


def find_person_by_email(thing: Thing, email: str, *, asker: User) -> User:
    """As `find_person`, by address: oneself; for owners whoever belongs to it; for staff anybody.

    Raises `NotAllowed`, so that nobody tries addresses who may not read them, or `NotFound`.
    """
    wanted = email.strip().lower()
    if wanted == asker.email.lower():
        return asker
    require_owner(asker, thing, to="name its people by address")
    if asker.is_staff:
        return user_by_email(wanted)
    found = next((row.user for row in members_of(thing) if row.user.email.lower() == wanted), None)
    if found is None:
        raise NotFound(f"Nobody with the address {email.strip()} belongs to it.", remedy="Invite them.")
    return found


@dataclass(frozen=True, slots=True)
class Called:
    """How a person is called before somebody; the address is None where that is not theirs to read."""

    name: str
    email: str | None


def call_people(thing: Thing, persons: Iterable[User], *, asker: User) -> dict[int, Called]:
    """How persons are called before somebody who asks of a thing, by their ids: addresses are for its owners."""
    if may_own(asker, thing):
        return {each.pk: Called(each.full_name, each.email) for each in persons}
    return {each.pk: Called(each.shown_name, None) for each in persons}


def may_change(actor: User, role: Role | str) -> bool:
    """Whether an owner, or somebody of the staff, may name and remove people of a role.

    Staff name reviewers: those who judge are not chosen by whom they judge.
    """
    return actor.is_staff or role != Role.REVIEWER


def _require_to_change(thing: Thing, user: User | None, role: Role | None, actor: User) -> None:
    require_owner(actor, thing, to="change who belongs to it")
    present = Membership.objects.filter(scope=thing.scope_id, user=user).first() if user else None
    if not all(may_change(actor, each) for each in (role, present and present.role) if each):
        require_staff(actor, to="name and remove reviewers")


def _record(thing: Thing, what: str, actor: User, **details: object) -> None:
    kind = kind_of(thing)
    record(
        actor_id=actor.pk,
        verb=f"{kind}.{what}",
        subject_type=kind,
        subject_id=thing.pk,
        cohort_id=thing.pk if isinstance(thing, Cohort) else None,
        details=dict(details),
    )


def kind_of(thing: Thing) -> str:
    """`contributor` or `cohort`."""
    return "cohort" if isinstance(thing, Cohort) else "contributor"


def name_of(thing: Thing) -> str:
    """What a contributor or cohort is called; private."""
    return thing.name if isinstance(thing, Cohort) else thing.institution_name


def _address(thing: Thing) -> str:
    return f"/{kind_of(thing)}s/{thing.pk}/"


def _tell(user: User, actor: User, words: str, url: str) -> None:
    if user.pk != actor.pk:
        notify(recipient_ids=[user.pk], kind="people.changed", words=words, url=url)


def reviewers_named() -> list[tuple[User, Thing]]:
    """Every reviewer with the contributor or cohort whose images they judge, by name. For staff."""
    rows = Membership.objects.filter(role=Role.REVIEWER).select_related("user", "scope").order_by("user__email", "pk")
    scopes = {row.scope_id for row in rows}
    things: dict[int, Thing] = {row.scope_id: row for row in Contributor.objects.filter(scope__in=scopes)}
    things |= {row.scope_id: row for row in Cohort.objects.filter(scope__in=scopes).select_related("contributor")}
    return [(row.user, things[row.scope_id]) for row in rows if row.scope_id in things]


def circles_of(user: User) -> list[tuple[Thing, Role]]:
    """Contributors and cohorts to which somebody belongs, and as what. For staff and the person."""
    rows = {row.scope_id: Role(row.role) for row in Membership.objects.filter(user=user).order_by("pk")}
    things: list[Thing] = list(Contributor.objects.filter(scope__in=rows).order_by("institution_name"))
    things += Cohort.objects.filter(scope__in=rows).select_related("contributor").order_by("name")
    return [(thing, rows[thing.scope_id]) for thing in things]


def is_reviewer(user: User) -> bool:
    """Whether the person judges images of anybody."""
    return user.is_staff or Membership.objects.filter(user=user, role=Role.REVIEWER).exists()


def belongs(user: User, thing: Thing) -> bool:
    """Whether the person is among its people, or those of its contributor."""
    scopes = [thing.scope_id] + ([thing.contributor.scope_id] if isinstance(thing, Cohort) else [])
    return Membership.objects.filter(scope__in=scopes, user=user).exists()


def is_over(invitation: Invitation) -> bool:
    """Whether an invitation's time has run out."""
    return invitation.expires <= now()


def roles_offered(actor: User, thing: Thing) -> list[Role]:
    """The roles that somebody may give."""
    if not may_own(actor, thing):
        raise NotAllowed("Only owners may change who belongs to it.")
    return [role for role in Role if role != Role.REVIEWER or actor.is_staff]
