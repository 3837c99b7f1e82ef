"""`medtheca archive values`: values of items from a spreadsheet.

Exit codes: 0 done, or nothing to do; 1 the sheet has errors, rows were left out, or it was refused; 2 wrong usage.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.archives.enums import ImportOutcome, ImportState
from medtheca.domains.archives.importing import begin_applying, import_for, put_away, rows_with
from medtheca.domains.archives.queries import archive_named
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.bars import count_bar
from medtheca.interfaces.cli.options import acting, as_json
from medtheca.interfaces.cli.telling import print_json, printable
from medtheca.workflows.archiving.value_sheets import LIMITS, apply_values, check_values, give_values

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.models import ValuesImport

_MOST_ROWS = 20
_EPILOG = """\
\b
Each row is an item, by id or title; each other column is a socket, by slug or title. A blank cell keeps what is
there, [clear] takes it out. What the page of items exports, CSV or XLSX, can be changed and imported again.

\b
Examples:
  medtheca archive values chest-ct scores.csv --dry-run --as una@example.org
  medtheca archive values chest-ct scores.xlsx --reason "Second reading" --as una@example.org
  medtheca archive values chest-ct scores.csv --column "Agatston=calcium-score" --leave-out remark --as una@example.org

\b
Exit codes:
  0  applied, or nothing to change
  1  the sheet has errors, rows were left out since their items changed meanwhile, or it was refused
  2  wrong usage
"""
_KEPT = ("state", "rows", "changed", "counts", "problem_count", "problems", "applied", "conflicts", "stopped", "notes")


@click.command(name="values", epilog=_EPILOG)
@click.argument("archive", metavar="ARCHIVE")
@click.argument("sheet", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="SHEET")
@click.option("--dry-run", is_flag=True, help="Say what is wrong or would change, and change nothing.")
@click.option("--new-items", is_flag=True, help="Let titles that nobody has make new items.")
@click.option("--reason", default="", help="Stands in the history of every item that changes.")
@click.option("--column", "chosen", multiple=True, metavar="COLUMN=SOCKET", help="Which socket a column is.")
@click.option("--leave-out", multiple=True, metavar="COLUMN", help="Do not read this column.")
@acting("Who does it: an editor or uploader of the archive.")
@as_json
@refusals_told
def values(
    *,
    archive: str,
    sheet: Path,
    dry_run: bool,
    new_items: bool,
    reason: str,
    chosen: tuple[str, ...],
    leave_out: tuple[str, ...],
    email: str,
    as_json: bool,
) -> None:
    """Give items of ARCHIVE the values in SHEET: CSV in any common encoding and separator, or a workbook.

    The sheet is checked whole first. While anything in it is wrong, nothing is changed. ARCHIVE is a slug or an id.
    """
    if sheet.stat().st_size > LIMITS.size:
        raise click.BadParameter(f"{sheet.name} is larger than {LIMITS.size >> 20} MB.", param_hint="SHEET")
    user = user_by_email(email)
    given = give_values(
        archive=archive_named(user, archive),
        user=user,
        name=sheet.name,
        data=sheet.read_bytes(),
        reason=reason,
        makes_items=new_items,
        columns=_columns(chosen, leave_out),
        work_now=True,
    )
    check_values(import_id=given.pk)
    given = import_for(user, given.pk)
    good = given.state == ImportState.READY
    if good and not dry_run and given.report["changed"]:
        given = _apply(user, given, shown=not as_json)
        good = not given.report["conflicts"] and not given.report["stopped"]
    _print(given, as_json=as_json, dry_run=dry_run)
    if given.state != ImportState.APPLIED:
        put_away(given=given, actor=user)
    if not good:
        sys.exit(1)


def _columns(chosen: tuple[str, ...], leave_out: tuple[str, ...]) -> dict[str, str]:
    found = dict.fromkeys(leave_out, "")
    for one in chosen:
        column, equals, socket = one.rpartition("=")
        if not equals or not column or not socket:
            raise click.BadParameter(f"{one} is not COLUMN=SOCKET.", param_hint="--column")
        found[column] = socket.strip()
    return found


def _apply(user: User, given: ValuesImport, *, shown: bool) -> ValuesImport:
    begin_applying(given=given, actor=user, work_now=True)
    done = 0

    def tell(rows: int) -> None:
        nonlocal done
        done += rows
        bar.update(done=done, of=given.report["changed"])

    with count_bar(shown=shown) as bar:
        bar.begin("Applying")
        apply_values(import_id=given.pk, told=tell)
    return import_for(user, given.pk)


def _print(given: ValuesImport, *, as_json: bool, dry_run: bool) -> None:
    report = given.report
    columns = [{name: one[name] for name in ("name", "use", "slug", "suggested")} for one in report["columns"]]
    if as_json:
        told: dict[str, Any] = {name: report[name] for name in _KEPT if name in report}
        print_json(told | {"state": given.state, "dry_run": dry_run, "columns": columns, "rows_shown": _rows(given)})
        return
    for note in report.get("notes", []):
        click.echo(printable(note))
    for one in columns:
        if one["use"] == "unknown":
            meant = f" Did you mean {', '.join(one['suggested'])}?" if one["suggested"] else ""
            say = "Say --column or --leave-out."
            click.echo(printable(f"Column {one['name']}: there is no such socket.{meant} {say}"), err=True)
    for cause in report.get("problems", []):
        lines = ", ".join(str(line) for line in cause["lines"])
        where = f"{cause['column']}, " if cause["column"] else ""
        at = f"line {lines}" if cause["lines"] else "the file"
        more = f" ({cause['count']:,} in all)" if cause["count"] > len(cause["lines"]) > 0 else ""
        said = f": {', '.join(cause['values'])}" if cause["values"] else ""
        click.echo(printable(f"{where}{at}{more}{said}: {cause['message']} {cause['remedy']}"), err=True)
    for row in _rows(given):
        for words in row["changes"]:
            click.echo(printable(f"line {row['line']}, {row['item']}: {words}"))
    click.echo(_sum(given, dry_run=dry_run))


def _rows(given: ValuesImport) -> list[dict[str, Any]]:
    outcome = ImportOutcome.CONFLICT if given.state == ImportState.APPLIED else ImportOutcome.WAITING
    return [
        {
            "line": row.line,
            "item": row.label or row.title,
            "changes": [
                *([f"title becomes {row.title}"] if row.renames else []),
                *(
                    f"{one['title']}: {one['before'] or 'nothing'} becomes {one['after'] or 'nothing'}"
                    for one in row.changes
                ),
                *(problem["message"] for problem in row.problems),
            ],
        }
        for row in rows_with(given, outcome)[:_MOST_ROWS]
    ]


def _sum(given: ValuesImport, *, dry_run: bool) -> str:
    report, counts = given.report, given.report.get("counts", {})
    if given.state == ImportState.APPLIED:
        left = f" {report['conflicts']:,} rows were left out." if report["conflicts"] else ""
        return f"{report['applied']:,} items were changed.{left} {report['stopped']}".strip()
    if given.state == ImportState.INVALID:
        return "Nothing was changed. Mend the sheet and give it again."
    told = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
    verb = "would change" if dry_run else "change"
    return f"{report['changed']:,} items {verb}{f': {told}' if told else ''}."
