"""`medtheca deidentify`. Needs neither Django nor a database, so nothing here may import what does."""

from __future__ import annotations

import csv
import json
import logging
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from medtheca.base.errors import NotFound
from medtheca.base.paths import find_files, text_of
from medtheca.interfaces.cli.bars import count_bar
from medtheca.toolkit.confidentiality.batch import CASE_TASK, TASK, Wanted, copy_files
from medtheca.toolkit.confidentiality.telling import csv_rows, in_words, report_of
from medtheca.toolkit.sandbox import DecoderPool, SandboxUnavailable
from medtheca.toolkit.schemas.formulas import guarded

_OPTIONS = ("retain-longitudinal", "clean-descriptors", "clean-structured", "retain-device")
_LEAST_KEY = 16
_EPILOG = """\
\b
Examples:
  medtheca deidentify scans/ --into public/
  medtheca deidentify t1/*.dcm --into public/ --option retain-longitudinal --key-file clinic.key
  medtheca deidentify slide.svs brain.nii.gz --into public/ --report actions.csv

\b
DICOM is written anew by the Basic Application Level Confidentiality Profile (PS3.15 Annex E), file by
file: --option adds retain-longitudinal (dates of a patient move by the same days), clean-descriptors
(common words of descriptions stay), clean-structured (codes and numbers of reports stay) and
retain-device (makers and models that are known stay). JPEG and PNG lose all but their pixels and their
colour profile. Volumes become MetaImage and slides tiled TIFF without any header, label or overview.
Pixels are those of the source: what is written into them stays, so look where text is suspected.

\b
Copies are numbered, as names of files often tell whose they are; --keep-names keeps names and folders.
The key makes UIDs, pseudonyms and days: of one key the same become the same. Keep it secret; without
--key-file it is forgotten. A key file that is not there is made.

\b
Exit codes:
  0  all were written
  1  something was refused, or is there already
  2  wrong usage, or nothing could be read
  130  interrupted; copies that are there are whole
"""


@click.command("deidentify", epilog=_EPILOG)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH…")
@click.option("--into", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where copies are put.")
@click.option("--option", "options", multiple=True, type=click.Choice(_OPTIONS), help="Of the profile; repeatable.")
@click.option("--key-file", type=click.Path(dir_okay=False, path_type=Path), help="A secret of 16 bytes or more.")
@click.option("--keep-names", is_flag=True, help="Call copies as their sources are called.")
@click.option("--force", is_flag=True, help="Replace copies and reports that are there already.")
@click.option(
    "--report",
    "report_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was done to each file, as .json or .csv. It names the sources.",
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
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    paths: tuple[Path, ...],
    into: Path,
    options: tuple[str, ...],
    key_file: Path | None,
    report_path: Path | None,
    as_json: bool,
    **how: Any,
) -> None:
    """Make copies of files without what tells whom they are of. Sources stay as they are.

    Works without an archive.
    """
    # Refusals are in the report, file by file.
    logging.getLogger("medtheca").addHandler(logging.NullHandler())
    _check_report(report_path, force=how["force"])
    key = _read_key(key_file) if key_file is not None else secrets.token_bytes(32)
    profile = frozenset(option.replace("-", "_") for option in options)
    wanted = Wanted(profile, key, keep_names=how["keep_names"], force=how["force"])
    try:
        report = report_of(_copy(paths, into, wanted, shown=not as_json, **how), wanted, keyed=key_file is not None)
        if report_path is not None:
            _write_report(report, report_path, force=how["force"])
    except (NotFound, SandboxUnavailable) as refusal:
        raise click.UsageError(str(refusal)) from refusal
    except OSError as error:
        raise click.UsageError(f"{error.filename or into}: {error.strerror}.") from error
    except KeyboardInterrupt:
        click.echo("Interrupted. Copies that are there are whole.", err=True)
        ctx.exit(130)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else in_words(report))
    ctx.exit(0 if report["clean"] else 1)


def _copy(paths: Sequence[Path], into: Path, wanted: Wanted, *, shown: bool, **how: Any) -> Any:
    files = _named(find_files(paths), into)
    into.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="medtheca-deidentify-") as scratch,
        DecoderPool(TASK, case_task=CASE_TASK, size=how["decoders"], allow_unsafe=how["unsafe_decoders"]) as pool,
        count_bar(shown=shown) as bar,
    ):
        bar.begin("De-identifying")
        return copy_files(
            files,
            into=into,
            wanted=wanted,
            pool=pool,
            scratch=Path(scratch),
            workers=how["decoders"],
            progress=lambda done, of: bar.update(done=done, of=of),
        )


def _named(files: Sequence[Path], into: Path) -> list[tuple[str, Path]]:
    """Files with their names within the folder that holds all of them; without copies of another run."""
    target = into.resolve()
    kept = [path for path in files if not path.resolve().is_relative_to(target)]
    if not kept:
        raise NotFound(f"There are no files but those in {into}.")
    root = Path(os.path.commonpath([path.parent for path in kept]))
    return [(text_of(path.relative_to(root).as_posix()), path) for path in kept]


def _read_key(path: Path) -> bytes:
    """The bytes of a key file; one that is not there is made, for the eyes of its owner alone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) < _LEAST_KEY:
            words = f"{path} has {len(key)} bytes; a key has {_LEAST_KEY} at least, or it could be guessed."
            raise click.UsageError(words) from None
        return key
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror}.") from error
    key = secrets.token_bytes(32)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    click.echo(f"A key was made: {path}. Keep it, and keep it secret.", err=True)
    return key


def _check_report(path: Path | None, *, force: bool) -> None:
    """Before hours of work, not after them."""
    if path is None:
        return
    if path.suffix.lower() not in {".json", ".csv"}:
        raise click.UsageError("A report is written as .json or .csv.")
    if path.exists() and not force:
        raise click.UsageError(f"{path} is there already. Choose another name, or replace it with --force.")


def _write_report(report: dict[str, Any], path: Path, *, force: bool) -> None:
    """Whole or not at all, for the eyes of its owner alone: it has the names of the sources."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".medtheca-", suffix=".part")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            if path.suffix.lower() == ".csv":
                rows = csv.writer(file)
                for row in csv_rows(report):
                    rows.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in row])
            else:
                json.dump(report, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        if force:
            Path(name).replace(path)
        else:
            path.hardlink_to(name)
    finally:
        Path(name).unlink(missing_ok=True)
