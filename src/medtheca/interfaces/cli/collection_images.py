"""`medtheca collection add` and `remove`: which images are in a collection.

Exit codes: 0 done; 1 some images were refused, with the reason on standard error.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.collections.batches import progress_of, send_named
from medtheca.domains.collections.contents import MOST_AT_ONCE, Outcome, add_named, remove_named
from medtheca.domains.collections.enums import BatchAction, BatchState
from medtheca.domains.collections.queries import batch_for
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.named import collection_named
from medtheca.interfaces.cli.options import acting, as_json
from medtheca.interfaces.cli.telling import print_json, printable
from medtheca.interfaces.cli.waiting import let_work
from medtheca.workflows.collecting import change_by_search

if TYPE_CHECKING:
    from uuid import UUID

    from medtheca.domains.accounts.models import User
    from medtheca.domains.collections.models import Collection

COLLECTION = click.argument("collection_name", metavar="COLLECTION")
EDITOR = acting("Who does it: the owner or an editor of the collection, or one of the staff.")
_PAUSE = 0.3
_IMAGES = click.argument("images", metavar="[IMAGE]...", nargs=-1)
_FROM = click.option(
    "--from",
    "listed",
    type=click.File("r", encoding="utf-8"),
    metavar="FILE",
    help="Read names of images from a file, one a line; - is standard input.",
)
_SEARCH = click.option(
    "--search",
    metavar="QUERY",
    help="All that a query finds, such as 'diagnosis:Nevus AND sex:male'; '' is all.",
)


@click.command(
    name="add",
    epilog="""\b
Examples:
  medtheca collection add Moles ISIC_0000042 ISIC_0000043 --as alice@example.org
  medtheca collection add Moles --from ids.txt --as alice@example.org
  medtheca collection add Moles --search 'diagnosis:Nevus' --as alice@example.org
""",
)
@COLLECTION
@_IMAGES
@_FROM
@_SEARCH
@EDITOR
@as_json
@refusals_told
def add(
    *, collection_name: str, images: Sequence[str], listed: Any, search: str | None, email: str, as_json: bool
) -> None:
    """Add images to COLLECTION: by public id or key, from a file, or all that a search finds now."""
    _change(BatchAction.ADD, collection_name, images, listed, search, email=email, as_json=as_json)


@click.command(
    name="remove",
    epilog="""\b
Examples:
  medtheca collection remove Moles ISIC_0000042 --as alice@example.org
  printf 'ISIC_0000042\\n' | medtheca collection remove Moles --from - --as alice@example.org
""",
)
@COLLECTION
@_IMAGES
@_FROM
@_SEARCH
@EDITOR
@as_json
@refusals_told
def remove(
    *, collection_name: str, images: Sequence[str], listed: Any, search: str | None, email: str, as_json: bool
) -> None:
    """Remove images from COLLECTION: by public id or key, from a file, or all that a search finds now."""
    _change(BatchAction.REMOVE, collection_name, images, listed, search, email=email, as_json=as_json)


def _change(
    action: BatchAction,
    collection_name: str,
    images: Sequence[str],
    listed: Any,
    search: str | None,
    *,
    email: str,
    as_json: bool,
) -> None:
    if sum([bool(images), listed is not None, search is not None]) != 1:
        raise click.UsageError("Name images, or give one of --from and --search.")
    user = user_by_email(email)
    found = collection_named(user, collection_name)
    if search is not None:
        batch = change_by_search(collection=found, actor=user, action=action, query=search)
        _tell(action, wait_for_batch(found, user, batch.pk), as_json=as_json)
        return
    refs = list(images) if images else [line.strip() for line in listed if line.strip()]
    if len(refs) > MOST_AT_ONCE:
        batch = send_named(collection=found, actor=user, action=action, refs=refs)
        _tell(action, wait_for_batch(found, user, batch.pk), as_json=as_json)
        return
    do = add_named if action is BatchAction.ADD else remove_named
    _tell(action, _at_once(do(collection=found, actor=user, refs=refs)), as_json=as_json)


def _at_once(done: Outcome) -> dict[str, Any]:
    return {
        "changed": done.changed,
        "no_perms_or_does_not_exist": list(done.absent),
        "private_image_public_collection": list(done.private),
        "message": "",
    }


def wait_for_batch(found: Collection, user: User, batch_id: UUID) -> dict[str, Any]:
    """What became of a batch, once it is done: a worker does it, or this command."""

    def is_done() -> bool:
        return batch_for(user, found, batch_id).state != BatchState.WAITING

    while not is_done() and not let_work(is_done):
        time.sleep(_PAUSE)
    told = progress_of(batch_for(user, found, batch_id))
    return {
        "changed": told.changed,
        "no_perms_or_does_not_exist": list(told.absent),
        "private_image_public_collection": list(told.private),
        "message": told.words,
    }


def _tell(action: BatchAction, facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(facts)
    else:
        click.echo(f"{facts['changed']:,} {'added' if action is BatchAction.ADD else 'removed'}.")
        for name in facts["no_perms_or_does_not_exist"]:
            click.echo(f"{printable(name)}: there is no such image, or you may not see it.", err=True)
        for name in facts["private_image_public_collection"]:
            click.echo(f"{printable(name)}: it is not public, and the collection is.", err=True)
        if facts["message"]:
            click.echo(facts["message"], err=True)
    if facts["no_perms_or_does_not_exist"] or facts["private_image_public_collection"] or facts["message"]:
        sys.exit(1)
