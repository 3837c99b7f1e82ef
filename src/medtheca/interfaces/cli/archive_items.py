"""`medtheca archive items`, `item …`, `trash` and `restore`: what is in an archive, and changing it.

Exit codes: 0 done; 1 refused, or a file became no image, with the reason on standard error; 2 the command was written
wrongly.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.archives.access import require_editor, require_seeing_items
from medtheca.domains.archives.holding import history_of
from medtheca.domains.archives.intakes import OPEN, intake_for
from medtheca.domains.archives.items import restore_items, trash_items
from medtheca.domains.archives.queries import (
    archive_named,
    intakes_of_item,
    item_for,
    items_of,
    trashed_items,
    with_values,
)
from medtheca.domains.archives.searching import in_order, narrowed, read_order, read_query, sockets_in
from medtheca.domains.archives.table import pictures_of
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.archive_making import ARCHIVE
from medtheca.interfaces.cli.bars import ByteBar, byte_bar
from medtheca.interfaces.cli.options import acting, as_json
from medtheca.interfaces.cli.telling import counted, print_facts, print_json, print_rows, printable, time_of
from medtheca.interfaces.cli.waiting import let_work
from medtheca.toolkit.sockets.cells import write_cell
from medtheca.workflows.archiving.filling_here import files_said, fill_here, make_here
from medtheca.workflows.decoding import close_decoder_pool

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.models import Archive, Intake, Item
    from medtheca.domains.sockets.models import Socket

_ITEM = click.argument("item_ref", metavar="ITEM")
_ITEMS = click.argument("refs", metavar="ITEM...", nargs=-1, required=True)
_SAID = click.argument("said", metavar="[SOCKET=VALUE]...", nargs=-1)
_LOOKER = acting("Who asks: somebody of the archive, or one of the staff.")
_UPLOADER = acting("Who does it: an editor or uploader of the archive, or one of the staff.")
_EDITOR = acting("Who does it: an editor of the archive, or one of the staff.")
_PAUSE = 0.3
_LONG = 60
_MOST = 10_000


@click.command(
    name="items",
    epilog="""\b
Examples:
  medtheca archive items chest-ct --as bob@example.org
  medtheca archive items chest-ct --query 'score > 0.5 has:overlay -has:report' --sort -score --as bob@example.org
  medtheca archive items chest-ct --limit 500 --offset 500 --json --as bob@example.org
""",
)
@ARCHIVE
@click.option(
    "--query", default="", metavar="QUERY", help="What must hold: score > 0.5, has:overlay, title:P001, words."
)
@click.option(
    "--sort", default="number", show_default=True, help="title, created, or a socket; with - before it, down."
)
@click.option("--limit", type=click.IntRange(1, _MOST), default=50, show_default=True, help="How many at most.")
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True, help="How many are left out before.")
@click.option("--trashed", is_flag=True, help="What is in the trash, the latest first; for editors.")
@_LOOKER
@as_json
@refusals_told
def list_items(
    *, archive_ref: str, query: str, sort: str, limit: int, offset: int, trashed: bool, email: str, as_json: bool
) -> None:
    """List the items of ARCHIVE with their values, under a line of heads; how many there are goes to standard error.

    Images are named by their ids, files by their names. --json has values whole, by their sockets.
    """
    user = user_by_email(email)
    archive = archive_named(user, archive_ref)
    require_seeing_items(user, archive)
    sockets = sockets_in(archive)
    if trashed:
        require_editor(user, archive, to="look into the trash")
        found = trashed_items(archive)
    else:
        conditions = read_query(query, archive=archive)
        found = in_order(
            narrowed(items_of(archive), conditions, archive=archive), read_order(sort, sockets=sockets), archive=archive
        )
    count = found.count()
    rows = list(with_values(found)[offset : offset + limit])
    told = _facts(rows, user)
    if as_json:
        print_json({"count": count, "items": told})
        return
    print_rows([["number", "title", *(one.slug for one in sockets)]] if rows else [])
    print_rows([one["number"], one["title"], *(_cell(one, socket) for socket in sockets)] for one in told)
    first, last = offset + 1, offset + len(rows)
    which = f"{first:,} to {last:,}" if rows else "None"
    click.echo(f"{which} of {counted(count, 'item')}.", err=True)


@click.group(name="item")
def item() -> None:
    """Show, make and change one item. ITEM is its title, its number or its id."""


@item.command(name="show", epilog="\b\nExample:\n  medtheca archive item show chest-ct P001 --as bob@example.org\n")
@ARCHIVE
@_ITEM
@_LOOKER
@as_json
@refusals_told
def show_item(*, archive_ref: str, item_ref: str, email: str, as_json: bool) -> None:
    """Show ITEM of ARCHIVE: its values, what is on its way into it or failed, and its history."""
    user = user_by_email(email)
    archive = archive_named(user, archive_ref)
    _show(_one(user, archive, item_ref), user, as_json=as_json)


@item.command(
    name="set",
    epilog="""\b
