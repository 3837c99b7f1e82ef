"""`medtheca metadata`: check, apply and undo sheets; the template and the data dictionary."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from django.db import connection

from medtheca.base.errors import Conflict, DomainError, Invalid
from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.metadata.queries import metadata_file_for
from medtheca.domains.metadata.sheets import RUNNING
from medtheca.interfaces.cli.bars import count_bar
from medtheca.interfaces.cli.sheet_words import checked_lines, ended_lines
from medtheca.interfaces.cli.waiting import let_work
from medtheca.toolkit.schemas import DERMATOLOGY, PACKS, csv_template, data_dictionary
from medtheca.workflows import describe
from medtheca.workflows.local_ingest import find_cohort

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.metadata.models import MetadataFile

_PAUSE = 0.2
_EPILOG = """\
\b
A sheet on its way:
  medtheca metadata template > empty.csv
  medtheca metadata check filled.csv --cohort "Clinic 2026" --as alice@example.org --errors mend.csv
  medtheca metadata apply 12 --as alice@example.org
  medtheca metadata undo 12 --as alice@example.org

\b
A blank cell keeps what is stored; [clear] erases it.
"""
_EXIT_CODES = """\
\b
Exit codes:
  0  done
  1  the sheet has errors, or something was left as it was: conflicts, rows left out; or work stopped
  2  wrong usage, or nothing could be begun
  130  interrupted
