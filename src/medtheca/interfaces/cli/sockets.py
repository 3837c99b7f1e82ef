"""`medtheca sockets …`: the catalogue of sockets, new ones, and whether a file would be taken as a value.

Exit codes: 0 done, or the file fits; 1 refused, or it does not fit, with the reason on standard error; 2 the command
was written wrongly.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.sockets.access import may_change
from medtheca.domains.sockets.operations import check_open_file
from medtheca.domains.sockets.queries import matching, socket_by_slug
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.options import acting, as_json
from medtheca.interfaces.cli.telling import print_facts, print_json, print_rows
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.ranges.readers import FileRanges
from medtheca.toolkit.sockets.definitions import Definition
from medtheca.toolkit.sockets.json_text import parse_json
from medtheca.toolkit.sockets.kinds import KINDS, kind_named
from medtheca.workflows.socketing import archives_of, define, of_archive

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.sockets.models import Socket

_ASKER = click.option("--as", "email", metavar="EMAIL", help="Whose view; without it, what everybody sees.")
_SOCKET = click.argument("slug", metavar="SOCKET")


@click.group(name="sockets")
def sockets() -> None:
    """What values the items of archives have: list and define sockets, and check files against them.

    SOCKET is the slug of one, such as generic-medical-image.
    """


@sockets.command(name="list", epilog="\b\nExample:\n  medtheca sockets list --kind segmentation lung\n")
@click.argument("words", nargs=-1)
@click.option("--kind", default="", metavar="KIND", help="Only of this kind, by code or label.")
@click.option("--archive", default="", metavar="SLUG", help="Only those of an archive.")
@_ASKER
@as_json
@refusals_told
def list_sockets(*, words: tuple[str, ...], kind: str, archive: str, email: str | None, as_json: bool) -> None:
    """List sockets that have all WORDS in title, slug or description. In a line: slug, title, kind, path, archive."""
    if kind and kind_named(kind) is None:
        raise click.BadParameter(f"Such as {', '.join(KINDS)}.", param_hint="--kind")
    user = user_by_email(email) if email else None
    rows = list(of_archive(matching(user, text=" ".join(words), kind=kind), user, archive))
    archives = archives_of(user, rows)
    if as_json:
        print_json([_facts(row, user) for row in rows])
        return
    print_rows(
        [
            row.slug,
            row.title,
            row.kind_details.label,
            row.relative_path,
            archives[row.pk].slug if row.pk in archives else "",
        ]
        for row in rows
    )
    if not rows:
        click.echo("No socket fits. `medtheca sockets define` makes one.", err=True)


@sockets.command(name="kinds", epilog="\b\nExample:\n  medtheca sockets kinds\n")
@as_json
def list_kinds(*, as_json: bool) -> None:
    """List the kinds of sockets. In a line: code, label, with what paths end, what it is."""
    if as_json:
        print_json([{"code": one.code, "label": one.label, "extension": one.extension} for one in KINDS.values()])
        return
    print_rows([one.code, one.label, one.extension, one.about] for one in KINDS.values())


@sockets.command(name="show", epilog="\b\nExample:\n  medtheca sockets show generic-overlay\n")
@_SOCKET
@_ASKER
@as_json
@refusals_told
def show_socket(*, slug: str, email: str | None, as_json: bool) -> None:
    """Show SOCKET: its kind, path, segments, schema."""
    user = user_by_email(email) if email else None
    _show(socket_by_slug(user, slug), user, as_json=as_json)


@sockets.command(
    name="define",
    epilog="\b\nExamples:\n"
    '  medtheca sockets define "Lung volume" FLT --description "In millilitres." --as sam@example.org\n'
    '  medtheca sockets define Side CHOI --schema \'{"enum": ["left", "right"]}\' --archive ct --as alice@example.org\n'
    "  medtheca sockets define Lungs SEG --segment 1=Left --segment 2=Right --archive ct --as alice@example.org\n",
)
@click.argument("title")
@click.argument("kind")
@click.option("--archive", default="", metavar="SLUG", help="For this archive; else for everybody (staff).")
@click.option("--description", default="", help="What belongs into it, and in which unit.")
@click.option("--path", default="", help="Where services find the value; made of TITLE where nothing is said.")
@click.option("--schema", default="", metavar="JSON", help="What values obey besides their kind.")
@click.option("--example", default="", metavar="JSON", help="A value, shown in the catalogue.")
@click.option("--segment", "segments", multiple=True, metavar="VALUE=NAME", help="Of a segmentation; may be repeated.")
@click.option("--look-up-table", default="", metavar="SLUG", help="Of an overlay: its colours.")
@click.option("--as-file", is_flag=True, help="Keep JSON as files, for values of many kilobytes.")
@acting("Who defines it: an editor of the archive, or one of the staff.")
@as_json
@refusals_told
def define_one(*, title: str, kind: str, email: str, as_json: bool, **said: Any) -> None:
    """Define a socket called TITLE of a KIND, by code or label (`medtheca sockets kinds`)."""
    user = user_by_email(email)
    found = kind_named(kind)
    definition = Definition(
        title=title,
        kind=found.code if found else kind,
        description=said["description"],
        relative_path=said["path"],
        schema=_json(said["schema"], "--schema"),
        example_value=_json(said["example"], "--example"),
        overlay_segments=[_segment(text) for text in said["segments"]],
        store_in_database=False if said["as_file"] else None,
    )
    made = define(creator=user, definition=definition, archive=said["archive"], look_up_table=said["look_up_table"])
    _show(made, user, as_json=as_json)


@sockets.command(name="check", epilog="\b\nExample:\n  medtheca sockets check lung-volume volume.json\n")
@_SOCKET
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_ASKER
@as_json
@refusals_told
def check_file(*, slug: str, file: Path, email: str | None, as_json: bool) -> None:
    """Say whether FILE would be taken as a value of SOCKET: of a value in the database, FILE is its JSON.

    Nothing is stored. Images are checked when they are converted, so of them only `medtheca inspect` can tell.
    """
    user = user_by_email(email) if email else None
    found = socket_by_slug(user, slug)
    with closing(FileRanges(os.open(file, os.O_RDONLY))) as opened:
        check_open_file(socket=found, file=opened, filename=file.name)
    if as_json:
        print_json({"socket": found.slug, "file": file.name, "valid": True})
    else:
        click.echo(f"{file.name} fits {found.title}.")


def _json(text: str, option: str) -> Any:
    if not text:
        return None
    try:
        return parse_json(text.encode(errors="replace"))
    except Refused as refused:
        raise click.BadParameter(refused.message.replace("The file", "This"), param_hint=option) from None


def _segment(text: str) -> dict[str, Any]:
    value, equals, name = text.partition("=")
    if not equals or not value.strip().lstrip("-").isdecimal():
        raise click.BadParameter(f"{text} is no value and name. Write it as 1=Lung.", param_hint="--segment")
    return {"name": name.strip(), "visible": True, "voxel_value": int(value)}


def _facts(row: Socket, user: User | None) -> dict[str, Any]:
    archive = archives_of(user, [row]).get(row.pk)
    return {
        "slug": row.slug,
        "title": row.title,
        "description": row.description,
        "kind": row.kind,
        "kind_label": row.kind_details.label,
        "super_kind": row.super_kind.value,
        "relative_path": row.relative_path,
        "archive": archive.slug if archive else None,
        "overlay_segments": row.overlay_segments,
        "look_up_table": row.look_up_table.slug if row.look_up_table else None,
        "schema": row.schema,
        "default_value": row.default_value,
        "example_value": row.example_value,
        "may_change": may_change(user, row),
    }


def _show(row: Socket, user: User | None, *, as_json: bool) -> None:
    facts = _facts(row, user)
    if as_json:
        print_json(facts)
        return
    segments = "\n".join(f"{one['voxel_value']} {one['name']}" for one in row.overlay_segments)
    print_facts({**facts, "overlay_segments": segments})
