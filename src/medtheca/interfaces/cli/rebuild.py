"""`medtheca rebuild`: renditions of recipes of yesterday are made again by those of today."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.ledger.queries import last_event_id
from medtheca.domains.provenance.selecting import Selection, select_named
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.bars import count_bar
from medtheca.interfaces.cli.planned import carry_out
from medtheca.interfaces.cli.waiting import let_work
from medtheca.workflows.decoding import close_decoder_pool
from medtheca.workflows.rebuild import Wanted, begin_rebuild, count_waiting, find_left, plan_rebuild

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

_PAUSE = 0.5
_KINDS = ("picture", "volume", "slide", "document")


@click.command(
    name="rebuild",
    epilog="""\b
Examples:
  medtheca rebuild --as sam@example.org --dry-run
  medtheca rebuild --as sam@example.org
  medtheca rebuild --kind slide --cohort 17 --all --as sam@example.org

\b
Without --cohort, --contributor or --image, the whole archive is meant. Originals, public ids and reviews
stay. What would get other pixels than those that were reviewed is left alone, and so is what is redacted.

\b
Exit codes:
  0  done, nothing to do, or shown with --dry-run
  1  refused, or some images were not made again: each is listed with the reason
  2  wrong usage
  130  interrupted; what was begun goes on where a worker runs
""",
)
@click.option("--image", "images", multiple=True, metavar="ID", help="A public id or a submission's number.")
@click.option("--contributor", metavar="NAME", help="All images of a contributor, by id or whole name.")
@click.option("--cohort", metavar="NAME", help="All images of a cohort, by id or whole name.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(_KINDS), help="Only images of this kind; repeatable.")
@click.option("--all", "every", is_flag=True, help="Also what was made by today's recipes.")
@click.option("--as", "email", required=True, metavar="EMAIL", help="Whose doing it is: one of the staff.")
@click.option("--dry-run", is_flag=True, help="Only say what would be made again, and which recipes made it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@refusals_told
def rebuild(
    *,
    kinds: tuple[str, ...],
    every: bool,
    email: str,
    dry_run: bool,
    as_json: bool,
    **which: Any,
) -> None:
    """Make thumbnails, web pictures, volumes and pyramids again that another recipe made, and wait until they are."""
    user = user_by_email(email)
    wanted = Wanted(selection=_selection(user, which), kinds=kinds, every=every)
    if dry_run:
        plan = plan_rebuild(wanted=wanted, actor=user)
        carry_out(dry_run=True, as_json=as_json, look=lambda: plan, do=lambda: plan)
        return
    try:
        done = _rebuild(wanted, user, shown=not as_json)
    except KeyboardInterrupt:
        click.echo("Interrupted. What was begun goes on where a worker runs, or with the next command.", err=True)
        sys.exit(130)
    finally:
        close_decoder_pool()
    click.echo(json.dumps(done) if as_json else _in_words(done))
    sys.exit(1 if done["left"] else 0)


def _rebuild(wanted: Wanted, user: User, *, shown: bool) -> dict[str, Any]:
    since = last_event_id()
    begun = begin_rebuild(wanted=wanted, actor=user)
    with count_bar(shown=shown) as bar:
        bar.begin("Making again")

        def is_done() -> bool:
            waiting = count_waiting(begun)
            bar.update(done=len(begun) - waiting, of=len(begun))
            return not waiting

        while not let_work(is_done):
            time.sleep(_PAUSE)
    left = find_left(begun, actor=user, since=since)
    failures = [{"image": name, "reason": reason} for name, reason in left.items()]
    return {"begun": len(begun), "made": len(begun) - len(left), "left": len(left), "failures": failures}


def _in_words(done: dict[str, Any]) -> str:
    if not done["begun"]:
        return "Nothing to do: all renditions were made by today's recipes."
    words = f"{done['made']:,} images were made again."
    if not done["left"]:
        return words
    lines = [f"  {failure['image']}: {failure['reason']}" for failure in done["failures"]]
    return "\n".join([f"{words} {done['left']:,} were left as they were:", *lines])


def _selection(user: User, which: dict[str, Any]) -> Selection | None:
    given = {name: value for name, value in which.items() if value}
    if len(given) > 1:
        raise click.UsageError("Only one of --cohort, --contributor, --image can be given.")
    if not given:
        return None
    kind, value = next(iter(given.items()))
    return select_named(user=user, kind=kind, given=" ".join(value) if kind == "images" else value)
