"""`medtheca index …`: the search index that the database keeps, and the log of what has changed since."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from medtheca.domains.search.index.keeping import Status, find_differences, keep_index, status
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.bars import human_size
from medtheca.interfaces.cli.options import as_json

_EXIT_CODES = """\
\b
Exit codes:
  0  all is as it should be
  1  the index says something else than the tables, or nobody can read it
  2  wrong usage
"""


@click.group("index", epilog=_EXIT_CODES)
def index() -> None:
    """See, verify and rebuild the search index. Where it is missing, searching is slower and as right."""


@index.command("status", epilog=_EXIT_CODES)
@as_json
@click.pass_context
def status_command(ctx: click.Context, *, as_json: bool) -> None:
    """Say what is kept, and how many changes came since."""
    found = status()
    click.echo(json.dumps(asdict(found)) if as_json else _words(found))
    ctx.exit(0 if found.usable else 1)


@index.command("verify", epilog=_EXIT_CODES)
@as_json
@click.pass_context
@refusals_told
def verify(ctx: click.Context, *, as_json: bool) -> None:
    """Compare the index, brought up to date, with the tables. Changes nothing; reads every image's row."""
    different = find_differences()
    if as_json:
        click.echo(json.dumps({"clean": not different, "different": different}))
    elif different:
        click.echo(f"These parts say something else than the tables: {', '.join(different)}.")
        click.echo("Searching may be wrong; run `medtheca index rebuild`, and report what happened before.")
    else:
        click.echo("The index says what the tables say.")
    ctx.exit(1 if different else 0)


@index.command("rebuild", epilog=_EXIT_CODES)
@as_json
@click.pass_context
@refusals_told
def rebuild(ctx: click.Context, *, as_json: bool) -> None:
    """Make the index from the tables. The archive may be in use; every process takes the new one at once."""
    done = keep_index(anew=True)
    found = status()
    click.echo(json.dumps({"done": done, **asdict(found)}) if as_json else _words(found))
    ctx.exit(0 if found.usable else 1)


def _words(found: Status) -> str:
    if not found.usable:
        return "No index is kept that this version reads: SQL answers. `medtheca index rebuild` makes one."
    return (
        f"Version {found.version:,}, kept {found.kept}: {found.images:,} images, {human_size(found.bytes)};"
        f" {found.waiting:,} changes since."
    )
