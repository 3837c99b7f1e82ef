"""`medtheca member …`: the people of a contributor or a cohort.

Exit codes: 0 done; 1 refused, with the reason on standard error; 2 the command was written wrongly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from medtheca.domains.access.enums import Role
from medtheca.domains.access.invitations import invitations_of
from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.provenance import people
from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.people import ROLES
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.named import thing_named
from medtheca.interfaces.cli.options import acting, as_json, read_secret
from medtheca.interfaces.cli.telling import invitation_facts, print_json, print_rows, printable, time_of
from medtheca.workflows import inviting

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

_OWNER = acting("Who does it: an owner, or one of the staff.")
_ROLE = click.Choice([role.value for role in ROLES])


def _of(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say of which contributor or cohort."""
    for option in (
        click.option("--contributor", metavar="ID|NAME", help="Of a contributor, and so of all its cohorts."),
        click.option("--cohort", metavar="ID|NAME", help="Of one cohort alone."),
    ):
        command = option(command)
    return command


@click.group(name="member")
def member() -> None:
    """See, invite, change and remove the people of a contributor or a cohort.

    An owner answers for it, an editor uploads and describes, a reviewer (named by staff) judges, a viewer sees.
    """


@member.command(
    name="list",
    epilog="""\b
Examples:
  medtheca member list --contributor "Clinic of Exampleton" --as alice@example.org
  medtheca member list --cohort 17 --json --as alice@example.org
""",
)
@_of
@acting("Who asks: somebody of it, or one of the staff.")
@as_json
@refusals_told
def list_members(*, contributor: str | None, cohort: str | None, email: str, as_json: bool) -> None:
    """List who belongs to it, owners first. In a line: role, address, name, the contributor by which they do."""
    user = user_by_email(email)
    _show(user, thing_named(user, contributor=contributor, cohort=cohort), as_json=as_json)


@member.command(
    name="invite", epilog="\b\nExample:\n  medtheca member invite bob@example.org --cohort 17 --as alice@example.org\n"
)
@click.argument("address", metavar="EMAIL")
@click.option("--role", type=_ROLE, default=Role.VIEWER.value, show_default=True, help="As what.")
@_of
@_OWNER
@as_json
@refusals_told
def invite_member(
    *, address: str, role: str, contributor: str | None, cohort: str | None, email: str, as_json: bool
) -> None:
    """Invite EMAIL by mail; they need no account yet. Inviting once more ends the invitation before."""
    user = user_by_email(email)
    thing = thing_named(user, contributor=contributor, cohort=cohort)
    made = inviting.invite(thing=thing, email=address, role=people.role_named(role), actor=user)
    _tell_invitation(made, people.name_of(thing), as_json=as_json)


@member.command(
    name="invitations", epilog="\b\nExample:\n  medtheca member invitations --cohort 17 --as alice@example.org\n"
)
@_of
@_OWNER
@as_json
@refusals_told
def list_invitations(*, contributor: str | None, cohort: str | None, email: str, as_json: bool) -> None:
    """List open and expired invitations. In a line: number, address, role, end; the newest first."""
    user = user_by_email(email)
    thing = thing_named(user, contributor=contributor, cohort=cohort)
    require_owner(user, thing, to="see its invitations")
    rows = [invitation_facts(row) for row in invitations_of(thing.scope)]
    if as_json:
        print_json(rows)
        return
    print_rows([row["id"], row["email"], row["role"], row["expires"]] for row in rows)
    if not rows:
        click.echo("No invitation is open.", err=True)


@member.command(name="resend", epilog="\b\nExample:\n  medtheca member resend 8 --cohort 17 --as alice@example.org\n")
@click.argument("number", type=int)
@_of
@_OWNER
@as_json
@refusals_told
def resend_invitation(*, number: int, contributor: str | None, cohort: str | None, email: str, as_json: bool) -> None:
    """Send the invitation NUMBER anew. The link of the mail before ends."""
    user = user_by_email(email)
    thing = thing_named(user, contributor=contributor, cohort=cohort)
    made = inviting.invite_again(thing=thing, invitation_id=number, actor=user)
    _tell_invitation(made, people.name_of(thing), as_json=as_json)


@member.command(name="revoke", epilog="\b\nExample:\n  medtheca member revoke 8 --cohort 17 --as alice@example.org\n")
@click.argument("number", type=int)
@_of
@_OWNER
@refusals_told
def revoke_invitation(*, number: int, contributor: str | None, cohort: str | None, email: str) -> None:
    """End the invitation NUMBER. `medtheca member invitations` shows the numbers."""
    user = user_by_email(email)
    thing = thing_named(user, contributor=contributor, cohort=cohort)
    people.revoke_invitation(thing=thing, invitation_id=number, actor=user)
    click.echo(f"Invitation {number} opens nothing any more.")


