"""`medtheca publish …` and `medtheca reviews …`: what the pages of publication do, on the command line.

Exit codes: 0 done, or shown with --dry-run; 1 refused, or work stopped, with the reason on standard error; 2 the
command was written wrongly.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from medtheca.domains.access.enums import Visibility
from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.provenance.enums import RequestState
from medtheca.domains.provenance.outcomes import count_outcomes
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.provenance.queries import publish_requests_for
from medtheca.domains.provenance.review_queue import review_queue
from medtheca.domains.provenance.summaries import publish_request_for
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.named import cohort_named, group_named
from medtheca.interfaces.cli.waiting import let_work
from medtheca.toolkit.anonymity import K
from medtheca.workflows.previewing import Preview, preview_publication

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import PublishRequest

_PAUSE = 0.3
_SHOWN = 20
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
_VISIBILITIES = [row.value for row in (Visibility.PUBLIC, Visibility.SIGNED_IN, Visibility.GROUPS)]
_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"])


@click.command(
    "publish",
    epilog="""\b
Examples:
  medtheca publish "Clinic 2026" --as alice@example.org --dry-run
  medtheca publish 12 --visibility groups --group "Readers" --as alice@example.org
  medtheca publish 12 --accept --as sam@example.org
""",
)
@click.argument("cohort_name", metavar="COHORT")
@click.option("--visibility", type=click.Choice(_VISIBILITIES), default="public", show_default=True)
@click.option("--group", "groups", multiple=True, metavar="ID|NAME", help="For `groups`: one that you are in.")
@click.option("--opens", type=_DAY, help="End of an embargo: a day (UTC), or a time with its zone.")
@click.option("--accept", is_flag=True, help="Accept the request too, and wait until all is visible: for staff.")
@click.option(
    "--as", "email", metavar="EMAIL", required=True, help="Who asks: an editor or owner, or one of the staff."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be shown, and what is rare in it.")
@_JSON
@refusals_told
def publish(
    *,
    cohort_name: str,
    visibility: str,
    groups: tuple[str, ...],
    opens: datetime | None,
    accept: bool,
    email: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Ask that all images of COHORT (id or name) that are ready become visible."""
    user = user_by_email(email)
    wanted: dict[str, Any] = {
        "cohort": cohort_named(user, cohort_name),
        "visibility": visibility,
        "group_ids": [group_named(user, name).pk for name in groups],
        "opens": opens.replace(tzinfo=UTC) if opens and opens.tzinfo is None else opens,
    }
    if dry_run:
        _tell_preview(preview_publication(user=user, **wanted), as_json=as_json)
        return
    made = request_publication(requester=user, **wanted)
    if accept:
        decide_publication(request_id=made.pk, staff=user, accept=True)
    _end(user, made.pk, as_json=as_json)


@click.group(name="reviews")
def reviews() -> None:
    """See what waits for reviewers, and decide on requests to publish."""


@reviews.command("list", epilog="\b\nExample:\n  medtheca reviews list --as rita@example.org\n")
@click.option("--as", "email", metavar="EMAIL", required=True, help="Whose queue: a reviewer, or one of the staff.")
@_JSON
@refusals_told
def list_reviews(*, email: str, as_json: bool) -> None:
    """List cohorts with images to judge, and requests that wait for a decision."""
    user = user_by_email(email)
    queue = [
        {"cohort": row.cohort.pk, "name": row.cohort.name, "waiting": row.waiting, "flagged": row.flagged}
        for row in review_queue(user)
    ]
    asked = [_facts(row) for row in publish_requests_for(user).filter(state=RequestState.REQUESTED).order_by("pk")]
    if as_json:
        click.echo(json.dumps({"cohorts": queue, "requests": asked}, ensure_ascii=False))
        return
    for entry in queue:
        click.echo(
            f"Cohort {entry['cohort']} {entry['name']}: {entry['waiting']:,} to judge, {entry['flagged']:,} flagged"
        )
    for entry in asked:
        click.echo(f"Request {entry['id']}: {entry['images']:,} images of {entry['name']}, {entry['visibility']}")
    if not queue and not asked:
        click.echo("Nothing waits.")


@reviews.command("accept", epilog="\b\nExample:\n  medtheca reviews accept 12 --as rita@example.org\n")
@click.argument("request_id", type=int, metavar="REQUEST")
@click.option("--as", "email", metavar="EMAIL", required=True, help="Who decides: a reviewer, or one of the staff.")
@_JSON
@refusals_told
def accept_request(*, request_id: int, email: str, as_json: bool) -> None:
    """Accept REQUEST and the images of it that nobody has judged, and wait until they are visible."""
    user = user_by_email(email)
    decide_publication(request_id=publish_request_for(user, request_id).pk, staff=user, accept=True)
    _end(user, request_id, as_json=as_json)


@reviews.command("reject", epilog='\b\nExample:\n  medtheca reviews reject 12 --reason "Faces" --as rita@example.org\n')
@click.argument("request_id", type=int, metavar="REQUEST")
@click.option("--reason", required=True, help="Why; whoever asked reads it.")
@click.option("--as", "email", metavar="EMAIL", required=True, help="Who decides: a reviewer, or one of the staff.")
@_JSON
@refusals_told
def reject_request(*, request_id: int, reason: str, email: str, as_json: bool) -> None:
    """Reject REQUEST with a reason."""
    user = user_by_email(email)
    decide_publication(request_id=publish_request_for(user, request_id).pk, staff=user, accept=False, reason=reason)
    _end(user, request_id, as_json=as_json)


def _end(user: User, request_id: int, *, as_json: bool) -> None:
    """Wait where images are being published, and say how the request stands."""

    def is_done() -> bool:
        return publish_request_for(user, request_id).state != RequestState.PUBLISHING

    while not is_done() and not let_work(is_done):
        time.sleep(_PAUSE)
    facts = _facts(publish_request_for(user, request_id))
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    click.echo(f"Request {facts['id']} is {facts['state']}: {facts['images']:,} images, {facts['visibility']}.")
    for words in ("waiting", "published", "withdrawn", "not_accepted"):
        if facts[words]:
            click.echo(f"  {words.replace('_', ' ')}: {facts[words]:,}")


def _facts(request: PublishRequest) -> dict[str, Any]:
    counts = count_outcomes([request])[request.pk]
    return {
        "id": request.pk,
        "cohort": request.cohort_id,
        "name": request.cohort.name,
        "visibility": request.visibility,
        "state": request.state,
        "reason": request.reason,
        "images": counts.total,
        **asdict(counts),
    }


def _tell_preview(found: Preview, *, as_json: bool) -> None:
    if as_json:
        told = [{"values": row.words, "patients": row.people, "images": row.images} for row in found.rare]
        click.echo(json.dumps({**asdict(found), "k": K, "rare": told}, ensure_ascii=False, default=str))
        return
    click.echo(f"{found.number:,} images would be shown ({found.visibility}), {found.awaiting:,} not judged yet.")
    for title, counts in (
        ("Left out", found.left_out),
        ("Licence", found.licences),
        ("Attribution", found.attributions),
    ):
        for words, number in counts.items():
            click.echo(f"  {title}: {words}: {number:,}")
    click.echo(f"  Without metadata: {found.undescribed:,}; without a patient: {found.without_patient:,}")
    for rare in found.rare[:_SHOWN]:
        click.echo(f"  Fewer than {K} patients: {rare.words}: {rare.people:,} patients, {rare.images:,} images")
    if len(found.rare) > _SHOWN:
        click.echo(f"  Only {_SHOWN} of {len(found.rare):,} rare combinations are shown; --json lists all.")
