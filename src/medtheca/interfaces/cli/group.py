"""`medtheca group …`: circles of people for whom images can be published.

Exit codes: 0 done; 1 refused, with the reason on standard error; 2 the command was written wrongly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from medtheca.domains.access import groups
from medtheca.domains.accounts.queries import user_by_email
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.named import group_named
from medtheca.interfaces.cli.options import acting, as_json, read_secret
from medtheca.interfaces.cli.telling import (
    invitation_facts,
    print_facts,
    print_json,
    print_rows,
    printable,
    time_of,
)
from medtheca.workflows import grouping

if TYPE_CHECKING:
    from medtheca.domains.access.models import Scope
    from medtheca.domains.accounts.models import User

_GROUP = click.argument("group_name", metavar="GROUP")
_OWNER = acting("Who does it: an owner of the group, or one of the staff.")
_ROLE = click.Choice([role.value for role in groups.ROLES])


@click.group(name="group")
def group() -> None:
    """Make and run named groups, for which images can be published. GROUP is an id or the whole name."""


@group.command(name="list", epilog="\b\nExample:\n  medtheca group list --as alice@example.org\n")
@acting("Whose groups; of the staff, all.")
@as_json
@refusals_told
def list_groups(*, email: str, as_json: bool) -> None:
    """List groups by name. In a line: id, name, members, images published for it, your role."""
    user = user_by_email(email)
    rows = _facts(list(groups.groups_for(user)), user)
    if as_json:
        print_json(rows)
        return
    print_rows(list(row.values()) for row in rows)
    if not rows:
        click.echo(f"{email} is in no group. `medtheca group create NAME` makes one.", err=True)


@group.command(name="show", epilog="\b\nExample:\n  medtheca group show Readers --as alice@example.org\n")
@_GROUP
@acting("Who asks: a member, or one of the staff.")
@as_json
@refusals_told
def show_group(*, group_name: str, email: str, as_json: bool) -> None:
    """Show GROUP with its people, owners first."""
    user = user_by_email(email)
    _show(group_named(user, group_name), user, as_json=as_json)


@group.command(name="create", epilog='\b\nExample:\n  medtheca group create "Readers 2026" --as alice@example.org\n')
@click.argument("name")
@acting("Who makes it, and becomes its first owner.")
@as_json
@refusals_told
def make_group(*, name: str, email: str, as_json: bool) -> None:
    """Make a group called NAME."""
    user = user_by_email(email)
    _show(groups.create_group(creator=user, name=name), user, as_json=as_json)


@group.command(
    name="rename", epilog='\b\nExample:\n  medtheca group rename Readers "Readers 2026" --as alice@example.org\n'
)
@_GROUP
@click.argument("name")
@_OWNER
@as_json
@refusals_told
def rename_group(*, group_name: str, name: str, email: str, as_json: bool) -> None:
    """Call GROUP by another NAME."""
    user = user_by_email(email)
    found = group_named(user, group_name)
    groups.rename_group(group=found, actor=user, name=name)
    _show(found, user, as_json=as_json)


@group.command(
    name="invite", epilog="\b\nExample:\n  medtheca group invite Readers bob@example.org --as alice@example.org\n"
)
@_GROUP
@click.argument("address", metavar="EMAIL")
@click.option("--role", type=_ROLE, default="viewer", show_default=True, help="An owner runs the group.")
@_OWNER
@as_json
@refusals_told
def invite_into_group(*, group_name: str, address: str, role: str, email: str, as_json: bool) -> None:
    """Invite EMAIL into GROUP by mail; they need no account yet. Nobody is in before they accept."""
    user = user_by_email(email)
    found = group_named(user, group_name)
    facts = invitation_facts(grouping.invite(group=found, actor=user, email=address, role=role))
    if as_json:
        print_json(facts)
        return
    click.echo(
        f"Invitation {facts['id']} to {printable(found.name)} for {facts['email']}, as {facts['role']}, until"
        f" {facts['expires']}. Its link is in the mail alone."
    )


@group.command(name="invitations", epilog="\b\nExample:\n  medtheca group invitations Readers --as alice@example.org\n")
@_GROUP
@_OWNER
@as_json
@refusals_told
def list_invitations(*, group_name: str, email: str, as_json: bool) -> None:
    """List invitations into GROUP, also expired ones. In a line: number, address, role, end; the newest first."""
    user = user_by_email(email)
    found = groups.invitations_into(group=group_named(user, group_name), asker=user)
    rows = [invitation_facts(row) for row in found]
    if as_json:
        print_json(rows)
        return
    print_rows([row["id"], row["email"], row["role"], row["expires"]] for row in rows)
    if not rows:
        click.echo("No invitation is open.", err=True)


@group.command(name="revoke", epilog="\b\nExample:\n  medtheca group revoke Readers 8 --as alice@example.org\n")
@_GROUP
@click.argument("number", type=int)
@_OWNER
@refusals_told
def revoke_invitation(*, group_name: str, number: int, email: str) -> None:
    """End the invitation NUMBER into GROUP. `medtheca group invitations` shows the numbers."""
    user = user_by_email(email)
    groups.revoke_invitation(group=group_named(user, group_name), actor=user, invitation_id=number)
    click.echo(f"Invitation {number} opens nothing any more.")


@group.command(
    name="join",
    epilog="""\b
