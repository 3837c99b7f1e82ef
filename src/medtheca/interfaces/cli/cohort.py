"""`medtheca cohort …`: sets of images of one contributor.

Exit codes: 0 done, or shown with --dry-run; 1 refused, with the reason on standard error; 2 the command was written
wrongly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.provenance import people
from medtheca.domains.provenance.contributors import attest, edit_cohort
from medtheca.domains.provenance.moving import move_accessions, plan_move
from medtheca.domains.provenance.operations import create_cohort
from medtheca.domains.provenance.overviews import cohorts_for, count_images_of
from medtheca.domains.provenance.queries import counts_of_cohort
from medtheca.domains.provenance.selecting import accessions_listed
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.named import cohort_named, contributor_named
from medtheca.interfaces.cli.options import acting, as_json, changes, licence_given
from medtheca.interfaces.cli.planned import carry_out
from medtheca.interfaces.cli.telling import print_facts, print_json, print_rows, time_of

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Cohort

_COHORT = click.argument("cohort_name", metavar="COHORT")
_DESCRIPTION = click.option("--description", help="What it holds. Private.")


@click.group(name="cohort")
def cohort() -> None:
    """Make, show and change cohorts: sets of images of one contributor.

    COHORT is an id or the whole name. Files go in by medtheca ingest; two become one by medtheca curate merge.
    """


@cohort.command(
    name="list",
    epilog="""\b
Examples:
  medtheca cohort list --as alice@example.org
  medtheca cohort list --contributor "Clinic of Exampleton" --json --as alice@example.org
""",
)
@click.option("--contributor", "contributor_name", metavar="ID|NAME", help="Only those of a contributor.")
@acting("Whose cohorts; of the staff, all.")
@as_json
@refusals_told
def list_cohorts(*, contributor_name: str | None, email: str, as_json: bool) -> None:
    """List cohorts, newest first. In a line: id, name, contributor, images, published images."""
    user = user_by_email(email)
    found = cohorts_for(user)
    if contributor_name is not None:
        found = found.filter(contributor=contributor_named(user, contributor_name))
    cohorts = list(found)
    counts = count_images_of(cohorts)
    rows = [
        {
            "id": row.pk,
            "name": row.name,
            "contributor": {"id": row.contributor_id, "name": row.contributor.institution_name},
            "images": counts[row.pk].images,
            "published": counts[row.pk].published,
            "created": time_of(row.created),
        }
        for row in cohorts
    ]
    if as_json:
        print_json(rows)
        return
    print_rows(
        [row.pk, row.name, row.contributor.institution_name, counts[row.pk].images, counts[row.pk].published]
        for row in cohorts
    )
    if not rows:
        click.echo("There are none. `medtheca cohort create NAME --contributor ID|NAME` makes one.", err=True)


@cohort.command(name="show", epilog='\b\nExample:\n  medtheca cohort show "Clinic 2026" --as alice@example.org\n')
@_COHORT
@acting("Who asks: somebody of the cohort, or one of the staff.")
@as_json
@refusals_told
def show_cohort(*, cohort_name: str, email: str, as_json: bool) -> None:
    """Show COHORT. Submissions are counted by their state."""
    user = user_by_email(email)
    _show(cohort_named(user, cohort_name), user, as_json=as_json)


@cohort.command(
    name="create",
    epilog="""\b
Example:
  medtheca cohort create "Clinic 2026" --contributor "Clinic of Exampleton" --licence CC-BY \\
      --attribution "Clinic of Exampleton" --as alice@example.org
""",
)
@click.argument("name")
@click.option("--contributor", "contributor_name", required=True, metavar="ID|NAME", help="Who answers for it.")
@click.option(
    "--licence", callback=licence_given, help="CC-0, CC-BY or CC-BY-NC, or by SPDX. Default: the contributor's."
)
@click.option("--attribution", help="Whom to name when its images are used. Default: the contributor's.")
@_DESCRIPTION
@acting("Who makes it: an owner of the contributor, or one of the staff.")
@as_json
@refusals_told
def make_cohort(
    *,
    name: str,
    contributor_name: str,
    licence: str | None,
    attribution: str | None,
    description: str | None,
    email: str,
    as_json: bool,
) -> None:
    """Make a cohort called NAME. Its images get its licence and attribution."""
    user = user_by_email(email)
    contributor = contributor_named(user, contributor_name)
    made = create_cohort(
        contributor=contributor,
        creator=user,
        name=name,
        licence=contributor.default_licence if licence is None else licence,
        attribution=contributor.default_attribution if attribution is None else attribution,
        description=description or "",
    )
    _show(made, user, as_json=as_json)


@cohort.command(
    name="edit",
    epilog="""\b
