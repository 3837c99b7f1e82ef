"""`medtheca ingest`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from medtheca.base.errors import DomainError, Invalid
from medtheca.base.failures import WorkStopped
from medtheca.base.paths import find_files
from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.metadata.enums import MetadataFileState
from medtheca.domains.metadata.queries import metadata_file_for
from medtheca.domains.provenance.queries import delivery_for, summarise_delivery, verdicts_of
from medtheca.interfaces.cli.bars import byte_bar, count_bar
from medtheca.interfaces.cli.waiting import let_work
from medtheca.workflows.decoding import close_decoder_pool
from medtheca.workflows.describe import give_metadata
from medtheca.workflows.local_ingest import deliver_files, find_cohort, make_cohort

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

_EPILOG = """\
\b
Examples:
  medtheca ingest images.zip --cohort 12 --as alice@example.org
  medtheca ingest photos/ --cohort "Clinic 2026" --contributor "Clinic of Exampleton" \\
      --licence CC-BY-4.0 --attribution "Clinic of Exampleton" --metadata photos.csv --as alice@example.org

\b
Exit codes:
  0  every file was accepted, or skipped as junk
  1  files were refused or are duplicates, the spreadsheet has problems, or work stopped; the others are in
  2  wrong usage, or nothing could be begun
  130  interrupted
