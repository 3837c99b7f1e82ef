"""`medtheca backup` and `medtheca restore`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click

from medtheca.base.errors import DomainError
from medtheca.interfaces.cli.bars import byte_bar, human_size
from medtheca.interfaces.cli.check import report_in_words
from medtheca.workflows.backup.writing import BackupReport, write_backup
from medtheca.workflows.restoring import Restored, restore_archive

_BACKUP_CODES = """\
\b
Exit codes:
  0  the backup is whole
  1  it failed (earlier snapshots are as they were), or it lacks damaged blobs, which are named
  2  wrong usage
"""
_RESTORE_CODES = """\
\b
Exit codes:
  0  everything is restored, and every invariant holds
  1  it was refused, or failed, or something is missing, which is named
  2  wrong usage
"""


@click.command("backup", epilog=_BACKUP_CODES)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--verify", is_flag=True, help="Hash again what earlier backups in DIR copied.")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="Then remove all but the N newest snapshots, and files that none of them needs.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def backup(ctx: click.Context, *, folder: Path, verify: bool, keep: int | None, as_json: bool) -> None:
    """Write a backup of database and files to DIR, while the archive works.

    DIR is new, or holds earlier backups: only files that it lacks are copied. It holds the archive's secret key and
    everything private, so guard it as you guard the archive.
    """
    try:
        with byte_bar(shown=not as_json) as bar:
            report = write_backup(folder=folder, verify=verify, keep=keep, bar=bar)
    except DomainError as refusal:
        _refuse(ctx, refusal, as_json=as_json)
    click.echo(json.dumps({**asdict(report), "complete": report.complete}) if as_json else _backup_words(report))
    ctx.exit(0 if report.complete else 1)


@click.command("restore", epilog=_RESTORE_CODES)
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--snapshot", metavar="NAME", help="Which one; the newest otherwise. DIR/snapshots lists them.")
@click.option(
    "--erasures",
    "lists",
    metavar="PATH",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A further list of erasures: the folder `erasures` of a data folder or of another backup. May be repeated.",
)
@click.option(
    "--erasures-as-of",
    "known_until",
    type=click.DateTime(),
    help="Refuse where the erasures that can be found are known only until before this moment (UTC).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def restore(
    ctx: click.Context,
    *,
    folder: Path,
    snapshot: str | None,
    lists: tuple[Path, ...],
    known_until: datetime | None,
    as_json: bool,
) -> None:
    """Restore a backup from DIR into an empty data folder and database, verify every file, and check the archive.

    Patients who were erased since the backup was made are erased again before the archive can be started, as far as
    their erasures are found: in DIR/erasures, in the data folder, and where --erasures says.
    """
    moment = known_until.replace(tzinfo=UTC) if known_until else None
    try:
        with byte_bar(shown=not as_json) as bar:
            done = restore_archive(folder=folder, snapshot=snapshot, lists=lists, known_until=moment, bar=bar)
    except DomainError as refusal:
        _refuse(ctx, refusal, as_json=as_json)
    click.echo(_restore_json(done) if as_json else _restore_words(done))
    ctx.exit(0 if done.report.complete else 1)


def _refuse(ctx: click.Context, refusal: DomainError, *, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps({"complete": False, "code": refusal.code, "error": refusal.message}))
    else:
        click.echo(f"medtheca: {refusal.message} {refusal.remedy}".strip(), err=True)
    ctx.exit(1)


def _backup_words(report: BackupReport) -> str:
    new = f"{report.copied:,} were new ({human_size(report.copied_bytes)})"
    lines = [f"Snapshot {report.snapshot}: {report.blobs:,} files, {human_size(report.bytes)}; {new}."]
    if report.pruned_snapshots or report.pruned_blobs:
        lines.append(f"Removed {report.pruned_snapshots} old snapshots and {report.pruned_blobs:,} files.")
    if not report.secret_key:
        lines.append("The secret key comes from the environment and is not in the backup: keep it yourself.")
    lines += [
        f"Blob {sha256} is damaged or missing in the archive; the snapshot lacks it." for sha256 in report.damaged
    ]
    return "\n".join(lines)


def _restore_words(done: Restored) -> str:
    report = done.report
    lines = [f"Restored snapshot {report.snapshot}: {report.blobs:,} files, {human_size(report.bytes)}."]
    lines += [f"Blob {sha256} is damaged or missing in the backup." for sha256 in report.damaged]
    if report.uploads_lost:
        lines.append(f"{report.uploads_lost} unfinished uploads were given up; their bytes were not in the backup.")
    return "\n".join([*lines, *_erasure_words(done), report_in_words(report.check)])


def _erasure_words(done: Restored) -> list[str]:
    lines = [
        f"Erased {again.patient} again: {again.images:,} images."
        + (f" {again.uploads:,} uploads on their way were given up with it." if again.uploads else "")
        + (f" {again.unlinked:,} images were another's by then and stay, without a patient." if again.unlinked else "")
        for again in done.replayed
    ]
    if done.list_as_of is None:
        lines.append("Warning: nothing says until when erasures are known. Give the newest list with --erasures.")
    else:
        lines.append(
            f"Erasures are known until {done.list_as_of:%Y-%m-%d %H:%M} UTC. Whoever was erased later is here again: "
            "give the newest list with --erasures."
        )
    return lines


def _restore_json(done: Restored) -> str:
    report = done.report
    return json.dumps(
        {
            "erased_again": [asdict(again) for again in done.replayed],
            "erasures_as_of": done.list_as_of.isoformat() if done.list_as_of else None,
            "snapshot": report.snapshot,
            "blobs": report.blobs,
            "bytes": report.bytes,
            "damaged": report.damaged,
            "uploads_lost": report.uploads_lost,
            "complete": report.complete,
            "violations": [asdict(violation) for violation in report.check.all],
        }
    )