Examples:
  medtheca cohort edit 17 --consent-basis "Ethics board of Exampleton, 2026/17" --as alice@example.org
  medtheca cohort edit 17 --readers 2 --as sam@example.org
""",
)
@_COHORT
@click.option("--name", help="What it is called. Private.")
@_DESCRIPTION
@click.option("--consent-basis", help="Ethics approval or consent under which images came. Private.")
@click.option("--licence", callback=licence_given, help="Of images to come: CC-0, CC-BY or CC-BY-NC, or by SPDX.")
@click.option("--attribution", help="Of images to come: whom to name.")
@click.option("--readers", type=int, help="How many must accept an image, 1 or 2; for staff.")
@acting("Who changes it: an owner, or one of the staff.")
@as_json
@refusals_told
def change_cohort(
    *,
    cohort_name: str,
    name: str | None,
    description: str | None,
    consent_basis: str | None,
    licence: str | None,
    attribution: str | None,
    readers: int | None,
    email: str,
    as_json: bool,
) -> None:
    """Change what is said of COHORT; what is left out stays. Images that are in keep licence and attribution."""
    given = changes(
        name=name,
        description=description,
        consent_basis=consent_basis,
        licence=licence,
        attribution=attribution,
        readers=readers,
    )
    user = user_by_email(email)
    changed = edit_cohort(cohort=cohort_named(user, cohort_name), actor=user, **given)
    _show(changed, user, as_json=as_json)


@cohort.command(name="attest", epilog="\b\nExample:\n  medtheca cohort attest 17 --as alice@example.org\n")
@_COHORT
@acting("Who says so: an owner, or one of the staff.")
@as_json
@refusals_told
def attest_cohort(*, cohort_name: str, email: str, as_json: bool) -> None:
    """Say that one may give the images of COHORT. Your word is noted with the time; the newest counts."""
    user = user_by_email(email)
    _show(attest(cohort=cohort_named(user, cohort_name), actor=user), user, as_json=as_json)


@cohort.command(
    name="move",
    epilog="""\b
Examples:
  medtheca cohort move "Clinic 2025" "Clinic 2026" --dry-run --as alice@example.org
  medtheca cohort move 16 17 --image ISIC_0000042 --image left_arm.jpg --as alice@example.org
""",
)
@click.argument("source")
@click.argument("target")
@click.option("--image", "images", multiple=True, metavar="ID|NAME", help="A public id or a file name; else all go.")
@acting("Who does it: an owner of both, or one of the staff.")
@click.option("--dry-run", is_flag=True, help="Only say what would change, one by one.")
@as_json
@refusals_told
def move_images(*, source: str, target: str, images: tuple[str, ...], email: str, dry_run: bool, as_json: bool) -> None:
    """Move images from the cohort SOURCE to TARGET. Both are of one contributor; public ids stay."""
    user = user_by_email(email)
    giving = cohort_named(user, source)
    chosen: dict[str, Any] = {
        "source": giving,
        "target": cohort_named(user, target),
        "accession_ids": accessions_listed(giving, list(images) or None),
        "actor": user,
    }
    carry_out(dry_run=dry_run, as_json=as_json, look=lambda: plan_move(**chosen), do=lambda: move_accessions(**chosen))


def _show(found: Cohort, user: User, *, as_json: bool) -> None:
    counts = counts_of_cohort(found)
    facts: dict[str, Any] = {
        "id": found.pk,
        "name": found.name,
        "contributor": found.contributor.institution_name,
        "description": found.description,
        "licence": found.licence,
        "attribution": found.attribution,
        "consent_basis": found.consent_basis,
        "attested": time_of(found.attested),
        "attested_by": None,
        "readers": found.readers,
        "created": time_of(found.created),
    }
    if found.attested_by is not None:
        called = people.call_people(found, [found.attested_by], asker=user)
        facts["attested_by"] = called[found.attested_by.pk].name
    if as_json:
        contributor = {"id": found.contributor_id, "name": found.contributor.institution_name}
        print_json(facts | {"contributor": contributor, "submissions": counts})
        return
    print_facts(facts | {f"{state}_submissions": f"{number:,}" for state, number in counts.items()})
