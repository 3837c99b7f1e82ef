"""`medtheca contributor …`: who answers for images.

Exit codes: 0 done; 1 refused, with the reason on standard error; 2 the command was written wrongly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from medtheca.domains.access.enums import Role
from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.provenance import people
from medtheca.domains.provenance.access import visible_cohorts
from medtheca.domains.provenance.agreements import agreement_is_current
from medtheca.domains.provenance.contributors import contact_of, edit_contributor
from medtheca.domains.provenance.operations import create_contributor
from medtheca.domains.provenance.overviews import contributors_for
from medtheca.domains.provenance.summaries import count_accessions
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.named import contributor_named
from medtheca.interfaces.cli.options import acting, as_json, changes, licence_given
from medtheca.interfaces.cli.telling import print_facts, print_json, print_rows, printable, time_of

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Contributor

_CONTRIBUTOR = click.argument("contributor_name", metavar="CONTRIBUTOR")
_URL = click.option("--url", help="Its pages on the web, https://…")
_CONTACT = click.option("--contact", help="Whom to ask about consent and law. Read by its owners and editors.")
_LICENCE = click.option(
    "--licence", callback=licence_given, help="Suggested for new cohorts: CC-0, CC-BY or CC-BY-NC, or by SPDX."
)
_ATTRIBUTION = click.option("--attribution", help="Suggested for new cohorts: whom to name.")


@click.group(name="contributor")
def contributor() -> None:
    """Make, show and change contributors: institutions or people who answer for images.

    CONTRIBUTOR is an id or the whole name. Who belongs to one: medtheca member; what it signed: medtheca agreement.
    """


@contributor.command(name="list", epilog="\b\nExamples:\n  medtheca contributor list --as alice@example.org\n")
@acting("Whose contributors; of the staff, all.")
@as_json
@refusals_told
def list_contributors(*, email: str, as_json: bool) -> None:
    """List contributors by name. In a line: id, name, number of cohorts, default licence."""
    rows = [
        {
            "id": row.pk,
            "name": row.institution_name,
            # Counted by the query that found the row.
            "cohorts": getattr(row, "cohort_number", 0),
            "default_licence": row.default_licence,
            "created": time_of(row.created),
        }
        for row in contributors_for(user_by_email(email))
    ]
    if as_json:
        print_json(rows)
        return
    print_rows([row["id"], row["name"], row["cohorts"], row["default_licence"]] for row in rows)
    if not rows:
        click.echo(f"{email} belongs to no contributor. `medtheca contributor create NAME` makes one.", err=True)


@contributor.command(
    name="show", epilog='\b\nExample:\n  medtheca contributor show "Clinic of Exampleton" --as alice@example.org\n'
)
@_CONTRIBUTOR
@acting("Who asks: somebody of the contributor, or one of the staff.")
@as_json
@refusals_told
def show_contributor(*, contributor_name: str, email: str, as_json: bool) -> None:
    """Show CONTRIBUTOR with its owners and cohorts."""
    user = user_by_email(email)
    _show(contributor_named(user, contributor_name), user, as_json=as_json)


@contributor.command(
    name="create",
    epilog="""\b
Example:
  medtheca contributor create "Clinic of Exampleton" --url https://clinic.example \\
      --contact "Legal office, legal@clinic.example" --licence CC-BY --as alice@example.org
""",
)
@click.argument("name")
@_URL
@_CONTACT
@_LICENCE
@_ATTRIBUTION
@acting("Who makes it, and becomes its first owner.")
@as_json
@refusals_told
def make_contributor(
    *,
    name: str,
    url: str | None,
    contact: str | None,
    licence: str | None,
    attribution: str | None,
    email: str,
    as_json: bool,
) -> None:
    """Make a contributor called NAME."""
    user = user_by_email(email)
    made = create_contributor(
        creator=user,
        institution_name=name,
        institution_url=url or "",
        legal_contact_info=contact or "",
        default_licence=licence or "",
        default_attribution=attribution or "",
    )
    _show(made, user, as_json=as_json)


@contributor.command(
    name="edit",
    epilog="""\b
Examples:
  medtheca contributor edit 4 --name "University Clinic of Exampleton" --as alice@example.org
  medtheca contributor edit 4 --licence "" --as alice@example.org      takes the default licence back
""",
)
@_CONTRIBUTOR
@click.option("--name", help="What it is called.")
@_URL
@_CONTACT
@_LICENCE
@_ATTRIBUTION
@acting("Who changes it: an owner, or one of the staff.")
@as_json
@refusals_told
def change_contributor(
    *,
    contributor_name: str,
    name: str | None,
    url: str | None,
    contact: str | None,
    licence: str | None,
    attribution: str | None,
    email: str,
    as_json: bool,
) -> None:
    """Change what is said of CONTRIBUTOR; what is left out stays. Images that are in keep licence and attribution."""
    given = changes(
        institution_name=name,
        institution_url=url,
        legal_contact_info=contact,
        default_licence=licence,
        default_attribution=attribution,
    )
    user = user_by_email(email)
    found = contributor_named(user, contributor_name)
    _show(edit_contributor(contributor=found, actor=user, **given), user, as_json=as_json)


def _show(found: Contributor, user: User, *, as_json: bool) -> None:
    cohorts = list(visible_cohorts(user).filter(contributor=found).order_by("name", "pk"))
    counts = count_accessions(row.pk for row in cohorts)
    owners = [row.user for row in people.members_of(found) if row.role == Role.OWNER]
    called = people.call_people(found, owners, asker=user)
    facts: dict[str, Any] = {
        "id": found.pk,
        "name": found.institution_name,
        "url": found.institution_url,
        "contact": contact_of(found, asker=user),
        "default_licence": found.default_licence,
        "default_attribution": found.default_attribution,
        "created": time_of(found.created),
        "agreement_accepted": agreement_is_current(found),
    }
    if as_json:
        shown_owners = [{"user": row.pk, "name": called[row.pk].name, "email": called[row.pk].email} for row in owners]
        shown_cohorts = [{"id": row.pk, "name": row.name, "submissions": counts[row.pk]} for row in cohorts]
        print_json(facts | {"owners": shown_owners, "cohorts": shown_cohorts})
        return
    print_facts(facts | {"owners": ", ".join(called[row.pk].email or called[row.pk].name for row in owners)})
    for row in cohorts:
        click.echo(f"Cohort {row.pk} {printable(row.name)}, submissions: {counts[row.pk]:,}")
