"""`medtheca archive export`: values of items as CSV, and their files in a folder.

Exit codes: 0 all is there; 1 refused, or some files are missing, with the reason on standard error; 2 the command was
written wrongly.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.archives.queries import archive_named, items_of
from medtheca.domains.archives.searching import in_order, narrowed, read_order, read_query, sockets_in
from medtheca.domains.archives.table import exported
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.archive_making import ARCHIVE
from medtheca.interfaces.cli.bars import byte_bar, human_size
from medtheca.interfaces.cli.options import acting, as_json
from medtheca.interfaces.cli.telling import counted, print_json, printable
from medtheca.interfaces.http.spreadsheets import csv_lines
from medtheca.workflows.archiving.taking_out import Taken, manifest_of, plan_files, require_taking, write_files

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.models import Archive, Item
    from medtheca.workflows.archiving.taking_out import Planned

_MANIFEST = "manifest.csv"


@click.command(
    name="export",
    epilog=f"""\b
Examples:
  medtheca archive export chest-ct --as bob@example.org > values.csv
  medtheca archive export chest-ct --query 'score > 0.5' --sort -score --output high.csv --as bob@example.org
  medtheca archive export chest-ct --images chest-ct/ --as bob@example.org
Every file is checked by its SHA-256, which {_MANIFEST} names. Cut off, the same command goes on where it was.
""",
)
@ARCHIVE
@click.option("--query", default="", metavar="QUERY", help="Only items of which it holds, such as 'has:overlay'.")
@click.option(
    "--sort", default="number", show_default=True, help="title, created, or a socket; with - before it, down."
)
@click.option(
    "--output", type=click.File("w", encoding="utf-8", lazy=True), help="Write the values there; - is standard output."
)
@click.option(
    "--images",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write images and files into a folder; values only where --output asks for them.",
)
@acting("Who takes it away: an editor, uploader or user of the archive, or one of the staff.")
@as_json
@refusals_told
def export(
    *,
    archive_ref: str,
    query: str,
    sort: str,
    output: TextIO | None,
    folder: Path | None,
    email: str,
    as_json: bool,
) -> None:
    """Take values of ARCHIVE away as CSV, a line an item and a column a socket; with --images also its files.

    Images are as the archive serves them, without what their originals said about a person. --json says what was
    written into the folder.
    """
    if as_json and folder is None:
        raise click.UsageError("--json goes with --images; `medtheca archive items --json` has values.")
    user = user_by_email(email)
    archive = archive_named(user, archive_ref)
    require_taking(archive, user)
    found = narrowed(items_of(archive), read_query(query, archive=archive), archive=archive)
    if output is not None or folder is None:
        _write_values(archive, user, found, sort, output or sys.stdout)
    if folder is not None:
        _write_images(archive, user, found if query else None, folder, as_json=as_json)


def _write_values(archive: Archive, user: User, found: QuerySet[Item], sort: str, output: TextIO) -> None:
    sockets = sockets_in(archive)
    items = in_order(found, read_order(sort, sockets=sockets), archive=archive)
    output.writelines(csv_lines(exported(items, sockets, user)))


def _write_images(archive: Archive, user: User, found: QuerySet[Item] | None, folder: Path, *, as_json: bool) -> None:
    planned = plan_files(archive, user, items=found)
    size = sum(one.file.size for one in planned)
    with byte_bar(shown=not as_json) as bar:
        bar.begin("Writing", files=len(planned), size=size)
        taken = write_files(planned, folder, progress=bar.advance)
    _write_manifest([one for one in planned if str(one.path) not in taken.failed], folder)
    _tell(archive, taken, len(planned), size, folder, as_json=as_json)
    if taken.failed:
        sys.exit(1)


def _write_manifest(planned: list[Planned], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _MANIFEST).open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_lines(manifest_of(planned)))


def _tell(archive: Archive, taken: Taken, files: int, size: int, folder: Path, *, as_json: bool) -> None:
    if as_json:
        failed = [{"path": path, "reason": reason} for path, reason in sorted(taken.failed.items())]
        facts = {"archive": archive.slug, "to": str(folder), "files": files, "bytes": size}
        print_json({**facts, "written": taken.written, "there": taken.there, "failed": failed})
        return
    words = f"{counted(files, 'file')}, {human_size(size)}: {taken.written:,} written, {taken.there:,} were there."
    click.echo(words, err=True)
    for path, reason in sorted(taken.failed.items()):
        click.echo(f"{printable(path)}: {reason}", err=True)
    if taken.failed:
        click.echo(f"{counted(len(taken.failed), 'file')} missing. The same command tries again.", err=True)


COMMANDS = (export,)
