"""`medtheca archive collect` and `uses`: items of archives become collections, and what uses them.

Exit codes: 0 done; 1 refused, or some images were, with the reason on standard error; 2 the command was written
wrongly.
"""

from __future__ import annotations

import sys

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.archives.access import require_seeing_items, standing_in
from medtheca.domains.archives.queries import archive_named
from medtheca.domains.archives.searching import read_query
from medtheca.domains.archives.selecting import Selection
from medtheca.domains.archives.services import OFFERS
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.archive_items import items_named
from medtheca.interfaces.cli.archive_making import ARCHIVE
from medtheca.interfaces.cli.collection_images import wait_for_batch
from medtheca.interfaces.cli.named import collection_named
from medtheca.interfaces.cli.options import acting, as_json
from medtheca.interfaces.cli.telling import counted, print_json, print_rows, printable, time_of
from medtheca.workflows.archive_services import NewCollection, collect_items, used_in


@click.command(
    name="collect",
    epilog="""\b
Examples:
  medtheca archive collect chest-ct --new "Nodules 2026" --query 'score > 0.5' --as bob@example.org
  medtheca archive collect chest-ct P001 P002 --into "Nodules 2026" --overlays --as bob@example.org
""",
)
@ARCHIVE
@click.argument("items", metavar="[ITEM]...", nargs=-1)
@click.option("--query", default="", metavar="QUERY", help="Only items of which it holds, such as 'has:overlay'.")
@click.option("--into", "collection_name", metavar="ID|NAME", help="A collection that there is.")
@click.option("--new", "name", metavar="NAME", help="Make a collection of this name.")
@click.option("--description", default="", help="Of the new one. Markdown.")
@click.option("--public", is_flag=True, help="The new one is public, and takes public images alone.")
@click.option("--overlays", is_flag=True, help="Masks, heat maps and displacement fields too.")
@acting("Who does it: an editor, uploader or user of the archive, or one of the staff.")
@as_json
@refusals_told
def collect(
    *,
    archive_ref: str,
    items: tuple[str, ...],
    query: str,
    collection_name: str | None,
    name: str | None,
    description: str,
    public: bool,
    overlays: bool,
    email: str,
    as_json: bool,
) -> None:
    """Add the images of ITEMs of ARCHIVE to a collection; of all items, where none is named and no query given.

    An ITEM is a title, a number or an id. Who sees the collection sees those of its images that they may see; sharing
    it opens only images that are yours to show.
    """
    if (collection_name is None) == (name is None):
        raise click.UsageError("Say where to: one of --into, --new.")
    user = user_by_email(email)
    archive = archive_named(user, archive_ref)
    into = (
        NewCollection(name or "", description, public)
        if name is not None
        else collection_named(user, collection_name or "")
    )
    ids = [item.pk for item in items_named(user, archive, items)] if items else None
    selection = Selection(ids, read_query(query, archive=archive))
    done = collect_items(archive=archive, actor=user, into=into, selection=selection, overlays=overlays)
    told = wait_for_batch(done.collection, user, done.batch.pk)
    private = told["private_image_public_collection"]
    absent = told["no_perms_or_does_not_exist"]
    facts = {"collection": done.collection.pk, "name": done.collection.name, "items": done.items, "images": done.images}
    if as_json:
        print_json(
            {**facts, "added": told["changed"], "private": private, "absent": absent, "message": told["message"]}
        )
    else:
        where = f"{printable(done.collection.name)} ({done.collection.pk})"
        click.echo(
            f"New in {where}: {told['changed']:,} of {counted(done.images, 'image')} of {counted(done.items, 'item')}."
        )
        for image in private:
            click.echo(f"{printable(image)}: it is not public, and the collection is.", err=True)
        for image in absent:
            click.echo(f"{printable(image)}: you may not see it any more.", err=True)
        if told["message"]:
            click.echo(told["message"], err=True)
    if private or absent or told["message"]:
        sys.exit(1)


@click.command(name="uses", epilog="\b\nExample:\n  medtheca archive uses chest-ct --as alice@example.org\n")
@ARCHIVE
@acting("Who asks: somebody of the archive, or one of the staff.")
@as_json
@refusals_told
def list_uses(*, archive_ref: str, email: str, as_json: bool) -> None:
    """List what uses items of ARCHIVE, the latest first. In a line: what, its id, name, items, when, by whom.

    Editors are told of what they do not see as well, without its name. What items may be used for, now or later, goes
    to standard error.
    """
    user = user_by_email(email)
    archive = archive_named(user, archive_ref)
    standing = require_seeing_items(user, archive)
    rows = [
        {
            "service": one.service.value,
            "target": one.target,
            "name": one.name,
            "whole": one.whole,
            "items": one.items,
            "at": time_of(one.at),
            "by": one.by,
        }
        for one in used_in(archive, user, standing)
    ]
    if as_json:
        print_json(rows)
        return
    columns = ("service", "target", "name", "items", "at", "by")
    print_rows([row[column] for column in columns] for row in rows)
    if not rows:
        click.echo("Nothing uses it that you see.", err=True)
    for offer in OFFERS:
        if offer.is_open_to(standing_in(user, archive)):
            state = f"comes with {offer.comes_with}" if offer.comes_with else "`medtheca archive collect` does it"
            click.echo(f"{offer.title}: {state}.", err=True)


COMMANDS = (collect, list_uses)