Examples:
  medtheca archive item set chest-ct P001 score=0.7 'findings={"side": "left"}' --as una@example.org
  medtheca archive item set chest-ct P001 report=@report.pdf lesion-mask=@mask.nii.gz --as una@example.org
  medtheca archive item set chest-ct P001 generic-medical-image=ISIC_0000042 --remove score --as alice@example.org
""",
)
@ARCHIVE
@_ITEM
@_SAID
@click.option("--title", help="Call it so.")
@click.option("--remove", "removed", multiple=True, metavar="SOCKET", help="Take out what is in it; may be repeated.")
@_UPLOADER
@as_json
@refusals_told
def set_values(
    *,
    archive_ref: str,
    item_ref: str,
    said: tuple[str, ...],
    title: str | None,
    removed: tuple[str, ...],
    email: str,
    as_json: bool,
) -> None:
    """Put values into ITEM of ARCHIVE, all or none; what was in their sockets is replaced, and stays in the history.

    A VALUE is typed as on the page: a number, a text, JSON; of an image its id; or @ and a path of a file that has it,
    for images also of a folder with the slices of one. Images are converted before the command ends.
    """
    values = _pairs(said)
    if not values and not removed and title is None:
        raise click.UsageError("Say what to change: SOCKET=VALUE, --remove or --title.")
    user = user_by_email(email)
    archive = archive_named(user, archive_ref)
    found = _one(user, archive, item_ref)
    with _copying(values, as_json=as_json) as bar:
        intakes = fill_here(
            item=found,
            user=user,
            said=values,
            removed=removed,
            title=title,
            progress=lambda size: bar.advance(0, size),
        )
    _end(found, user, intakes, as_json=as_json)


@item.command(
    name="add",
    epilog="""\b
Example:
  medtheca archive item add chest-ct P001 generic-medical-image=@ct.nii.gz score=0.7 --as una@example.org
""",
)
@ARCHIVE
@click.argument("title")
@_SAID
@_UPLOADER
@as_json
@refusals_told
def add_item(*, archive_ref: str, title: str, said: tuple[str, ...], email: str, as_json: bool) -> None:
    """Make an item of ARCHIVE called TITLE ('' for none), with values as `medtheca archive item set` takes them.

    To bring many images, an item each or grouped, use `medtheca archive ingest`.
    """
    values = _pairs(said)
    user = user_by_email(email)
    archive = archive_named(user, archive_ref)
    with _copying(values, as_json=as_json) as bar:
        made, intakes = make_here(
            archive=archive, user=user, title=title, said=values, progress=lambda size: bar.advance(0, size)
        )
    _end(made, user, intakes, as_json=as_json)


@click.command(
    name="trash", epilog="\b\nExample:\n  medtheca archive trash chest-ct P001 P002 --as alice@example.org\n"
)
@ARCHIVE
@_ITEMS
@_EDITOR
@refusals_told
def trash(*, archive_ref: str, refs: tuple[str, ...], email: str) -> None:
    """Put ITEMs of ARCHIVE into the trash, where nobody but editors sees them. `restore` takes them out again."""
    user = user_by_email(email)
    archive = archive_named(user, archive_ref)
    ids = [one.pk for one in items_named(user, archive, refs)]
    number = trash_items(archive=archive, actor=user, item_ids=ids)
    click.echo(f"{number:,} in the trash.")


@click.command(name="restore", epilog="\b\nExample:\n  medtheca archive restore chest-ct P001 --as alice@example.org\n")
@ARCHIVE
@_ITEMS
@_EDITOR
@refusals_told
def restore(*, archive_ref: str, refs: tuple[str, ...], email: str) -> None:
    """Take ITEMs of ARCHIVE out of the trash; `medtheca archive items --trashed` lists them."""
    user = user_by_email(email)
    archive = archive_named(user, archive_ref)
    require_editor(user, archive, to="restore items")
    ids = [one.pk for one in items_named(user, archive, refs, trashed=True)]
    number = restore_items(archive=archive, actor=user, item_ids=ids)
    click.echo(f"{number:,} restored.")


def items_named(user: User, archive: Archive, refs: Sequence[str], *, trashed: bool = False) -> list[Item]:
    """Items by id, whole title or number, each once. Raises `Invalid` with every name that is not just one item's."""
    require_seeing_items(user, archive)
    rows = trashed_items(archive) if trashed else items_of(archive)
    found: dict[UUID, Item] = {}
    problems = []
    for ref in dict.fromkeys(refs):
        named = _named(rows, ref.replace("\x00", ""))
        if len(named) == 1:
            found[named[0].pk] = named[0]
        else:
            words = f"There is no item {ref} in the archive." if not named else f"Several items are called {ref}."
            where = "the trash" if trashed else "it"
            problems.append(Problem("item", words, remedy=f"Give a number or an id of what is in {where}."))
    if problems:
        raise Invalid("The items are not clear.", problems=problems)
    return list(found.values())


