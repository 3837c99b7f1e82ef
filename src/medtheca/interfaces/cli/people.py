"""`medtheca user show`, `export`, `delete` and `reset-second-factor`: what operators do to one account.

Exit codes: 0 done; 1 refused, with the reason on standard error; 2 the command was written wrongly.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medtheca.domains.accounts import queries
from medtheca.domains.accounts.credentials import sessions_of
from medtheca.domains.accounts.deleting import cancel_deletion, open_deletion
from medtheca.domains.accounts.factors import factors_of, reset_second_factor
from medtheca.domains.accounts.verifying import take_back_verification, vouch_for
from medtheca.interfaces.cli.accounts import refusals_told, user
from medtheca.interfaces.cli.telling import print_facts, print_json, time_of
from medtheca.workflows.leaving import Preview, delete_due_accounts, delete_user, preview_deletion
from medtheca.workflows.personal_data import export_of

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


@user.command(
    name="verify",
    epilog="""\b
Examples:
  medtheca user verify bob@example.org
  medtheca user verify bob@example.org --address b.smith@clinic.example
  medtheca user verify bob@example.org --end
""",
)
@click.argument("email")
@click.option("--address", default="", help="An address at an institution. Without it, the account's own.")
@click.option("--end", is_flag=True, help="Take the verification back.")
@refusals_told
def verify_user(*, email: str, address: str, end: bool) -> None:
    """Verify a user by what you know of them: archives that let verified people in let them in."""
    found = queries.user_by_email(email)
    if end:
        take_back_verification(user=found, actor=None)
        click.echo(f"{found.email} is not verified any more.")
        return
    row = vouch_for(user=found, staff=None, email=address)
    click.echo(f"{found.email} is verified by {row.email}.")


@user.command(name="show", epilog="\b\nExample:\n  medtheca user show alice@example.org --json\n")
@click.argument("email")
@_AS_JSON
@refusals_told
def show_user(*, email: str, as_json: bool) -> None:
    """Show one user: profile, second factors, sessions, tokens, terms, and whether they are about to go."""
    facts = _facts(queries.user_by_email(email))
    if as_json:
        print_json(facts)
        return
    print_facts(facts)


def _facts(found: User) -> dict[str, Any]:
    factors, leaving = factors_of(found), open_deletion(found)
    return {
        "email": found.email,
        "name": f"{found.first_name} {found.last_name}".strip(),
        "hash_id": found.hash_id,
        "affiliation": found.affiliation,
        "orcid": found.orcid,
        "country": found.country,
        "staff": found.is_staff,
        "active": found.is_active,
        "demo": found.is_demo,
        "created": time_of(found.created),
        "last_login": time_of(found.last_login),
        "accepted_terms": found.accepted_version or None,
        "authenticator_app": factors.app,
        "passkeys": factors.passkeys,
        "recovery_codes": factors.recovery_codes,
        "sessions": sessions_of(found).count(),
        "live_tokens": queries.live_tokens(queries.tokens_of(found)).count(),
        "deletion_due": time_of(leaving.due) if leaving else None,
    }


@user.command(name="export", epilog="\b\nExample:\n  medtheca user export alice@example.org alice.zip\n")
@click.argument("email")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@refusals_told
def export_user(*, email: str, file: Path) -> None:
    """Write everything held about a user into FILE, a ZIP of JSON. An existing file is not touched."""
    content = export_of(queries.user_by_email(email))
    try:
        # Made for this account alone: it is all about one person.
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise click.ClickException(f"{file} exists already; name another file.") from None
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from None
    file.write_bytes(content)
    click.echo(f"{file}: {len(content):,} bytes. Hand it to {email} and nobody else.")


@user.command(
    name="delete",
    epilog="""\b
Examples:
  medtheca user delete bob@example.org             preview only
  medtheca user delete bob@example.org --yes       in 14 days, unless he logs in
  medtheca user delete bob@example.org --now --yes
  medtheca user delete bob@example.org --keep      take it back
""",
)
@click.argument("email")
@click.option("--now", "at_once", is_flag=True, help="At once, without the 14 days of grace.")
@click.option("--yes", is_flag=True, help="Do it. Without this, only say what would go.")
@click.option("--keep", is_flag=True, help="Take a wish for deletion back.")
@refusals_told
def delete_account(*, email: str, at_once: bool, yes: bool, keep: bool) -> None:
    """Delete an account: name, address, keys and sessions go; what was done to images stays under the pseudonym."""
    found = queries.user_by_email(email)
    if keep:
        kept = cancel_deletion(user=found, actor_id=None)
        click.echo(f"{found.email} is kept." if kept else f"Nobody asked for {found.email} to be deleted.")
        return
    preview = preview_deletion(user=found)
    _tell(preview, found)
    if not yes:
        click.echo("Nothing was changed. --yes does it.")
        sys.exit(0 if preview.possible else 1)
    deletion = delete_user(user=found, staff=None, at_once=at_once)
    if at_once:
        # Done here and now; the job that was set for it finds nothing left to do.
        delete_due_accounts()
        click.echo(f"{email} is deleted. What is left is called deleted-{found.hash_id}.")
    else:
        click.echo(f"{email} will be deleted on {deletion.due:%Y-%m-%d %H:%M} UTC, unless they log in before.")


def _tell(preview: Preview, found: User) -> None:
    click.echo(
        f"Goes: names, {found.email}, password, {preview.factors} factors, {preview.sessions} sessions, "
        f"{preview.tokens} tokens, {preview.memberships} memberships, "
        f"{preview.collections} collections that nobody else has a part in, notifications."
    )
    click.echo(
        f"Stays as deleted-{found.hash_id}: {preview.accessions} accessions, {preview.reviews} reviews, "
        f"{preview.events} events of the ledger."
    )
    for name in preview.sole_owner_of:
        click.echo(f"In the way: the only owner of {name}.", err=True)


@user.command(name="reset-second-factor", epilog="\b\nExample:\n  medtheca user reset-second-factor bob@example.org\n")
@click.argument("email")
@refusals_told
def reset_factor(*, email: str) -> None:
    """Take app, passkeys and recovery codes from a user who lost them. Make sure first who is asking."""
    found = queries.user_by_email(email)
    gone = reset_second_factor(user=found)
    if gone:
        click.echo(f"{found.email} logs in with the password alone now, and can set up a new factor.")
    else:
        click.echo(f"{found.email} has no second factor.")