@member.command(
    name="accept",
    epilog="""\b
Examples:
  medtheca member accept --as bob@example.org          asks for the link
  printf '%s' "$LINK" | medtheca member accept --as bob@example.org
""",
)
@click.option("--with-other-address", is_flag=True, help="Accept what was sent to another address than yours.")
@acting("Who accepts: whoever was invited.")
@as_json
@refusals_told
def accept_invitation(*, with_other_address: bool, email: str, as_json: bool) -> None:
    """Accept an invitation. The link of its mail is read from standard input."""
    user = user_by_email(email)
    thing = people.accept_invitation(secret=read_secret(), user=user, with_other_address=with_other_address)
    if as_json:
        print_json({"kind": people.kind_of(thing), "id": thing.pk})
        return
    click.echo(f"{user.email} belongs to the {people.kind_of(thing)} {printable(people.name_of(thing))} now.")


@member.command(
    name="role",
    epilog="\b\nExample:\n  medtheca member role bob@example.org editor --cohort 17 --as alice@example.org\n",
)
@click.argument("address", metavar="EMAIL")
@click.argument("role", type=_ROLE)
@_of
@_OWNER
@as_json
@refusals_told
def set_role(
    *, address: str, role: str, contributor: str | None, cohort: str | None, email: str, as_json: bool
) -> None:
    """Give EMAIL, who belongs to it, another ROLE. Staff may name anybody with an account."""
    user = user_by_email(email)
    thing = thing_named(user, contributor=contributor, cohort=cohort)
    person = people.find_person_by_email(thing, address, asker=user)
    people.set_member(thing=thing, user=person, role=people.role_named(role), actor=user)
    _show(user, thing, as_json=as_json)


@member.command(
    name="remove", epilog="\b\nExample:\n  medtheca member remove bob@example.org --cohort 17 --as alice@example.org\n"
)
@click.argument("address", metavar="EMAIL")
@_of
@acting("Who does it: an owner, one of the staff, or whoever leaves.")
@refusals_told
def remove_member(*, address: str, contributor: str | None, cohort: str | None, email: str) -> None:
    """Take EMAIL out, or leave by oneself; what they did stays. The last owner stays."""
    user = user_by_email(email)
    thing = thing_named(user, contributor=contributor, cohort=cohort)
    person = people.find_person_by_email(thing, address, asker=user)
    people.remove_person(thing=thing, user=person, actor=user)
    click.echo(f"{person.email} no longer belongs to {printable(people.name_of(thing))}.")


@member.command(
    name="hand-over",
    epilog="""\b
Examples:
  medtheca member hand-over bob@example.org --contributor 4 --as alice@example.org
  medtheca member hand-over bob@example.org --from alice@example.org --contributor 4 --as sam@example.org
""",
)
@click.argument("address", metavar="EMAIL")
@click.option("--from", "giver", metavar="EMAIL", help="The owner who goes. Default: whoever does it.")
@_of
@_OWNER
@as_json
@refusals_told
def hand_over(
    *, address: str, giver: str | None, contributor: str | None, cohort: str | None, email: str, as_json: bool
) -> None:
    """Make EMAIL an owner in the place of another, in one step."""
    user = user_by_email(email)
    thing = thing_named(user, contributor=contributor, cohort=cohort)
    taker = people.find_person_by_email(thing, address, asker=user)
    goes = people.find_person_by_email(thing, giver, asker=user) if giver is not None else user
    people.transfer(thing=thing, giver=goes, taker=taker, actor=user)
    done = {"kind": people.kind_of(thing), "id": thing.pk, "giver": goes.email, "taker": taker.email}
    if as_json:
        print_json(done)
        return
    click.echo(f"{taker.email} owns {printable(people.name_of(thing))} now, and {goes.email} no longer does.")


def _tell_invitation(made: Any, name: str, *, as_json: bool) -> None:
    facts = invitation_facts(made)
    if as_json:
        print_json(facts)
        return
    click.echo(
        f"Invitation {facts['id']} to {printable(name)} for {facts['email']}, as {facts['role']}, until"
        f" {facts['expires']}. Its link is in the mail alone."
    )


def _show(user: User, thing: people.Thing, *, as_json: bool) -> None:
    members = people.members_of(thing)
    called = people.call_people(thing, [row.user for row in members], asker=user)
    rows = [
        {
            "user": row.user.pk,
            "name": called[row.user.pk].name,
            "email": called[row.user.pk].email,
            "affiliation": row.user.affiliation,
            "orcid": row.user.orcid,
            "role": row.role.value,
            "since": time_of(row.since),
            "contributor": row.through.institution_name if row.through else None,
        }
        for row in members
    ]
    if as_json:
        print_json(rows)
        return
    print_rows([row["role"], row["email"], row["name"], row["contributor"]] for row in rows)