def _named(rows: Any, ref: str) -> list[Item]:
    try:
        return list(rows.filter(pk=UUID(ref)))
    except ValueError:
        pass
    titled = list(rows.filter(title=ref)[:2]) if ref else []
    is_number = ref.isascii() and ref.isdecimal() and len(ref) < 19
    return titled or (list(rows.filter(number=int(ref))) if is_number else [])


def _one(user: User, archive: Archive, ref: str) -> Item:
    (found,) = items_named(user, archive, [ref])
    return item_for(user, found.pk)


def _pairs(said: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for one in said:
        slug, equals, text = one.partition("=")
        if not equals or not slug:
            raise click.UsageError(f"{one} is no SOCKET=VALUE. Write score=0.7, or report=@report.pdf for a file.")
        if slug in values:
            raise click.UsageError(f"{slug} is given twice.")
        values[slug] = text
    return values


@contextmanager
def _copying(values: dict[str, str], *, as_json: bool) -> Iterator[ByteBar]:
    """A bar over the bytes of files, where there are any."""
    files = files_said(values)
    with byte_bar(shown=bool(files) and not as_json) as bar:
        bar.begin("Copying", files=len(files), size=sum(path.stat().st_size for path in files))
        yield bar


def _end(made: Item, user: User, intakes: Sequence[Intake], *, as_json: bool) -> None:
    """Wait for images that are to come, and show the item; exit with 1 where one did not."""
    try:
        ended = wait_for_intakes(user, [one.pk for one in intakes])
    finally:
        close_decoder_pool()
    _show(item_for(user, made.pk), user, as_json=as_json)
    failed = [one for one in ended if one.state != "done"]
    for one in failed:
        click.echo(f"{one.socket.slug}: {printable(one.words)}", err=True)
    if failed:
        sys.exit(1)


def wait_for_intakes(user: User, intake_ids: Sequence[UUID]) -> list[Intake]:
    """The intakes, once nothing of them is under way. Raises `WorkStopped`."""

    def is_done() -> bool:
        return all(intake_for(user, pk).state not in OPEN for pk in intake_ids)

    while not is_done() and not let_work(is_done):
        time.sleep(_PAUSE)
    return [intake_for(user, pk) for pk in intake_ids]


def _facts(items: Sequence[Item], user: User) -> list[dict[str, Any]]:
    images = {row.value.image_id for one in items for row in one.values.all() if row.value.image_id is not None}
    pictures = pictures_of(images, user)
    told = []
    for one in items:
        values: dict[str, Any] = {}
        for row in one.values.all():
            value = row.value
            if value.image_id is not None:
                values[row.socket.slug] = pictures[value.image_id].ref if value.image_id in pictures else None
            else:
                values[row.socket.slug] = value.value if value.has_value else value.filename
        told.append(
            {
                "id": str(one.pk),
                "number": one.number,
                "title": one.title,
                "values": values,
                "created": time_of(one.created),
                "modified": time_of(one.modified),
            }
        )
    return told


def _cell(told: dict[str, Any], socket: Socket) -> str:
    value = told["values"].get(socket.slug)
    text = "" if value is None else str(write_cell(value))
    return f"{text[: _LONG - 1]}…" if len(text) > _LONG else text


def _show(found: Item, user: User, *, as_json: bool) -> None:
    (facts,) = _facts([found], user)
    pending = [
        {"socket": one.socket.slug, "state": one.state, "words": one.words, "name": one.name}
        for one in intakes_of_item(found)
    ]
    history = [{"at": str(time_of(one.at)), "who": one.who, "words": one.words} for one in history_of(found)]
    if as_json:
        print_json({**facts, "pending": pending, "history": history})
        return
    values = facts.pop("values")
    print_facts(facts | {slug: "" if value is None else write_cell(value) for slug, value in values.items()})
    for one in pending:
        click.echo(f"{one['socket']} is {one['state']}. {printable(one['words'])}".strip())
    for change in history:
        click.echo(f"{change['at']}  {printable(change['who'] or 'The archive')} {printable(change['words'])}")


COMMANDS = (list_items, item, trash, restore)
