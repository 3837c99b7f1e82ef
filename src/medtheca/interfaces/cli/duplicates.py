"""`medtheca duplicates …`: near-duplicates of a cohort's images, and how groups of them are kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.imaging.near_duplicates import find_differences, group_due, group_everything, status
from medtheca.domains.provenance.access import visible_accessions
from medtheca.domains.search.duplicates import Member, compare, groups_of_cohort, with_same_pixels
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.named import cohort_named
from medtheca.interfaces.cli.options import acting, as_json

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Accession

_EXIT_CODES = """\
\b
Exit codes:
  0  done; of verify: groups are as the images say
  1  refused, with the reason on standard error; of verify: some groups are wrong
  2  wrong usage
"""


@click.group("duplicates", epilog=_EXIT_CODES)
def duplicates() -> None:
    """See images that look nearly the same. A job keeps their groups up to date while Medtheca runs.

    Two images are near-duplicates where at most 6 of the 64 bits of their perceptual hashes differ, or their pixels are
    equal; groups are what such pairs connect. In the gallery: near_duplicates:>=1.
    """


@duplicates.command(
    "list",
    epilog="""\b
Examples:
  medtheca duplicates list --cohort "Clinic 2026" --as alice@example.org
  medtheca duplicates list --cohort 12 --exact --json --as alice@example.org
""",
)
@click.option("--cohort", "cohort_name", metavar="ID|NAME", required=True, help="Groups with an image of this cohort.")
@click.option("--exact", is_flag=True, help="Only images whose pixels are equal.")
@acting("Who sees the images: others neither count nor connect.")
@as_json
@refusals_told
def list_duplicates(*, cohort_name: str, exact: bool, email: str, as_json: bool) -> None:
    """List the groups of a cohort. In a line: group, image, bits of 64 that differ from its first, same pixels."""
    user = user_by_email(email)
    cohort = cohort_named(user, cohort_name)
    groups = groups_of_cohort(user, cohort.pk)
    if exact:
        groups = with_same_pixels(groups)
    # Whoever sees an image need not know of its submission.
    known = visible_accessions(user).filter(image__in=[key for keys in groups for key in keys])
    accessions = {row.image_id: row for row in known}
    shown = [[_row(row, accessions.get(row.image.pk)) for row in group] for group in compare(groups)]
    if as_json:
        click.echo(json.dumps({"cohort": cohort.pk, "groups": shown}))
        return
    for number, rows in enumerate(shown, 1):
        for row in rows:
            words = "same pixels" if row["same_pixels"] else f"{row['distance']} of 64 bits"
            click.echo(f"{number}\t{row['isic_id']}\t{row['name']}\t{words}")
    click.echo(f"{len(shown):,} groups of {sum(map(len, shown)):,} images.", err=True)


def _row(member: Member, accession: Accession | None) -> dict[str, Any]:
    return {
        "isic_id": member.image.public_id or str(member.image.key),
        "name": accession.name if accession else "",
        "cohort": accession.cohort_id if accession else None,
        "distance": member.distance,
        "same_pixels": member.same_pixels,
    }


@duplicates.command("status", epilog=_EXIT_CODES)
@as_json
def status_command(*, as_json: bool) -> None:
    """Say how many groups there are, and how many images are still to be looked at."""
    found = status()
    words = f"{found.groups:,} groups of {found.images:,} images; {found.due:,} images are to be looked at."
    click.echo(json.dumps(asdict(found)) if as_json else words)


@duplicates.command("verify", epilog=_EXIT_CODES)
@as_json
@click.pass_context
def verify(ctx: click.Context, *, as_json: bool) -> None:
    """Compare the groups with the hashes of all images. Changes nothing; a million images take some seconds."""
    different = find_differences()
    if as_json:
        click.echo(json.dumps({"clean": not different, "different": different}))
    elif different:
        click.echo(f"The groups of {len(different):,} images are not what their hashes say.")
        click.echo("Run `medtheca duplicates rebuild`, and report what happened before.")
    else:
        click.echo("The groups are what the hashes of the images say.")
    ctx.exit(1 if different else 0)


@duplicates.command("rebuild", epilog=_EXIT_CODES)
@click.option("--due", is_flag=True, help="Only what came or changed since, as the job does every minute.")
@as_json
@refusals_told
def rebuild(*, due: bool, as_json: bool) -> None:
    """Make all groups anew from the hashes. The archive may be in use."""
    looked_at = group_due() if due else group_everything()
    found = status()
    words = f"Looked at {looked_at:,} images: {found.groups:,} groups of {found.images:,} images."
    click.echo(json.dumps({"looked_at": looked_at, **asdict(found)}) if as_json else words)