Examples:
  medtheca group join --as bob@example.org          asks for the link
  printf '%s' "$LINK" | medtheca group join --as bob@example.org
""",
)
@click.option("--with-other-address", is_flag=True, help="Accept what was sent to another address than yours.")
@acting("Who joins: whoever was invited.")
@as_json
@refusals_told
def join_group(*, with_other_address: bool, email: str, as_json: bool) -> None:
    """Join a group by invitation. The link of the mail is read from standard input."""
    user = user_by_email(email)
    joined = groups.accept_into_group(secret=read_secret(), user=user, with_other_address=with_other_address)
    _show(joined, user, as_json=as_json)


@group.command(
    name="role", epilog="\b\nExample:\n  medtheca group role Readers bob@example.org owner --as alice@example.org\n"
)
@_GROUP
@click.argument("address", metavar="EMAIL")
@click.argument("role", type=_ROLE)
@_OWNER
@as_json
@refusals_told
def set_role(*, group_name: str, address: str, role: str, email: str, as_json: bool) -> None:
    """Give EMAIL, who is in GROUP, another ROLE."""
    user = user_by_email(email)
    found = group_named(user, group_name)
    person = groups.find_member(found, address, asker=user)
    groups.change_member(group=found, actor=user, user_id=person.pk, role=role)
    _show(found, user, as_json=as_json)


@group.command(
    name="remove", epilog="\b\nExample:\n  medtheca group remove Readers bob@example.org --as alice@example.org\n"
)
@_GROUP
@click.argument("address", metavar="EMAIL")
@acting("Who does it: an owner of the group, one of the staff, or whoever leaves.")
@refusals_told
def remove_member(*, group_name: str, address: str, email: str) -> None:
    """Take EMAIL out of GROUP, or leave by oneself. The last owner stays."""
    user = user_by_email(email)
    found = group_named(user, group_name)
    person = groups.find_member(found, address, asker=user)
    groups.remove_from_group(group=found, actor=user, user_id=person.pk)
    click.echo(f"{person.email} is no longer in {printable(found.name)}.")


@group.command(
    name="delete",
    epilog="""\b
Examples:
  medtheca group delete Readers --as alice@example.org           preview only
  medtheca group delete Readers --yes --as alice@example.org
""",
)
@_GROUP
@click.option("--yes", is_flag=True, help="Do it. Without this, only say what would go.")
@_OWNER
@refusals_told
def delete_group(*, group_name: str, yes: bool, email: str) -> None:
    """Take GROUP away for good. Not while images are published for it, or are asked to be."""
    user = user_by_email(email)
    found = group_named(user, group_name)
    name, counts = printable(found.name), groups.count_groups([found])[found.pk]
    if not yes:
        grouping.require_removable(group=found, actor=user)
        click.echo(f"{name} would be deleted. Members: {counts.members:,}. Images published for it: none.")
        click.echo("Nothing was changed. --yes does it.")
        return
    grouping.remove_group(group=found, actor=user)
    click.echo(f"{name} is deleted. Members it had: {counts.members:,}.")


def _facts(found: list[Scope], user: User) -> list[dict[str, Any]]:
    counts, roles = groups.count_groups(found), groups.roles_in(user, found)
    return [
        {
            "id": row.pk,
            "name": row.name,
            "members": counts[row.pk].members,
            "images": counts[row.pk].images,
            "role": roles.get(row.pk),
        }
        for row in found
    ]


def _show(found: Scope, user: User, *, as_json: bool) -> None:
    (facts,) = _facts([found], user)
    runs = groups.may_run(user, found)
    people = [
        {
            "user": row.user_id,
            "name": groups.name_among_members(row.user),
            "email": row.user.email if runs else None,
            "role": row.role,
            "since": time_of(row.created),
        }
        for row in groups.members_of(found)
    ]
    if as_json:
        print_json(facts | {"people": people})
        return
    print_facts(facts)
    print_rows([row["role"], row["email"], row["name"]] for row in people)
