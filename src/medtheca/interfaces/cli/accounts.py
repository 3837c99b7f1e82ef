"""`medtheca user …` and `medtheca token …`.

Exit codes: 0 done; 1 refused, with the reason on standard error; 2 the command was written wrongly.
"""

from __future__ import annotations

import functools
import secrets
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn, ParamSpec, TypeVar

import click

from medtheca.base.clock import now
from medtheca.base.errors import DomainError, Invalid
from medtheca.domains.accounts import operations, queries
from medtheca.domains.accounts.terms import accept_terms
from medtheca.interfaces.cli.telling import print_json, time_of

_P = ParamSpec("_P")
_R = TypeVar("_R")
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def refusals_told(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """A domain's refusal as words on standard error and exit code 1."""

    @functools.wraps(command)
    def told(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return command(*args, **kwargs)
        except DomainError as refusal:
            _refuse(refusal)

    return told


def _refuse(refusal: DomainError) -> NoReturn:
    lines = [f"{refusal.message} {refusal.remedy}".strip()]
    if isinstance(refusal, Invalid):
        lines += [f"  {problem.field}: {problem.message} {problem.remedy}".rstrip() for problem in refusal.problems]
    for line in lines:
        click.echo(line, err=True)
    sys.exit(1)


@click.group(name="user")
def user() -> None:
    """Make, list and disable users."""


@user.command(
    name="create",
    epilog="""\b
Examples:
  medtheca user create alice@example.org --name "Alice Miller"
  medtheca user create sam@example.org --staff --random-password
  printf '%s' "$PASSWORD" | medtheca user create bob@example.org --password-stdin --json
""",
)
@click.argument("email")
@click.option("--name", default="", help='First and last name, such as "Alice Miller".')
@click.option("--staff", is_flag=True, help="May review, publish and see everything.")
@click.option("--accepted-terms", is_flag=True, help="They accepted the terms of use already, say on paper.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
@click.option("--random-password", is_flag=True, help="Make a password and print it, once.")
@_AS_JSON
@refusals_told
def create_user(
    *,
    email: str,
    name: str,
    staff: bool,
    accepted_terms: bool,
    password_stdin: bool,
    random_password: bool,
    as_json: bool,
) -> None:
    """Make a user who can log in at once; the address counts as confirmed.

    Without an option for it, the password is asked for twice. It is never taken from the command line, where other
    users of the machine could read it.
    """
    if password_stdin and random_password:
        raise click.UsageError("--password-stdin and --random-password exclude each other; write one of them.")
    if random_password:
        password = secrets.token_urlsafe(18)
    elif password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    first_name, _, last_name = name.strip().partition(" ")
    made = operations.create_user(
        email=email, password=password, staff=staff, first_name=first_name, last_name=last_name.strip()
    )
    if accepted_terms:
        accept_terms(user=made)
    if as_json:
        shown = {"email": made.email, "hash_id": made.hash_id, "name": made.full_name, "staff": made.is_staff}
        print_json(shown | ({"password": password} if random_password else {}))
        return
    click.echo(f"{made.email} can log in now{', as staff' if staff else ''}.")
    if random_password:
        click.echo(f"Password: {password}")
        click.echo("It is shown only now.", err=True)


@user.command(name="list", epilog="\b\nExamples:\n  medtheca user list\n  medtheca user list --json | jq '.[].email'\n")
@_AS_JSON
@refusals_told
def list_users(*, as_json: bool) -> None:
    """List all users, by address."""
    rows = [
        {
            "email": each.email,
            "hash_id": each.hash_id,
            "name": f"{each.first_name} {each.last_name}".strip(),
            "staff": each.is_staff,
            "active": each.is_active,
            "demo": each.is_demo,
            "last_login": time_of(each.last_login),
        }
        for each in queries.all_users()
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        marks = [word for word in ("staff", "demo") if row[word]] + ([] if row["active"] else ["disabled"])
        click.echo("\t".join([str(row["email"]), str(row["name"]), ", ".join(marks)]))
    if not rows:
        click.echo("There are no users yet. `medtheca user create EMAIL` makes one.", err=True)


@user.command(name="disable", epilog="\b\nExample:\n  medtheca user disable bob@example.org\n")
@click.argument("email")
@refusals_told
def disable_user(*, email: str) -> None:
    """Stop a user's log-in, sessions and tokens at once. Nothing of theirs is deleted."""
    found = operations.set_active(user=queries.user_by_email(email), active=False)
    click.echo(f"{found.email} is disabled. `medtheca user enable {found.email}` takes it back.")


@user.command(name="enable", epilog="\b\nExample:\n  medtheca user enable bob@example.org\n")
@click.argument("email")
@refusals_told
def enable_user(*, email: str) -> None:
    """Let a disabled user in again; tokens that were not revoked work again too."""
    found = operations.set_active(user=queries.user_by_email(email), active=True)
    click.echo(f"{found.email} can log in.")


@click.group(name="token")
def token() -> None:
    """Make, list and revoke API tokens of a user."""


@token.command(
    name="create",
    epilog="""\b
Examples:
  medtheca token create alice@example.org --name notebook
  medtheca token create alice@example.org --name importer --scope write --days 30 --json
The secret goes into a header: curl -H "Authorization: Bearer mt_..." ADDRESS/api/v2/users/me/
""",
)
@click.argument("email")
@click.option("--name", required=True, help="The program or machine that will use it.")
@click.option(
    "--scope",
    type=click.Choice(["read", "write"]),
    default="read",
    show_default=True,
    help="What it may do; write includes read.",
)
@click.option(
    "--days",
    type=click.IntRange(min=0),
    default=90,
    show_default=True,
    help="How long it lives, at most two years (731). 0: until it is revoked.",
)
@_AS_JSON
@refusals_told
def create_token(*, email: str, name: str, scope: str, days: int, as_json: bool) -> None:
    """Make an API token and print its secret, once. Only a hash of it is stored."""
    owner = queries.user_by_email(email)
    expires = now() + timedelta(days=min(days, 100_000)) if days else None
    made, secret = operations.create_token(user=owner, name=name, scope=scope, expires=expires)
    if expires is None:
        click.echo("Warning: this token lives until it is revoked. --days N gives it an end.", err=True)
    if as_json:
        shown = {"id": made.pk, "name": made.name, "scope": made.scope, "expires": time_of(made.expires)}
        print_json(shown | {"secret": secret})
        return
    click.echo(secret)
    click.echo(f"Token {made.pk} of {owner.email}. The secret is shown only now.", err=True)


@token.command(name="list", epilog="\b\nExample:\n  medtheca token list alice@example.org --json\n")
@click.argument("email")
@_AS_JSON
@refusals_told
def list_tokens(*, email: str, as_json: bool) -> None:
    """List a user's tokens, newest first: number, beginning of the secret, scope, state, name."""
    rows = [
        {
            "id": each.pk,
            "name": each.name,
            "hint": each.hint,
            "scope": each.scope,
            "state": queries.token_state(each),
            "created": time_of(each.created),
            "expires": time_of(each.expires),
            "last_used": time_of(each.last_used),
        }
        for each in queries.tokens_of(queries.user_by_email(email))
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo("\t".join(str(row[key]) for key in ("id", "hint", "scope", "state", "name")))
    if not rows:
        click.echo(f"{email} has no tokens. `medtheca token create {email} --name …` makes one.", err=True)


@token.command(name="revoke", epilog="\b\nExample:\n  medtheca token revoke alice@example.org 12\n")
@click.argument("email")
@click.argument("number", type=int)
@refusals_told
def revoke_token(*, email: str, number: int) -> None:
    """End a token for good; NUMBER is what `medtheca token list` shows first."""
    ended = operations.revoke_token(user=queries.user_by_email(email), token_id=number)
    click.echo(f"Token {ended.pk} ({ended.name}) is revoked.")