"""
_as = click.option("--as", "email", metavar="EMAIL", required=True, help="Who does it: an editor of the cohort.")
_json = click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
_why = click.option("--reason", default="", help="Why; needed where published images change, and public then.")
_file = click.argument("file_id", type=int, metavar="NUMBER")


@click.group("metadata", epilog=_EPILOG)
def command() -> None:
    """Describe images by spreadsheets: CSV in any common encoding and separator, or a workbook.

    A sheet is checked whole and changes nothing before it is applied; what was applied can be undone.
    """


@command.command("check", epilog=_EXIT_CODES)
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="SHEET")
@click.option("--cohort", "cohort_name", required=True, metavar="ID|NAME", help="The cohort that it describes.")
@click.option("--recipe", default="", help="How columns of a known sheet are read, such as isic2017.")
@click.option("--map", "mapped", multiple=True, metavar="COLUMN=FIELD", help="What a column is; may be repeated.")
@click.option("--errors", type=click.Path(dir_okay=False, path_type=Path), help="Write the sheet with its errors here.")
@_as
@_json
def check(
    *,
    path: Path,
    cohort_name: str,
    recipe: str,
    mapped: tuple[str, ...],
    errors: Path | None,
    email: str,
    as_json: bool,
) -> None:
    """Check a sheet, and say everything that is wrong with it or what it would change. Nothing is changed."""
    with _refusals():
        user = user_by_email(email)
        cohort = find_cohort(user=user, name_or_id=cohort_name)
        if cohort is None:
            raise click.UsageError(f"There is no cohort {cohort_name}.")
        file = describe.give_metadata(
            user=user,
            cohort_id=cohort.pk,
            name=path.name,
            data=path.read_bytes(),
            recipe=recipe,
            mapping=_mapping(mapped),
            apply_when_ready=False,
        )
        file = _wait(user, file.pk, "Checking", shown=not as_json)
        if errors is not None:
            _write_errors(user, file, errors)
    _end(file, as_json=as_json, lines=checked_lines(file, email), good=file.state == "ready")


@command.command("apply", epilog=_EXIT_CODES)
@_file
@_why
@_as
@_json
def apply(*, file_id: int, reason: str, email: str, as_json: bool) -> None:
    """Apply a sheet that was checked, by the number that `check` gave it."""
    with _refusals():
        user = user_by_email(email)
        describe.apply_file(user=user, file_id=file_id, reason=reason)
        file = _wait(user, file_id, "Applying", shown=not as_json)
    good = file.state == "applied" and not file.report.get("skipped")
    _end(file, as_json=as_json, lines=ended_lines(file), good=good)


@command.command("undo", epilog=_EXIT_CODES)
@_file
@click.option("--accept-conflicts", is_flag=True, help="Take back also what has changed since.")
@_why
@_as
@_json
def undo(*, file_id: int, accept_conflicts: bool, reason: str, email: str, as_json: bool) -> None:
    """Give every value that a sheet changed back as it was. What has changed since is told and left alone."""
    with _refusals():
        user = user_by_email(email)
        describe.undo_file(user=user, file_id=file_id, accept_conflicts=accept_conflicts, reason=reason)
        file = _wait(user, file_id, "Undoing", shown=not as_json)
    good = file.state == "undone" and not file.report.get("conflicts")
    _end(file, as_json=as_json, lines=ended_lines(file), good=good)


@command.command("template")
def template() -> None:
    """Print an empty sheet: a header with every field, and one row that passes."""
    click.echo(csv_template(DERMATOLOGY), nl=False)


@command.command("dictionary")
@click.argument("field", required=False)
@_json
def dictionary(*, field: str | None, as_json: bool) -> None:
    """Print every field with its values, unit and synonyms; or one FIELD with all its terms.

    The last ones are what files say themselves (source: header). No sheet sets them.
    """
    items = {name: item for pack in PACKS for name, item in pack.by_name.items()}
    item = items.get(field) if field else None
    if field and item is None:
        raise click.UsageError(f"There is no field {field}. Known: {', '.join(items)}.")
    told = [(pack, entry) for pack in PACKS for entry in data_dictionary(pack) if field in {None, entry.name}]
    terms = list(item.vocabulary.values) if item and item.vocabulary else []
    if as_json:
        fields = [asdict(entry) | {"source": pack.source} | ({"terms": terms} if terms else {}) for pack, entry in told]
        click.echo(json.dumps(fields, ensure_ascii=False))
        return
    for pack, entry in told:
        about = [entry.kind, entry.unit, entry.values, "source: header" if pack.source == "header" else ""]
        click.echo(f"{click.style(entry.name, bold=True)} ({'; '.join(word for word in about if word)})")
        click.echo(f"    {entry.description}")
        if entry.synonyms:
            click.echo(f"    Also: {entry.synonyms}")
        if entry.standards:
            click.echo(f"    DICOM: {entry.standards}")
    for term in terms:
        click.echo(f"  {term}")


def _write_errors(user: User, file: MetadataFile, path: Path) -> None:
    try:
        path.write_bytes(describe.sheet_with_errors(user=user, file_id=file.pk))
    except Conflict as error:
        click.echo(error.message, err=True)


def _mapping(given: tuple[str, ...]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for pair in given:
        column, _, field = pair.partition("=")
        if not column or not field:
            raise click.UsageError(f"--map takes COLUMN=FIELD, not {pair}.")
        mapping[column.strip()] = {"field": field.strip()}
    return mapping


@contextmanager
def _refusals() -> Iterator[None]:
    """Expected refusals end in one message and exit code 2."""
    try:
        yield
    except DomainError as error:
        lines = [f"{error.message} {error.remedy}".strip()]
        if isinstance(error, Invalid):
            lines += [f"{problem.field}: {problem.message} {problem.remedy}".rstrip() for problem in error.problems]
        raise click.UsageError("\n".join(lines)) from error
    except KeyboardInterrupt:
        click.echo(
            "Interrupted. The sheet stays as far as it has come; a worker or the next command goes on.", err=True
        )
        raise click.exceptions.Exit(130) from None


def _wait(user: User, file_id: int, words: str, *, shown: bool) -> MetadataFile:
    def is_done() -> bool:
        return metadata_file_for(user, file_id).state not in RUNNING

    with _watched(user, file_id, words, shown=shown):
        while not let_work(is_done):
            time.sleep(_PAUSE)
    return metadata_file_for(user, file_id)


@contextmanager
def _watched(user: User, file_id: int, words: str, *, shown: bool) -> Iterator[None]:
    """A bar that is kept up by a thread: where no worker runs, the work is done in this one."""
    over = threading.Event()
    with count_bar(shown=shown) as bar:
        bar.begin(words)

        def watch() -> None:
            while not over.wait(_PAUSE):
                file = metadata_file_for(user, file_id)
                bar.update(done=file.done, of=file.total)
            connection.close()

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _end(file: MetadataFile, *, as_json: bool, lines: list[str], good: bool) -> None:
    if as_json:
        told = {"id": file.pk, "state": file.state, "rows": file.rows, "report": file.report}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo("\n".join(lines))
    raise click.exceptions.Exit(0 if good else 1)
