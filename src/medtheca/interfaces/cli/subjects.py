"""`medtheca patients …` and `medtheca lesions …`: whom and what images are of.

Exit codes: 0 done; 1 refused, with the reason on standard error; 2 the command was written wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from medtheca.base.paths import text_of
from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.provenance.patients import (
    accessions_of_patient,
    cohorts_of_patient,
    find_patients,
    lesions_of_patient,
    patient_for,
)
from medtheca.domains.search.lesions import SeenLesion, lesion_for, see_lesions, visible_lesions
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.named import contributor_named
from medtheca.interfaces.cli.options import acting, as_json
from medtheca.interfaces.cli.telling import print_facts, print_json, print_rows

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Lesion, Patient

_AT_ONCE = 500
_CONTRIBUTOR = click.option("--contributor", "contributor_name", metavar="ID|NAME", help="Only those of a contributor.")


@click.group(name="patients")
def patients() -> None:
    """See patients of your contributors, with what there is of them. Erasing one: medtheca erase."""


@patients.command(
    name="list",
    epilog="""\b
Examples:
  medtheca patients list --contributor "Clinic of Exampleton" --as alice@example.org
  medtheca patients list --find MRN-17 --json --as alice@example.org
""",
)
@_CONTRIBUTOR
@click.option("--find", "words", default="", metavar="WORDS", help="Whose public or private id holds the words.")
@acting("Whose contributors'; of the staff, all.")
@as_json
@refusals_told
def list_patients(*, contributor_name: str | None, words: str, email: str, as_json: bool) -> None:
    """List patients. In a line: public id, your own id, images, lesions."""
    user = user_by_email(email)
    found = find_patients(user, text_of(words))
    if contributor_name is not None:
        found = found.filter(contributor=contributor_named(user, contributor_name))
    rows = [_patient(row) for row in found]
    if as_json:
        print_json(rows)
        return
    print_rows([row["id"], row["private_id"], row["images_count"], row["lesions_count"]] for row in rows)
    if not rows:
        click.echo("There are none.", err=True)


@patients.command(name="show", epilog="\b\nExample:\n  medtheca patients show IP_1234567 --as alice@example.org\n")
@click.argument("patient", metavar="PATIENT")
@acting("Who asks: somebody of the contributor, or one of the staff.")
@as_json
@refusals_told
def show_patient(*, patient: str, email: str, as_json: bool) -> None:
    """Show PATIENT, by public id, with images, lesions and cohorts."""
    found = patient_for(user_by_email(email), text_of(patient))
    rows = list(accessions_of_patient(found))
    facts = _patient(found)
    cohorts = list(cohorts_of_patient(found))
    # Counted by the query that found the rows.
    lesions_found = [(row.public_id, getattr(row, "images_count", 0)) for row in lesions_of_patient(found)]
    images = [row.image.public_id or str(row.image.key) for row in rows if row.image]
    submissions = [row.pk for row in rows]
    if as_json:
        told = {
            "cohorts": [{"id": row.pk, "name": row.name} for row in cohorts],
            "lesions": [{"id": public_id, "images_count": number} for public_id, number in lesions_found],
        }
        print_json(facts | told | {"images": images, "submissions": submissions})
        return
    lines = {
        "contributor": [facts["contributor"]["name"]],
        "cohorts": [f"{row.pk} {row.name}" for row in cohorts],
        "lesions": [f"{public_id}, images: {number:,}" for public_id, number in lesions_found],
        "images": images,
        "submissions": [str(number) for number in submissions],
    }
    print_facts(facts | {name: "\n".join(values) for name, values in lines.items()})


@click.group(name="lesions")
def lesions() -> None:
    """See lesions whose every image you may see."""


@lesions.command(
    name="list",
    epilog="\b\nExample:\n  medtheca lesions list --contributor 4 --json --as alice@example.org\n",
)
@_CONTRIBUTOR
@acting("Who asks.")
@as_json
@refusals_told
def list_lesions(*, contributor_name: str | None, email: str, as_json: bool) -> None:
    """List lesions. In a line: public id, images, the image that stands for it, outcome."""
    user = user_by_email(email)
    found = visible_lesions(user)
    if contributor_name is not None:
        found = found.filter(contributor=contributor_named(user, contributor_name))
    rows = [_lesion(seen) for seen in _seen(found, user)]
    if as_json:
        print_json(rows)
        return
    print_rows([row["id"], len(row["images"]), row["index_image"], row["outcome_diagnosis"]] for row in rows)
    if not rows:
        click.echo("There are none of which you may see every image.", err=True)


@lesions.command(name="show", epilog="\b\nExample:\n  medtheca lesions show IL_1234567 --as alice@example.org\n")
@click.argument("lesion", metavar="LESION")
@acting("Who asks.")
@as_json
@refusals_told
def show_lesion(*, lesion: str, email: str, as_json: bool) -> None:
    """Show LESION, by public id, with its images. They are in the order of the days on which they were made."""
    facts = _lesion(lesion_for(user_by_email(email), text_of(lesion)))
    if as_json:
        print_json(facts)
        return
    print_facts(facts | {"images": "\n".join(facts["images"])})


def _patient(row: Patient) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "private_id": row.private_id,
        "contributor": {"id": row.contributor_id, "name": row.contributor.institution_name},
        # Counted by the query that found the row.
        "images_count": getattr(row, "images_count", 0),
        "lesions_count": getattr(row, "lesions_count", 0),
    }


def _seen(found: QuerySet[Lesion], user: User) -> Iterator[SeenLesion]:
    """Lesions with their images, some hundred at a time: what is read of an image is much more than what is printed."""
    waiting: list[Lesion] = []
    for row in found.iterator(chunk_size=_AT_ONCE):
        waiting.append(row)
        if len(waiting) == _AT_ONCE:
            yield from see_lesions(waiting, asker=user)
            waiting = []
    yield from see_lesions(waiting, asker=user)


def _lesion(seen: SeenLesion) -> dict[str, Any]:
    return {
        "id": seen.public_id,
        "images": [one.entry.public_id or str(one.entry.key) for one in seen.images],
        "index_image": seen.index.entry.public_id or str(seen.index.entry.key),
        "longitudinally_monitored": seen.longitudinally_monitored,
        "outcome_diagnosis": seen.outcome_diagnosis,
        "outcome_diagnosis_1": seen.outcome_diagnosis_1,
    }
