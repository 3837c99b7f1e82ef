"""`medtheca archive …`: the people of archives, requests to see them, invitations.

Exit codes: 0 done; 1 refused, with the reason on standard error; 2 the command was written wrongly.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.archives import people, requests
from medtheca.domains.archives.approving import judge, proposals
from medtheca.domains.archives.enums import Person, RequestState
from medtheca.domains.archives.requests import archive_to_ask_for
from medtheca.interfaces.cli import archive_collect, archive_export, archive_ingest, archive_items, archive_making
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.archive_logo import logo
from medtheca.interfaces.cli.archive_values import values
from medtheca.interfaces.cli.options import acting, as_json, read_secret
from medtheca.interfaces.cli.telling import print_json, print_rows, printable, time_of
from medtheca.workflows import archive_people as inviting

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

_ARCHIVE = click.argument("archive", metavar="ARCHIVE")
_EDITOR = acting("Who does it: an editor of the archive, or one of the staff.")
_ROLE = click.option(
    "--role",
    type=click.Choice([person.value for person in Person]),
    default="user",
    show_default=True,
    help="Editors settle everything, uploaders bring images, users look.",
)
_UNTIL = click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day (UTC). Without it: until somebody removes them."
)


@click.group(name="archive")
def archive() -> None:
    """Make archives, fill them with items, and run their people. ARCHIVE is a slug or an id."""


for _part in (archive_making, archive_items, archive_ingest, archive_export, archive_collect):
    for _command in _part.COMMANDS:
        archive.add_command(_command)

archive.add_command(logo)
archive.add_command(values)


@archive.command(name="people", epilog="\b\nExample:\n  medtheca archive people chest-ct --as alice@example.org\n")
@_ARCHIVE
@_EDITOR
@as_json
@refusals_told
def list_people(*, archive: str, email: str, as_json: bool) -> None:
    """List who is in ARCHIVE, editors first. In a line: address, role, end, held until they accept a text."""
    user = user_by_email(email)
    rows = [_person(row) for row in people.members_of(archive_to_ask_for(user, archive), asker=user)]
    if as_json:
        print_json(rows)
        return
    print_rows([row["email"], row["role"], row["until"] or "", "held" if row["held"] else ""] for row in rows)


@archive.command(
    name="add",
    epilog="\b\nExample:\n  medtheca archive add chest-ct bob@example.org --role uploader --as alice@example.org\n",
)
@_ARCHIVE
@click.argument("address", metavar="EMAIL")
@_ROLE
@_UNTIL
@_EDITOR
@refusals_told
def add_person(*, archive: str, address: str, role: str, until: datetime | None, email: str) -> None:
    """Let EMAIL, who has an account, into ARCHIVE, or give them another role and end."""
    user = user_by_email(email)
    found = archive_to_ask_for(user, archive)
    people.add_person(archive=found, actor=user, email=address, person=role, until=_end_of(until))
    click.echo(f"{address} is {role} of {printable(found.title)}.")


@archive.command(
    name="remove", epilog="\b\nExample:\n  medtheca archive remove chest-ct bob@example.org --as alice@example.org\n"
)
@_ARCHIVE
@click.argument("address", metavar="EMAIL")
@_EDITOR
@refusals_told
def remove_person(*, archive: str, address: str, email: str) -> None:
    """Take EMAIL out of ARCHIVE; every door that it opened closes within a minute. Anybody may leave by themselves."""
    user = user_by_email(email)
    found = archive_to_ask_for(user, archive)
    people.remove_person(archive=found, actor=user, user_id=people.find_by_email(found, address, asker=user).pk)
    click.echo(f"{address} is not in {printable(found.title)} any more.")


@archive.command(
    name="invite", epilog="\b\nExample:\n  medtheca archive invite chest-ct bob@example.org --as alice@example.org\n"
)
@_ARCHIVE
@click.argument("address", metavar="EMAIL")
@_ROLE
@_UNTIL
@_EDITOR
@as_json
@refusals_told
def invite(*, archive: str, address: str, role: str, until: datetime | None, email: str, as_json: bool) -> None:
    """Invite EMAIL into ARCHIVE by mail; they need no account yet. Nobody is in before they accept."""
    user = user_by_email(email)
    found = archive_to_ask_for(user, archive)
    made = inviting.invite(archive=found, email=address, person=role, actor=user, until=_end_of(until))
    if as_json:
        facts = {"id": made.pk, "email": made.email, "role": role, "expires": time_of(made.expires)}
        print_json(facts | {"until": time_of(_end_of(until))})
        return
    click.echo(f"Invitation {made.pk} is on its way to {made.email}. Its link is in the mail alone.")


@archive.command(
    name="join",
    epilog="""\b
Examples:
  medtheca archive join --as bob@example.org          asks for the link
  printf '%s' "$LINK" | medtheca archive join --as bob@example.org
