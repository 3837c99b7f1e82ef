"""People and invitations, for contributors and cohorts alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from django.http import HttpRequest
from ninja import Router, Status

from medtheca.domains.access.invitations import invitations_of
from medtheca.domains.provenance import people
from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.queries import cohort_for, contributor_for
from medtheca.interfaces.api.v2.calling import user_of
from medtheca.interfaces.api.v2.shapes.people_of import (
    AcceptIn,
    BelongsOut,
    InvitationIn,
    InvitationOut,
    MemberOut,
    RoleIn,
    TransferIn,
)
from medtheca.interfaces.http.api_auth import somebody
from medtheca.workflows import inviting

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

Find = Callable[[Any, int], people.Thing]
_F = TypeVar("_F", bound=Callable[..., Any])


class Route(Protocol):
    """Registers a function for a verb and a path below one thing."""

    def __call__(self, verb: str, path: str, name: str, **options: Any) -> Callable[[_F], _F]: ...


def members_router(kind: str, find: Find) -> Router:
    """The routes of members and invitations below one kind of thing."""
    router = Router(tags=[f"{kind}s"], auth=somebody)

    def route(verb: str, path: str, name: str, **options: Any) -> Callable[[_F], _F]:
        decorate: Callable[[_F], _F] = router.api_operation(
            [verb], f"/{{int:thing_id}}/{path}", operation_id=name.format(kind), url_name=name.format(kind), **options
        )
        return decorate

    _add_members(route, find)
    _add_invitations(route, find)
    return router


def _add_members(route: Route, find: Find) -> None:
    @route("GET", "members/", "{}_members", response=list[MemberOut])
    def list_members(request: HttpRequest, thing_id: int) -> Any:
        """Who belongs to it: owners first, then by name."""
        user = user_of(request)
        return _members(find(user, thing_id), user)

    @route("PUT", "members/{int:user_id}/", "set_{}_member", response=list[MemberOut])
    def set_member(request: HttpRequest, thing_id: int, user_id: int, given: RoleIn) -> Any:
        """Give somebody who belongs to it another role. Others are invited; staff may name anybody."""
        user = user_of(request)
        thing = find(user, thing_id)
        people.set_member(
            thing=thing,
            user=people.find_person(thing, user_id, asker=user),
            role=people.role_named(given.role),
            actor=user,
        )
        return _members(thing, user)

    @route("DELETE", "members/{int:user_id}/", "remove_{}_member", response={204: None})
    def remove_member(request: HttpRequest, thing_id: int, user_id: int) -> Any:
        """Take somebody out; the caller may leave. The last owner stays."""
        user = user_of(request)
        thing = find(user, thing_id)
        if user_id != user.pk:
            require_owner(user, thing, to="remove people")
        people.remove_person(thing=thing, user=people.find_person(thing, user_id, asker=user), actor=user)
        return Status(204, None)

    @route("POST", "transfer/", "transfer_{}", response=list[MemberOut])
    def transfer(request: HttpRequest, thing_id: int, given: TransferIn) -> Any:
        """Hand it over in one step: the new owner is in, the old one out."""
        user = user_of(request)
        thing = find(user, thing_id)
        require_owner(user, thing, to="hand it over")
        giver, taker = (
            people.find_person(thing, given.giver, asker=user),
            people.find_person(thing, given.taker, asker=user),
        )
        people.transfer(thing=thing, giver=giver, taker=taker, actor=user)
        return _members(thing, user)


def _add_invitations(route: Route, find: Find) -> None:
    @route("GET", "invitations/", "{}_invitations", response=list[InvitationOut])
    def list_invitations(request: HttpRequest, thing_id: int) -> Any:
        """Invitations that nobody has accepted or revoked, expired ones too."""
        user = user_of(request)
        thing = find(user, thing_id)
        require_owner(user, thing, to="see its invitations")
        return [_invitation(row) for row in invitations_of(thing.scope)]

    @route("POST", "invitations/", "invite_to_{}", response={201: InvitationOut})
    def invite(request: HttpRequest, thing_id: int, given: InvitationIn) -> Any:
        """Invite somebody by mail."""
        user = user_of(request)
        thing = find(user, thing_id)
        role = people.role_named(given.role)
        return Status(201, _invitation(inviting.invite(thing=thing, email=given.email, role=role, actor=user)))

    @route("POST", "invitations/{int:invitation_id}/resend/", "resend_{}_invitation", response=InvitationOut)
    def resend(request: HttpRequest, thing_id: int, invitation_id: int) -> Any:
        """Send it anew with another secret; the one before it is void."""
        user = user_of(request)
        thing = find(user, thing_id)
        return _invitation(inviting.invite_again(thing=thing, invitation_id=invitation_id, actor=user))

    @route("DELETE", "invitations/{int:invitation_id}/", "revoke_{}_invitation", response={204: None})
    def revoke(request: HttpRequest, thing_id: int, invitation_id: int) -> Any:
        """End it."""
        user = user_of(request)
        people.revoke_invitation(thing=find(user, thing_id), invitation_id=invitation_id, actor=user)
        return Status(204, None)


contributor_members = members_router("contributor", contributor_for)
cohort_members = members_router("cohort", cohort_for)
invitations = Router(tags=["contributors"], auth=somebody)


@invitations.post("/accept/", response=BelongsOut, url_name="accept_invitation")
def accept_invitation(request: HttpRequest, given: AcceptIn) -> Any:
    """Accept an invitation whose secret the caller has from its mail."""
    thing = people.accept_invitation(
        secret=given.secret, user=user_of(request), with_other_address=given.with_other_address
    )
    return {"kind": people.kind_of(thing), "id": thing.pk}


def _members(thing: people.Thing, user: User) -> list[dict[str, Any]]:
    members = people.members_of(thing)
    called = people.call_people(thing, [row.user for row in members], asker=user)
    return [
        {
            "user": row.user.pk,
            "name": called[row.user.pk].name,
            "email": called[row.user.pk].email,
            "affiliation": row.user.affiliation,
            "orcid": row.user.orcid,
            "role": row.role.value,
            "since": row.since,
            "contributor": row.through.pk if row.through else None,
        }
        for row in members
    ]


def _invitation(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "email": row.email,
        "role": row.role,
        "by": row.by_id,
        "created": row.created,
        "expires": row.expires,
    }
