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
from medtheca.interfaces.cli.inspect_words import in_words
from medtheca.toolkit.images.costs import seconds_for_photograph
from medtheca.toolkit.inspection import Container, SheetReport, inspect_files, inspect_sheet
from medtheca.toolkit.inspection.tables import report_of
from medtheca.toolkit.sandbox import DecoderPool, SandboxUnavailable

_TASK = "medtheca.toolkit.images.tasks:run"
_CASE_TASK = "medtheca.toolkit.images.case_task:run"
_EPILOG = """\
\b
Examples:
  medtheca inspect images.zip
  medtheca inspect scans/ slide.svs brain.nii.gz
  medtheca inspect photographs/ --metadata photographs.csv
  medtheca inspect images.zip --metadata values.xlsx --json > report.json

\b
What is told of each file: whether it would be accepted, linked to an equal one, a duplicate name,
skipped as junk or refused, with the reason and what would be right. Of each image: its files, size,
spacing in mm, place in space, values, what its header says of how it was made, and what was noted.
Over all files: what their EXIF tells of people and places (the public copy is without it) and
which pictures look alike. Files and folders given together may make one image, as in one upload.
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
        DecoderPool(
            _TASK, case_task=_CASE_TASK, size=decoders, seconds=seconds_for_photograph, allow_unsafe=unsafe
        ) as pool,
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
