"""`medtheca download`: images of an archive, with what belongs to them, into a folder.

Exit codes: 0 everything is there; 1 the archive refused, or some files are missing, each with the reason on standard
error; 2 the command was written wrongly.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from medtheca.base.errors import DomainError
from medtheca.interfaces.cli.bars import byte_bar, human_size
from medtheca.interfaces.cli.telling import print_json, printable
from medtheca.workflows.fetching.downloads import Asked, Listed, Outcome, fetch_files, list_files
from medtheca.workflows.fetching.host import Host, is_this_machine, origin_of

_MOST_NAMED = 10_000
_TOKEN_VARIABLE = "ARCHIVE_TOKEN"  # noqa: S105 - a name, not a token


@click.command(
    "download",
    epilog=f"""\b
Examples:
  medtheca download --host https://archive.example.org --query 'diagnosis:Nevus AND sex:male' --to nevi
  medtheca download --host https://archive.example.org --collection "Challenge 2017: Training" --to training
  medtheca download --ids-file ids.txt --to images --token-file token.txt
  medtheca download --query '' --to everything --dry-run
The token, where you have one, is read from the variable {_TOKEN_VARIABLE} or from a file, and goes to the host alone.
""",
)
@click.option(
    "--host",
    "address",
    default="http://127.0.0.1:8000",
    show_default=True,
    metavar="ADDRESS",
    help="The archive: any Medtheca, also that of this machine.",
)
@click.option("--query", help="All that a query finds, such as 'diagnosis:Nevus AND sex:male'; '' is all.")
@click.option(
    "--collection", "collections", multiple=True, metavar="ID|NAME", help="Images of a collection; may be repeated."
)
@click.option(
    "--ids-file",
    type=click.File("r", encoding="utf-8-sig"),
    metavar="FILE",
    help=f"Images by public id or key, one a line, {_MOST_NAMED:,} at most; - is standard input.",
)
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder; it is made where there is none. What is right in it already is not fetched again.",
)
@click.option(
    "--token-file", type=click.Path(dir_okay=False, exists=True, path_type=Path), help="Its first line is one."
)
@click.option(
    "--token-env", default=_TOKEN_VARIABLE, show_default=True, metavar="NAME", help="A variable that has one."
)
@click.option("--jobs", type=click.IntRange(1, 16), default=4, show_default=True, help="Files at a time.")
@click.option("--insecure-http", is_flag=True, help="Also send a token without encryption, where nobody can listen in.")
@click.option("--dry-run", is_flag=True, help="Say how much there is, and how much is missing here; fetch nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def command(
    *,
    address: str,
    query: str | None,
    collections: Sequence[str],
    ids_file: TextIO | None,
    folder: Path,
    token_file: Path | None,
    token_env: str,
    jobs: int,
    insecure_http: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Fetch images into a folder, with metadata.csv, attribution and licences, and their SHA-256.

    What several options say holds together: images of the collections that the query finds. The archive freezes the
    list; cut off, the same command goes on where it was, and run again, it fetches nothing that is there. Every file is
    checked by its SHA-256.
    """
    if query is None and not collections and ids_file is None:
        raise click.UsageError("Say which images: --query, --collection or --ids-file. --query '' is all.")
    host = Host(_origin(address), _token(token_file, token_env), connections=jobs)
    if host.token and host.origin.startswith("http:") and not (insecure_http or is_this_machine(host.origin)):
        raise click.UsageError("Without encryption others can read the token. Write https://, or --insecure-http.")
    asked = Asked(query or "", collections, _refs(ids_file))
    outcome = Outcome()
    try:
        with byte_bar(shown=not as_json) as bar:
            listed = list_files(host, asked, folder)
            if not dry_run:
                bar.begin("Fetching", files=len(listed.missing), size=listed.missing_size)
                outcome = fetch_files(host, listed, folder, at_once=jobs, progress=bar.advance)
    except DomainError as error:
        raise click.ClickException(f"{printable(error.message)} {printable(error.remedy)}".strip()) from error
    _tell(host, listed, outcome, folder, dry_run=dry_run, as_json=as_json)
    if outcome.failed:
        sys.exit(1)


def _tell(host: Host, listed: Listed, outcome: Outcome, folder: Path, *, dry_run: bool, as_json: bool) -> None:
    facts: dict[str, Any] = {
        "host": host.origin,
        "download": listed.id,
        "to": str(folder),
        "images": listed.images,
        "files": len(listed.files),
        "bytes": listed.size,
        "missing_files": len(listed.missing) - outcome.fetched,
        "missing_bytes": listed.missing_size if dry_run else None,
        "fetched_files": outcome.fetched,
        "failed": [{"path": path, "reason": reason} for path, reason in sorted(outcome.failed.items())],
    }
    if as_json:
        print_json(facts)
        return
    click.echo(f"{listed.images:,} images in {len(listed.files):,} files, {human_size(listed.size)}.")
    if dry_run:
        click.echo(f"{len(listed.missing):,} of them are missing here, {human_size(listed.missing_size)}.")
        return
    there = len(listed.files) - len(listed.missing)
    click.echo(f"{outcome.fetched:,} fetched, {there:,} were there; all that is there is as the archive has it.")
    for path, reason in sorted(outcome.failed.items()):
        click.echo(f"{printable(path)}: {printable(reason)}", err=True)
    if outcome.failed:
        click.echo(f"{len(outcome.failed):,} files are missing. The same command tries them again.", err=True)


def _origin(address: str) -> str:
    try:
        return origin_of(address if "://" in address else f"https://{address}")
    except ValueError:
        words = f"{address} is no address of an archive. Write it as https://archive.example.org."
        raise click.BadParameter(words, param_hint="--host") from None


def _token(file: Path | None, variable: str) -> str:
    text = os.environ.get(variable, "")
    if file is not None:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        text = lines[0] if lines else ""
    token = text.strip()
    if (file is not None and not token) or not (token.isascii() and token.isprintable() and " " not in token):
        where = f"the file {file}" if file is not None else f"the variable {variable}"
        raise click.BadParameter(f"There is no token in {where}.", param_hint="--token-file")
    return token


def _refs(file: TextIO | None) -> list[str] | None:
    if file is None:
        return None
    try:
        refs = [line.strip() for line in file if line.strip()]
    except UnicodeDecodeError:
        raise click.BadParameter("The file is no UTF-8 text.", param_hint="--ids-file") from None
    if not refs or len(refs) > _MOST_NAMED:
        words = f"It names {len(refs):,} images; 1 to {_MOST_NAMED:,} can be named at a time."
        raise click.BadParameter(words, param_hint="--ids-file")
    return refs