"""
_PAUSE = 0.3
_TOLD = 20
_NAMED = 5


@click.command("ingest", epilog=_EPILOG)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH…")
@click.option("--cohort", "cohort_name", required=True, metavar="ID|NAME", help="The cohort that the images are for.")
@click.option("--as", "email", metavar="EMAIL", required=True, help="Whose images these are: an owner of the cohort.")
@click.option(
    "--metadata", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A CSV that describes them."
)
@click.option("--recipe", default="", help="How columns of a known spreadsheet are read, such as isic2017.")
@click.option("--contributor", help="Makes the cohort where there is none: the institution that answers for it.")
@click.option("--licence", default="CC-BY-NC-4.0", show_default=True, help="Licence of a new cohort (SPDX).")
@click.option("--attribution", help="Whom to name when images of a new cohort are used. Default: the contributor.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON, with every verdict.")
@click.pass_context
def command(
    ctx: click.Context,
    *,
    paths: tuple[Path, ...],
    cohort_name: str,
    email: str,
    metadata: Path | None,
    recipe: str,
    contributor: str | None,
    licence: str,
    attribution: str | None,
    as_json: bool,
) -> None:
    """Take files, folders or ZIPs into a cohort, by the same way as an upload.

    Every file ends with a verdict. A file that is in the cohort already is not taken in twice.
    """
    try:
        user = user_by_email(email)
        cohort = find_cohort(user=user, name_or_id=cohort_name)
        if cohort is None:
            if contributor is None:
                raise click.UsageError(f"There is no cohort {cohort_name}. Give --contributor to make it.")
            cohort = make_cohort(
                user=user,
                name=cohort_name,
                institution=contributor,
                licence=licence,
                attribution=attribution or contributor,
            )
        with byte_bar(shown=not as_json) as bar:
            # The spreadsheet often lies among the pictures that it describes.
            files = find_files(paths, leave_out=metadata)
            bar.begin("Copying", files=len(files), size=sum(path.stat().st_size for path in files))
            deliveries = deliver_files(
                user=user, cohort=cohort, files=files, progress=lambda size: bar.advance(0, size)
            )
        described, stopped = _work(user, cohort.pk, deliveries, metadata, recipe, shown=not as_json)
    except DomainError as error:
        raise click.UsageError(words_of(error)) from error
    except KeyboardInterrupt:
        click.echo("Interrupted. What is in stays in; the same command again goes on with the rest.", err=True)
        ctx.exit(130)
    finally:
        close_decoder_pool()
    outcome = _outcome(user, cohort.pk, deliveries, described, stopped)
    click.echo(json.dumps(outcome, ensure_ascii=False) if as_json else _summary(outcome))
    ctx.exit(0 if outcome["complete"] else 1)


def _work(
    user: User, cohort_id: int, deliveries: list[UUID], metadata: Path | None, recipe: str, *, shown: bool
) -> tuple[dict[str, Any] | None, str]:
    """Wait until all is converted and described; return what came of the spreadsheet, and why work stopped, if so."""
    try:
        wait_for_images(user, deliveries, shown=shown)
        return (_describe(user, cohort_id, metadata, recipe) if metadata else None), ""
    except WorkStopped as stopped:
        return None, words_of(stopped)


def words_of(error: DomainError) -> str:
    """A refusal as lines, with each problem by its field."""
    lines = [f"{error.message} {error.remedy}".strip()]
    if isinstance(error, Invalid):
        lines += [f"{problem.field}: {problem.message} {problem.remedy}".rstrip() for problem in error.problems]
    return "\n".join(lines)


def wait_for_images(user: User, deliveries: list[UUID], *, shown: bool) -> None:
    """Wait until every file of the deliveries has its verdict, with a bar. Raises `WorkStopped`."""
    with count_bar(shown=shown) as bar:
        bar.begin("Converting")

        def is_done() -> bool:
            summaries = [summarise_delivery(delivery_for(user, pk)) for pk in deliveries]
            known = sum(summary.members or 0 for summary in summaries)
            waiting = sum(summary.waiting for summary in summaries)
            settled = sum(summary.settled for summary in summaries)
            bar.update(done=settled, of=max(known, settled + waiting))
            return all(summary.is_final for summary in summaries)

        while not let_work(is_done):
            time.sleep(_PAUSE)


def _describe(user: User, cohort_id: int, path: Path, recipe: str) -> dict[str, Any]:
    file = give_metadata(user=user, cohort_id=cohort_id, name=path.name, data=path.read_bytes(), recipe=recipe)
    # It waits where it would change published images, which needs a reason.
    over = {MetadataFileState.INVALID, MetadataFileState.READY, MetadataFileState.APPLIED}
    while not let_work(lambda: metadata_file_for(user, file.pk).state in over):
        time.sleep(_PAUSE / 3)
    file = metadata_file_for(user, file.pk)
    return {"state": file.state, "rows": file.rows, **file.report}


def _outcome(
    user: User, cohort_id: int, deliveries: list[UUID], described: dict[str, Any] | None, stopped: str
) -> dict[str, Any]:
    told = verdicts_told(user, deliveries)
    return {
        "cohort": cohort_id,
        "uploads": [str(pk) for pk in deliveries],
        "counts": told["counts"],
        "refused_uploads": told["refused_uploads"],
        "metadata": described,
        "stopped": stopped,
        "complete": told["complete"]
        and not stopped
        and (described is None or described["state"] == MetadataFileState.APPLIED),
        "verdicts": told["verdicts"],
    }


def verdicts_told(user: User, deliveries: list[UUID]) -> dict[str, Any]:
    """What became of each file of deliveries, counts of that, uploads that were refused whole; whether all is well."""
    found = [delivery_for(user, pk) for pk in deliveries]
    verdicts = [
        {
            "path": verdict.path,
            "outcome": verdict.outcome,
            "code": verdict.code,
            "words": verdict.words,
            "remedy": verdict.remedy,
            "note": verdict.note,
            "accession": verdict.accession_id,
        }
        for delivery in found
        for verdict in verdicts_of(delivery).iterator()
    ]
    counts: dict[str, int] = {}
    for verdict in verdicts:
        counts[str(verdict["outcome"])] = counts.get(str(verdict["outcome"]), 0) + 1
    refused = [
        {
            "upload": str(delivery.pk),
            "code": delivery.refusal_code,
            "words": delivery.refusal,
            "remedy": delivery.remedy,
        }
        for delivery in found
        if delivery.refusal
    ]
    complete = not (counts.get("refused", 0) + counts.get("duplicate", 0) + len(refused))
    return {"counts": counts, "refused_uploads": refused, "complete": complete, "verdicts": verdicts}


def _summary(outcome: dict[str, Any]) -> str:
    lines = verdict_lines(f"Cohort {outcome['cohort']}", outcome)
    if outcome["stopped"]:
        lines.append(outcome["stopped"])
    if outcome["metadata"] is not None:
        lines += _metadata_lines(outcome["metadata"])
    return "\n".join(lines)


def verdict_lines(where: str, outcome: dict[str, Any]) -> list[str]:
    """What `verdicts_told` says, for people: counts, what was refused and why, what was found in files."""
    counts = outcome["counts"]
    words = {"accepted": "accepted", "linked": "linked", "duplicate": "duplicate names", "skipped": "skipped"}
    parts = [f"{counts[key]:,} {text}" for key, text in (words | {"refused": "refused"}).items() if key in counts]
    lines = [f"{where}: {', '.join(parts) or 'no files'}."]
    lines += [f"  {upload['words']} {upload['remedy']}".rstrip() for upload in outcome["refused_uploads"]]
    told = [verdict for verdict in outcome["verdicts"] if verdict["outcome"] in {"refused", "duplicate"}]
    lines += [f"  {verdict['path']}: {verdict['words']} {verdict['remedy']}".rstrip() for verdict in told[:_TOLD]]
    if len(told) > _TOLD:
        lines.append(f"  … and {len(told) - _TOLD:,} more; --json lists them all.")
    return lines + _note_lines(outcome["verdicts"])


def _note_lines(verdicts: list[dict[str, Any]]) -> list[str]:
    """What was found in files that were taken in, once for all files of an image."""
    notes: dict[tuple[object, object], list[str]] = {}
    for verdict in verdicts:
        if verdict["note"]:
            notes.setdefault((verdict["accession"], verdict["note"]), []).append(verdict["path"])
    lines = []
    for (_, note), paths in list(notes.items())[:_TOLD]:
        files = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1:,} more"
        lines.append(f"  Note on {files}: {note}")
    if len(notes) > _TOLD:
        lines.append(f"  … and {len(notes) - _TOLD:,} more notes; --json lists them all.")
    return lines


def _metadata_lines(report: dict[str, Any]) -> list[str]:
    if report["state"] == MetadataFileState.APPLIED:
        lines = [f"Metadata: {report['matched']:,} rows applied, {report['changed']:,} changed something."]
    else:
        lines = ["Metadata: nothing was applied; the spreadsheet has problems."]
        lines += [
            f"  line {problem.get('line') or '-'}: {problem['message']} {problem.get('remedy', '')}".rstrip()
            for problem in report.get("problems", [])[:_TOLD]
        ]
    if unmatched := report.get("unmatched", []):
        number = report.get("unmatched_count", len(unmatched))
        more = " …" if number > _NAMED else ""
        lines.append(f"  {number:,} rows name no image of the cohort: {', '.join(unmatched[:_NAMED])}{more}")
    return lines
