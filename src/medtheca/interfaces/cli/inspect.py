"""`medtheca inspect`. Needs neither Django nor a database, so nothing here may import what does."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from medtheca.base.errors import NotFound
from medtheca.base.paths import find_files, text_of
from medtheca.interfaces.cli.bars import count_bar
from medtheca.toolkit.inspection import Container, SheetReport, inspect_files, inspect_sheet
from medtheca.toolkit.inspection.tables import report_of
from medtheca.toolkit.sandbox import DecoderPool, SandboxUnavailable

_TASK = "medtheca.toolkit.images.examine:examine"
_TOLD = 20
_EPILOG = """\
\b
Examples:
  medtheca inspect images.zip
  medtheca inspect photographs/ --metadata photographs.csv
  medtheca inspect images.zip --metadata values.xlsx --json > report.json

\b
What is told of each file: whether it would be accepted, linked to an equal one, a duplicate name,
skipped as junk or refused, with the reason and what would be right; and over all files what their
EXIF tells of people and places (the public copy is without it) and which pictures look alike.
Of the spreadsheet: what each column is taken for, every problem, and names that have no file.

\b
Exit codes:
  0  everything would be accepted, or skipped as junk
  1  something would be refused, or the spreadsheet has problems
  2  wrong usage, or nothing could be inspected
  130  interrupted
"""


@click.command("inspect", epilog=_EPILOG)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH…")
@click.option(
    "--metadata",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A spreadsheet (CSV or XLSX) that describes the files.",
)
@click.option(
    "--decoders",
    type=click.IntRange(1, 256),
    default=lambda: min(8, os.cpu_count() or 1),
    show_default="one a processor, at most 8",
    help="Files that are read at once.",
)
@click.option(
    "--unsafe-decoders",
    is_flag=True,
    envvar="MEDTHECA_UNSAFE_DECODERS",
    help="Decode even where the kernel offers no fence. Not for files from strangers.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything found as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    *,
    paths: tuple[Path, ...],
    metadata: Path | None,
    decoders: int,
    unsafe_decoders: bool,
    as_json: bool,
) -> None:
    """Say what would become of files, folders or ZIPs if they were uploaded. Nothing is stored.

    Works without an archive. The rules are those of an upload to an empty cohort.
    """
    try:
        files = find_files(paths, leave_out=metadata)
        report = _inspect(files, metadata, decoders=decoders, unsafe=unsafe_decoders, shown=not as_json)
    except (NotFound, SandboxUnavailable) as refusal:
        raise click.UsageError(str(refusal)) from refusal
    except KeyboardInterrupt:
        click.echo("Interrupted. Nothing was stored.", err=True)
        ctx.exit(130)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else in_words(report))
    ctx.exit(0 if report["clean"] else 1)


def _inspect(
    files: Sequence[Path], metadata: Path | None, *, decoders: int, unsafe: bool, shown: bool
) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(prefix="medtheca-inspect-") as scratch,
        DecoderPool(_TASK, size=decoders, allow_unsafe=unsafe) as pool,
        count_bar(shown=shown) as bar,
    ):
        bar.begin("Inspecting")
        found = inspect_files(
            _containers(files), pool=pool, scratch=Path(scratch), progress=lambda done, of: bar.update(done=done, of=of)
        )
    sheet: SheetReport | None = None
    if metadata is not None:
        sheet = inspect_sheet(text_of(metadata.name), metadata, names=found.names(), allow_unsafe=unsafe)
    return report_of(found, sheet)


def _containers(files: Sequence[Path]) -> list[Container]:
    """ZIPs by themselves; loose files as in the one ZIP into which `medtheca ingest` packs them."""
    loose = [path for path in files if path.suffix.lower() != ".zip"]
    if len(loose) < 2:
        return [Container(text_of(path.name), path) for path in files]
    root = Path(os.path.commonpath([path.parent for path in loose]))
    zips = [Container(text_of(path.name), path) for path in files if path.suffix.lower() == ".zip"]
    return zips + [Container(text_of(str(path.relative_to(root))), path, packed=True) for path in loose]


def in_words(report: dict[str, Any]) -> str:
    """The report for a terminal: counts, what is refused, what would be taken out, then the spreadsheet."""
    words = {
        "accepted": "would be accepted",
        "linked": "linked to an equal file",
        "duplicate": "duplicate names",
        "skipped": "skipped as junk",
        "refused": "refused",
    }
    counts = [f"{report['counts'][key]:,} {text}" for key, text in words.items() if key in report["counts"]]
    lines = [f"Files: {', '.join(counts) or 'none'}."]
    lines += [f"  {item['container']}: {item['message']} {item['remedy']}".rstrip() for item in report["refused"]]
    told = [file for file in report["files"] if file["outcome"] in {"refused", "duplicate"}]
    lines += [f"  {file['path']}: {file['message']} {file['remedy']}".rstrip() for file in told[:_TOLD]]
    lines += _more(len(told) - _TOLD)
    lines += _kinds("The EXIF tells", report, "exif") + _kinds("Taken out of public copies", report, "removed")
    alike = [file for file in report["files"] if file["alike"]]
    if alike:
        lines.append(f"Look nearly like another: {len(alike):,} pictures.")
        lines += [f"  {file['path']}: {', '.join(file['alike'])}" for file in alike[:_TOLD]] + _more(len(alike) - _TOLD)
    if report["metadata"] is not None:
        lines += _sheet_lines(report["metadata"])
    return "\n".join(lines)


def _kinds(title: str, report: dict[str, Any], key: str) -> list[str]:
    counts: dict[str, int] = {}
    for file in report["files"]:
        for kind in file[key]:
            counts[kind] = counts.get(kind, 0) + 1
    if not counts:
        return []
    return [f"{title}: {', '.join(f'{kind} ({number:,})' for kind, number in sorted(counts.items()))}."]


def _sheet_lines(sheet: dict[str, Any]) -> list[str]:
    number = sheet["problem_count"]
    lines = [f"Spreadsheet {sheet['name']}: {sheet['rows']:,} rows, {number:,} problem{'' if number == 1 else 's'}."]
    for column in sheet["columns"]:
        if column["suggested"]:
            lines.append(
                f"  Column {column['column']}: did you mean '{column['suggested']}'? As it is, it is kept apart."
            )
        elif column["use"] == "unstructured":
            lines.append(f"  Column {column['column']}: no known field; kept as it is. {column['remark']}".rstrip())
        elif column["use"] == "ignore":
            lines.append(f"  Column {column['column']}: left out. {column['remark']}".rstrip())
        elif column["how"] == "synonym":
            lines.append(f"  Column {column['column']}: read as {column['name']}.")
    lines += [
        f"  {group['count']:,} in {group['column'] or 'the file'}: {group['message']} {group['remedy']}"
        f" (lines {', '.join(map(str, group['lines'][:10]))}{' …' if group['count'] > 10 else ''})"
        for group in sheet["problems"][:_TOLD]
    ]
    lines += _more(len(sheet["problems"]) - _TOLD)
    lines += [f"  {note}" for note in sheet["notes"]]
    for key, title in (("rows_without_file", "Rows without a file"), ("files_without_row", "Files without a row")):
        if count := sheet[f"{key}_count"]:
            lines.append(f"  {title}: {count:,} ({', '.join(sheet[key][:5])}{' …' if count > 5 else ''})")
    return lines


def _more(number: int) -> list[str]:
    return [f"  … and {number:,} more; --json lists them all."] if number > 0 else []
