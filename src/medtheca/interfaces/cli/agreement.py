"""`medtheca agreement …`: what contributors sign before anything of theirs is published.

Exit codes: 0 done; 1 refused, with the reason on standard error; 2 the command was written wrongly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.provenance import agreements, people
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.named import contributor_named
from medtheca.interfaces.cli.options import acting, as_json
from medtheca.interfaces.cli.telling import print_json, print_rows, printable, time_of

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Contributor

_CONTRIBUTOR = click.argument("contributor_name", metavar="CONTRIBUTOR")


@click.group(name="agreement")
def agreement() -> None:
    """Read the contributor agreement, accept it for a contributor, and see who has. CONTRIBUTOR is an id or a name."""


@agreement.command(name="show", epilog="\b\nExample:\n  medtheca agreement show 4 --as alice@example.org\n")
@_CONTRIBUTOR
@acting("Who asks: somebody of the contributor, or one of the staff.")
@as_json
@refusals_told
def show_agreement(*, contributor_name: str, email: str, as_json: bool) -> None:
    """Print the present agreement. Below it: its version, and who accepted it for CONTRIBUTOR."""
    user = user_by_email(email)
    found = contributor_named(user, contributor_name)
    version = agreements.AGREEMENT_VERSION
    accepted = next((row for row in _acceptances(found, user) if row["version"] == version), None)
    if as_json:
        told = {"version": version, "text": agreements.agreement_text(), "accepted": None, "accepted_by": None}
        print_json(told | (accepted or {}))
        return
    click.echo(agreements.agreement_text().rstrip())
    click.echo(f"\nVersion {version}. {_words(accepted) if accepted else 'Nobody has accepted it yet.'}")
    if not accepted:
        click.echo(f"To accept it: medtheca agreement accept {found.pk} --version {version} --as {email}", err=True)


@agreement.command(
    name="accept", epilog="\b\nExample:\n  medtheca agreement accept 4 --version 2026-11 --as alice@example.org\n"
)
@_CONTRIBUTOR
@click.option("--version", required=True, help="The version that you have read, as `show` prints it.")
@acting("Who accepts: an owner, or one of the staff.")
@as_json
@refusals_told
def accept_agreement(*, contributor_name: str, version: str, email: str, as_json: bool) -> None:
    """Accept the agreement for CONTRIBUTOR. Of a version the first time stays."""
    user = user_by_email(email)
    found = contributor_named(user, contributor_name)
    made = agreements.accept_agreement(contributor=found, actor=user, version=version)
    accepted = next(row for row in _acceptances(found, user) if row["version"] == made.version)
    if as_json:
        print_json(accepted)
        return
    click.echo(f"Version {made.version} for {printable(found.institution_name)}. {_words(accepted)}")


@agreement.command(name="list", epilog="\b\nExample:\n  medtheca agreement list 4 --as alice@example.org\n")
@_CONTRIBUTOR
@acting("Who asks: somebody of the contributor, or one of the staff.")
@as_json
@refusals_told
def list_agreements(*, contributor_name: str, email: str, as_json: bool) -> None:
    """List who accepted which version, newest first."""
    user = user_by_email(email)
    rows = _acceptances(contributor_named(user, contributor_name), user)
    if as_json:
        print_json(rows)
        return
    print_rows([row["version"], row["accepted"], row["accepted_by"]] for row in rows)
    if not rows:
        click.echo("Nobody has accepted any version yet.", err=True)


def _acceptances(contributor: Contributor, user: User) -> list[dict[str, Any]]:
    rows = list(agreements.agreements_of(contributor))
    called = people.call_people(contributor, [row.by for row in rows], asker=user)
    return [
        {"version": row.version, "accepted": time_of(row.at), "accepted_by": called[row.by_id].name} for row in rows
    ]


def _words(accepted: dict[str, Any]) -> str:
    return f"{printable(accepted['accepted_by'])} accepted it on {accepted['accepted']}."
