"""Named groups, their people and invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from medtheca.domains.access.groups import (
    change_member,
    count_groups,
    create_group,
    group_for,
    groups_for,
    may_run,
    members_of,
    name_among_members,
    remove_from_group,
    rename_group,
    roles_in,
)
from medtheca.interfaces.api.v2.calling import page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery
from medtheca.interfaces.api.v2.shapes.publishing import (
    GroupIn,
    GroupInvitationIn,
    GroupInvitationOut,
    GroupMemberOut,
    GroupOut,
    GroupRoleIn,
)
from medtheca.interfaces.http.api_auth import somebody
from medtheca.workflows.grouping import invite, remove_group

if TYPE_CHECKING:
    from medtheca.domains.access.models import Scope
    from medtheca.domains.accounts.models import User

router = Router(tags=["groups"], auth=somebody)


@router.get("/", response=PageOut[GroupOut], url_name="groups")
def list_groups(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Groups that the caller is in; all for staff."""
    user = user_of(request)
    return page_of(request, groups_for(user), page, order=("pk",), shape=lambda rows: _shown(rows, user))


@router.post("/", response={201: GroupOut}, url_name="groups")
def make_group(request: HttpRequest, given: GroupIn) -> Any:
    """Make a group; the caller becomes its first owner. Whoever has a confirmed address may."""
    user = user_of(request)
    return Status(201, _shown([create_group(creator=user, name=given.name)], user)[0])


@router.get("/{int:group_id}/", response=GroupOut, url_name="group_detail")
def show_group(request: HttpRequest, group_id: int) -> Any:
    """One group."""
    user = user_of(request)
    return _shown([group_for(user, group_id)], user)[0]


@router.patch("/{int:group_id}/", response=GroupOut, url_name="group_detail")
def change_group(request: HttpRequest, group_id: int, given: GroupIn) -> Any:
    """Give a group another name. Its owners and staff."""
    user = user_of(request)
    found = group_for(user, group_id)
    rename_group(group=found, actor=user, name=given.name)
    return _shown([found], user)[0]


@router.delete("/{int:group_id}/", response={204: None}, url_name="group_detail")
def delete_group(request: HttpRequest, group_id: int) -> Any:
    """Take a group away for good, when no images are published for it. Its owners and staff."""
    user = user_of(request)
    remove_group(group=group_for(user, group_id), actor=user)
    return Status(204, None)


@router.get("/{int:group_id}/members/", response=list[GroupMemberOut], url_name="group_members")
def list_group_members(request: HttpRequest, group_id: int) -> Any:
    """People of a group, owners first."""
    user = user_of(request)
    found = group_for(user, group_id)
    runs = may_run(user, found)
    return [
        {
            "user": row.user_id,
            "name": name_among_members(row.user),
            "email": row.user.email if runs else None,
            "role": row.role,
            "since": row.created,
        }
        for row in members_of(found)
    ]


@router.patch("/{int:group_id}/members/{int:user_id}/", response={204: None}, url_name="group_member")
def change_group_member(request: HttpRequest, group_id: int, user_id: int, given: GroupRoleIn) -> Any:
    """Give a member another role. The group's owners and staff."""
    user = user_of(request)
    change_member(group=group_for(user, group_id), actor=user, user_id=user_id, role=given.role)
    return Status(204, None)


@router.delete("/{int:group_id}/members/{int:user_id}/", response={204: None}, url_name="group_member")
def remove_group_member(request: HttpRequest, group_id: int, user_id: int) -> Any:
    """Take a member out, or leave the group oneself. The last owner stays."""
    user = user_of(request)
    remove_from_group(group=group_for(user, group_id), actor=user, user_id=user_id)
    return Status(204, None)


@router.post("/{int:group_id}/invitations/", response={201: GroupInvitationOut}, url_name="group_invitations")
def invite_into_group(request: HttpRequest, group_id: int, given: GroupInvitationIn) -> Any:
    """Invite an address by mail. The group's owners and staff."""
    user = user_of(request)
    made = invite(group=group_for(user, group_id), actor=user, email=given.email, role=given.role)
    return Status(201, {"id": made.pk, "email": made.email, "role": made.role, "expires": made.expires})


def _shown(groups: list[Scope], user: User) -> list[dict[str, Any]]:
    counts, roles = count_groups(groups), roles_in(user, groups)
    return [
        {
            "id": group.pk,
            "name": group.name,
            "members": counts[group.pk].members,
            "images": counts[group.pk].images,
            "role": roles.get(group.pk),
        }
        for group in groups
    ]