""",
)
@click.option("--with-other-address", is_flag=True, help="Accept what was sent to another address than yours.")
@acting("Who joins: whoever was invited.")
@refusals_told
def join(*, with_other_address: bool, email: str) -> None:
    """Join an archive by invitation. The link of the mail is read from standard input."""
    joined = people.accept_invitation(
        secret=read_secret(), user=user_by_email(email), with_other_address=with_other_address
    )
    click.echo(f"You are in {printable(joined.title)} ({joined.slug}).")


@archive.command(
    name="requests", epilog="\b\nExample:\n  medtheca archive requests chest-ct --as alice@example.org --json\n"
)
@_ARCHIVE
@click.option(
    "--state",
    type=click.Choice([*RequestState.values, "all"]),
    default="pending",
    show_default=True,
    help="Only those of this state.",
)
@_EDITOR
@as_json
@refusals_told
def list_requests(*, archive: str, state: str, email: str, as_json: bool) -> None:
    """List requests to see ARCHIVE, the latest first. In a line: number, address, state, when asked."""
    user = user_by_email(email)
    found = requests.requests_of(archive_to_ask_for(user, archive), asker=user, state="" if state == "all" else state)
    rows = [
        {
            "id": row.pk,
            "email": row.user.email,
            "name": row.user.full_name,
            "state": row.state,
            "asked": time_of(row.asked),
            "answers": row.answers,
            "terms_version": row.terms_version,
            "reason": row.reason,
        }
        for row in found
    ]
    if as_json:
        print_json(rows)
        return
    print_rows([row["id"], row["email"], row["state"], row["asked"]] for row in rows)
    if not rows:
        click.echo("No request is so.", err=True)


@archive.command(
    name="decide",
    epilog="""\b
Examples:
  medtheca archive decide chest-ct 8 9 --accept --until 2027-12-31 --as alice@example.org
  medtheca archive decide chest-ct 10 --reject --reason "Say what for." --as alice@example.org
""",
)
@_ARCHIVE
@click.argument("numbers", metavar="NUMBER...", type=int, nargs=-1, required=True)
@click.option("--accept/--reject", "accept", required=True, default=None, help="What becomes of them.")
@click.option("--reason", default="", help="Whoever asked reads it; a rejection needs one.")
@_UNTIL
@_EDITOR
@refusals_told
def decide(
    *, archive: str, numbers: tuple[int, ...], accept: bool, reason: str, until: datetime | None, email: str
) -> None:
    """Accept or reject requests by their NUMBERs; `medtheca archive requests` shows these."""
    user = user_by_email(email)
    done = requests.decide(
        archive=archive_to_ask_for(user, archive),
        editor=user,
        request_ids=numbers,
        accept=accept,
        reason=reason,
        until=_end_of(until),
    )
    click.echo(f"{done:,} of {len(numbers):,} were {'accepted' if accept else 'rejected'}.")


@archive.command(
    name="request",
    epilog="""\b
Examples:
  medtheca archive request chest-ct --as bob@example.org
  medtheca archive request chest-ct --answer purpose="A thesis" --accept-terms 2 --as bob@example.org
""",
)
@_ARCHIVE
@click.option("--answer", "answers", multiple=True, metavar="NAME=TEXT", help="To a question of the form; repeat it.")
@click.option("--accept-terms", "version", type=int, help="The version of the data-use text that you read and accept.")
@acting("Who asks.")
@refusals_told
def ask(*, archive: str, answers: tuple[str, ...], version: int | None, email: str) -> None:
    """Ask to see ARCHIVE."""
    if wrong := [one for one in answers if "=" not in one]:
        raise click.UsageError(f"--answer {wrong[0]}: write NAME=TEXT.")
    user = user_by_email(email)
    asked = requests.ask_to_see(
        archive=archive_to_ask_for(user, archive),
        user=user,
        answers=dict(one.split("=", 1) for one in answers),
        accepted_version=version,
    )
    words = "You are in." if asked.state == RequestState.ACCEPTED else "It waits for an editor, and you get a mail."
    click.echo(f"Request {asked.pk}. {words}")


@archive.command(name="proposals", epilog="\b\nExample:\n  medtheca archive proposals\n")
@as_json
@refusals_told
def list_proposals(*, as_json: bool) -> None:
    """List archives that wait for the staff, the oldest first. In a line: slug, address of its maker, title."""
    rows = [
        {"slug": row.archive.slug, "creator": row.archive.creator.email, "title": row.archive.title}
        for row in proposals()
    ]
    if as_json:
        print_json(rows)
        return
    print_rows(list(row.values()) for row in rows)
    if not rows:
        click.echo("No archive waits.", err=True)


@archive.command(name="judge", epilog="\b\nExample:\n  medtheca archive judge chest-ct --agree --as sam@example.org\n")
@_ARCHIVE
@click.option("--agree/--decline", "agree", required=True, default=None, help="What the staff say.")
@click.option("--reason", default="", help="Whoever made it reads it; declining needs one.")
@acting("One of the staff.")
@refusals_told
def judge_archive(*, archive: str, agree: bool, reason: str, email: str) -> None:
    """Agree to ARCHIVE where the instance asks that, or decline it."""
    staff = user_by_email(email)
    judged = judge(archive_id=archive_to_ask_for(staff, archive).pk, staff=staff, agree=agree, reason=reason)
    click.echo(f"{printable(judged.title)} {'can be found now' if agree else 'was declined'}.")


def _end_of(day: datetime | None) -> datetime | None:
    return datetime.combine(day.date(), time(23, 59, 59), UTC) if day else None


def _person(row: people.Member) -> dict[str, Any]:
    user: User = row.user
    return {
        "email": user.email,
        "name": user.full_name,
        "role": row.person.value,
        "since": time_of(row.since),
        "until": time_of(row.until),
        "held": row.held,
    }
