"""`medtheca curate …`: what the pages under Staff tools do, on the command line.

Exit codes: 0 done, or shown with --dry-run; 1 refused, with the reason on standard error; 2 the command was written
wrongly.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from medtheca.base.jobs import jobs_under_way
from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.provenance.licensing import plan_relicense, relicense
from medtheca.domains.provenance.merging import merge_contributors, plan_contributor_merge
from medtheca.domains.provenance.purging import plan_purge, purge
from medtheca.domains.provenance.selecting import Selection, find_one_contributor, select_named
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.planned import carry_out
from medtheca.interfaces.cli.waiting import let_work
from medtheca.toolkit.schemas import find_licence
from medtheca.workflows.decoding import close_decoder_pool
from medtheca.workflows.merging import merge_named_cohorts, plan_named_cohort_merge
from medtheca.workflows.reconvert import begin_reconversion, plan_reconversion
from medtheca.workflows.remove_field import plan_field_removal, remove_field

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

_PAUSE = 0.5
_BY = click.option("--as", "email", required=True, metavar="EMAIL", help="Whose doing it is: one of the staff.")
_DRY = click.option("--dry-run", is_flag=True, help="Only say what would change, one by one.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs, with every change.")
_WHY = click.option("--reason", default="", help="Why; it stays on record. Not needed with --dry-run.")


def _images(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which images."""
    for option in (
        click.option("--image", "images", multiple=True, metavar="ID", help="A public id or a submission's number."),
        click.option("--contributor", metavar="NAME", help="All images of a contributor, by id or whole name."),
        click.option("--cohort", metavar="NAME", help="All images of a cohort, by id or whole name."),
    ):
        command = option(command)
    return command


@click.group(name="curate")
def curate() -> None:
    """Change many images at once: licences, fields, purging, merging, converting again."""


@curate.command(
    name="relicense",
    epilog="""\b
Examples:
  medtheca curate relicense --cohort 17 --licence CC-0 --as sam@example.org --dry-run
  medtheca curate relicense --image ISIC_0000042 --licence CC-BY --as sam@example.org --reason "Asked for by the owner"
""",
)
@_images
@click.option("--licence", required=True, help="CC-0, CC-BY or CC-BY-NC.")
@click.option("--default", is_flag=True, help="Also for images to come of the cohort or contributor.")
@_WHY
@_BY
@_DRY
@_JSON
@refusals_told
def relicense_images(
    *, email: str, licence: str, default: bool, reason: str, dry_run: bool, as_json: bool, **which: Any
) -> None:
    """Give images another licence; published ones only get a more permissive one."""
    try:
        spdx = find_licence(licence).spdx
    except LookupError as error:
        raise click.BadParameter(str(error), param_hint="--licence") from error
    user = user_by_email(email)
    given: dict[str, Any] = {"selection": _selection(user, which), "licence": spdx, "actor": user}
    carry_out(
        dry_run=dry_run,
        as_json=as_json,
        look=lambda: plan_relicense(**given),
        do=lambda: relicense(**given, reason=reason, default=default),
    )


@curate.command(
    name="remove-field",
    epilog="\b\nExample:\n  medtheca curate remove-field sex --cohort 17 --as sam@example.org --dry-run\n",
)
@click.argument("field")
@_images
@_WHY
@_BY
@_DRY
@_JSON
@refusals_told
def remove_metadata_field(*, field: str, email: str, reason: str, dry_run: bool, as_json: bool, **which: Any) -> None:
    """Take a metadata FIELD out, as a version of each image's metadata."""
    user = user_by_email(email)
    given: dict[str, Any] = {"selection": _selection(user, which), "field": field, "actor": user}
    carry_out(
        dry_run=dry_run,
        as_json=as_json,
        look=lambda: plan_field_removal(**given),
        do=lambda: remove_field(**given, reason=reason),
    )


@curate.command(
    name="purge", epilog="\b\nExample:\n  medtheca curate purge --cohort 17 --as sam@example.org --dry-run\n"
)
@_images
@_WHY
@_BY
@_DRY
@_JSON
@refusals_told
def purge_images(*, email: str, reason: str, dry_run: bool, as_json: bool, **which: Any) -> None:
    """Remove images that were never published, for good."""
    user = user_by_email(email)
    selection = _selection(user, which)
    carry_out(
        dry_run=dry_run,
        as_json=as_json,
        look=lambda: plan_purge(selection=selection, actor=user),
        do=lambda: purge(selection=selection, reason=reason, actor=user),
    )


@curate.command(
    name="merge",
    epilog="""\b
Examples:
  medtheca curate merge cohorts "Spring 2026" "Clinic 2026" --as sam@example.org --dry-run
  medtheca curate merge contributors 12 4 --unite --as sam@example.org
""",
)
@click.argument("kind", type=click.Choice(["cohorts", "contributors"]))
@click.argument("source")
@click.argument("target")
@click.option("--unite", is_flag=True, help="Patients and lesions of both with the same id are one and the same.")
@_BY
@_DRY
@_JSON
@refusals_told
def merge(*, kind: str, source: str, target: str, unite: bool, email: str, dry_run: bool, as_json: bool) -> None:
    """Make SOURCE part of TARGET; SOURCE is gone then. Both by id or whole name."""
    user = user_by_email(email)
    if kind == "cohorts":
        names: dict[str, Any] = {"source": source, "target": target, "actor": user}
        look, do = (lambda: plan_named_cohort_merge(**names)), (lambda: merge_named_cohorts(**names))
    else:
        given: dict[str, Any] = {
            "source": find_one_contributor(user, source, field="source"),
            "target": find_one_contributor(user, target, field="target"),
            "unite": unite,
            "actor": user,
        }
        look, do = (lambda: plan_contributor_merge(**given)), (lambda: merge_contributors(**given))
    carry_out(dry_run=dry_run, as_json=as_json, look=look, do=do)


@curate.command(name="reconvert", epilog="\b\nExample:\n  medtheca curate reconvert --cohort 17 --as sam@example.org\n")
@_images
@_BY
@_DRY
@_JSON
@refusals_told
def reconvert(*, email: str, dry_run: bool, as_json: bool, **which: Any) -> None:
    """Make images again from their originals by the present recipe, and wait until they are."""
    user = user_by_email(email)
    selection = _selection(user, which)
    try:
        carry_out(
            dry_run=dry_run,
            as_json=as_json,
            look=lambda: plan_reconversion(selection=selection, actor=user),
            do=lambda: begin_reconversion(selection=selection, actor=user),
        )
        while not dry_run and not let_work(lambda: not any(jobs_under_way("convert.again"))):
            time.sleep(_PAUSE)
    finally:
        close_decoder_pool()


def _selection(user: User, which: dict[str, Any]) -> Selection:
    given = {name: value for name, value in which.items() if value}
    if len(given) != 1:
        raise click.UsageError("Say which images: one of --cohort, --contributor, --image.")
    kind, value = next(iter(given.items()))
    return select_named(user=user, kind=kind, given=" ".join(value) if kind == "images" else value)
