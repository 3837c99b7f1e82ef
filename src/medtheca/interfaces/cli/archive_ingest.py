"""`medtheca archive ingest` and `uploads`: files of this machine become items, and what became of files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from medtheca.base.errors import DomainError, NotFound
from medtheca.base.failures import WorkStopped
from medtheca.base.paths import find_files
from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.archives.access import require_uploader
from medtheca.domains.archives.images import images_of_intakes, items_of_intakes
from medtheca.domains.archives.intakes import (
    OPEN,
    await_delivery,
    grouping_for,
    intake_for,
    intakes_in,
    intakes_of_deliveries,
)
from medtheca.domains.archives.queries import archive_named
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.archive_making import ARCHIVE
from medtheca.interfaces.cli.bars import byte_bar
from medtheca.interfaces.cli.ingest import verdict_lines, verdicts_told, wait_for_images, words_of
from medtheca.interfaces.cli.options import acting, as_json
from medtheca.interfaces.cli.telling import counted, print_json, print_rows, printable, time_of
from medtheca.interfaces.cli.waiting import let_work
from medtheca.workflows.decoding import close_decoder_pool
from medtheca.workflows.local_ingest import deliver_files

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.intakes import Grouping
    from medtheca.domains.archives.models import Archive, Intake

_UPLOADER = acting("Whose upload it is: an editor or uploader of the archive, or one of the staff.")
_PAUSE = 0.3
_TOLD = 20
_EPILOG = """\
\b
Examples:
  medtheca archive ingest chest-ct scans.zip --as una@example.org
  medtheca archive ingest chest-ct patients/ --folder --where '*mask*=lesion-mask' --as una@example.org
  medtheca archive ingest chest-ct scans/ --pattern '*_t1.nii.gz' --socket t1 --as una@example.org

\b
Exit codes:
  0  every file was accepted, or skipped as junk, and is in an item
  1  files were refused or could not be put into items, or work stopped; the others are in
  2  wrong usage, or nothing could be begun
  130  interrupted
"""


@click.command("ingest", epilog=_EPILOG)
@ARCHIVE
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH…")
@click.option("--each", "by", flag_value="each", type=str, help="An item for each image, whatever the archive says.")
@click.option("--folder", "by", flag_value="folder", type=str, help="An item for what lies in one folder, so called.")
@click.option("--depth", type=int, help="With --folder: how many folders from the top name the item; 0 is all.")
@click.option("--pattern", metavar="GLOB", help="An item for what its star stands for: '*_t1.nii.gz'.")
@click.option("--socket", default="", metavar="SLUG", help="Where images go that no --where fits.")
@click.option("--where", "patterns", multiple=True, metavar="GLOB=SLUG", help="Images so called go to SLUG; repeat it.")
@_UPLOADER
@as_json
@click.pass_context
def ingest(
    ctx: click.Context, /, *, archive_ref: str, paths: tuple[Path, ...], email: str, as_json: bool, **said: Any
) -> None:
    """Bring files, folders or ZIPs into ARCHIVE, where they become items by its rule, or by the one that you say.

    Every file ends with a verdict. `medtheca archive item add` makes one item of values, files and images.
    """
    try:
        user = user_by_email(email)
        archive = archive_named(user, archive_ref)
        grouping = grouping_for(archive=archive, creator=user, rule=_rule(**said), socket=said["socket"])
        deliveries = _deliver(user, archive, find_files(paths), grouping, shown=not as_json)
        stopped = _work(user, deliveries, shown=not as_json)
    except DomainError as error:
        raise click.UsageError(words_of(error)) from error
    except KeyboardInterrupt:
        click.echo("Interrupted. What is in stays in, and is taken up again by `medtheca up`.", err=True)
        ctx.exit(130)
    finally:
        close_decoder_pool()
    outcome = _outcome(user, archive, deliveries, stopped)
    if as_json:
        print_json(outcome)
    else:
        click.echo("\n".join(_lines(outcome)))
    ctx.exit(0 if outcome["complete"] else 1)


def _rule(
    *, by: str | None, depth: int | None, pattern: str | None, patterns: tuple[str, ...], socket: str
) -> dict[str, Any] | None:
    """The rule that options say; none where they say none. A socket alone changes nothing of the archive's rule."""
    if pattern is not None and by is not None:
        raise click.UsageError(f"Items are made by --{by} or by --pattern, not by both.")
    if depth is not None and by != "folder":
        raise click.UsageError("--depth goes with --folder.")
    sockets = {}
    for one in patterns:
        name, equals, slug = one.rpartition("=")
        if not equals or not name or not slug:
            raise click.UsageError(f"{one} is no GLOB=SLUG. Write '*mask*=lesion-mask'.")
        sockets[name] = slug
    if by is None and pattern is None and not sockets:
        return None
    way = "pattern" if pattern is not None else by or "each"
    return {"by": way, "depth": depth or 0, "pattern": pattern or "", "sockets": sockets}


def _deliver(user: User, archive: Archive, files: list[Path], grouping: Grouping, *, shown: bool) -> list[UUID]:
    def begun(delivery_id: UUID) -> None:
        await_delivery(archive=archive, creator=user, delivery_id=delivery_id, grouping=grouping)

    with byte_bar(shown=shown) as bar:
        bar.begin("Copying", files=len(files), size=sum(path.stat().st_size for path in files))
        return deliver_files(
            user=user,
            cohort=archive.cohort,
            files=files,
            progress=lambda size: bar.advance(0, size),
            begun=begun,
        )


def _work(user: User, deliveries: list[UUID], *, shown: bool) -> str:
    """Wait until all is converted and in items; return why work stopped, if so."""

    def is_done() -> bool:
        return all(intake.state not in OPEN for intake in intakes_of_deliveries(user, deliveries))

    try:
        wait_for_images(user, deliveries, shown=shown)
        while not is_done() and not let_work(is_done):
            time.sleep(_PAUSE)
    except WorkStopped as stopped:
        return words_of(stopped)
    return ""


def _outcome(user: User, archive: Archive, deliveries: list[UUID], stopped: str) -> dict[str, Any]:
    told, intakes = verdicts_told(user, deliveries), intakes_of_deliveries(user, deliveries)
    items = items_of_intakes(user, intakes)
    # What was said of files that were refused stands with their verdicts; the rest is about what became of images.
    trouble = [one for one in intakes if one.state != "done" or one.words]
    return {
        "archive": archive.slug,
        "uploads": [str(one.pk) for one in intakes],
        "counts": told["counts"],
        "refused_uploads": told["refused_uploads"],
        "items": [{"id": str(one.pk), "number": one.number, "title": one.title} for one in items],
        "troubles": [{"upload": str(one.pk), "state": one.state, "words": one.words} for one in trouble],
        "stopped": stopped,
        "complete": told["complete"] and not trouble and not stopped,
        "verdicts": told["verdicts"],
    }


def _lines(outcome: dict[str, Any]) -> list[str]:
    items = outcome["items"]
    lines = verdict_lines(f"Archive {outcome['archive']}", outcome)
    named = ", ".join(printable(one["title"] or f"item {one['number']}") for one in items[:_TOLD])
    more = f" and {len(items) - _TOLD:,} more" if len(items) > _TOLD else ""
    lines.append(f"They are in {counted(len(items), 'item')}: {named}{more}." if items else "No item has come of them.")
    if not outcome["refused_uploads"] and outcome["counts"].get("refused", 0) == 0:
        lines += [f"  {line}" for one in outcome["troubles"] for line in one["words"].splitlines()]
    return [*lines, outcome["stopped"]] if outcome["stopped"] else lines


@click.command(
    "uploads",
    epilog="""\b
Examples:
  medtheca archive uploads chest-ct --as una@example.org
  medtheca archive uploads chest-ct 0d1c6d3e-1f2a-4b0c-9d0e-3f4a5b6c7d8e --as una@example.org --json
""",
)
@ARCHIVE
@click.argument("upload_id", metavar="[UPLOAD]", required=False, type=click.UUID)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@acting("Whose view: uploaders see their own, editors all.")
@as_json
@refusals_told
def uploads(*, archive_ref: str, upload_id: UUID | None, limit: int, email: str, as_json: bool) -> None:
    """List what was uploaded to ARCHIVE, the newest first; of one UPLOAD the verdict on each of its files.

    In a line: id, state, images, item, when, by whom, what was said. Of a file: path, outcome, code, words.
    """
    user = user_by_email(email)
    archive = archive_named(user, archive_ref)
    require_uploader(user, archive, to="see what was uploaded")
    if upload_id is not None:
        _tell_verdicts(user, archive, upload_id, as_json=as_json)
        return
    rows = _uploads(user, list(intakes_in(user, archive)[:limit]))
    if as_json:
        print_json(rows)
        return
    columns = ("id", "state", "images", "item", "created", "by", "words")
    print_rows([row[column] for column in columns] for row in rows)
    if not rows:
        click.echo("Nothing was uploaded that you may see. `medtheca archive ingest` brings files.", err=True)


def _uploads(user: User, intakes: list[Intake]) -> list[dict[str, Any]]:
    images = images_of_intakes(user, intakes)
    return [
        {
            "id": str(one.pk),
            "state": one.state,
            "images": len(images[one.pk]),
            "item": str(one.item_id) if one.item_id else None,
            "socket": one.socket.slug,
            "created": time_of(one.created),
            "by": one.creator.email,
            "words": one.words,
        }
        for one in intakes
    ]


def _tell_verdicts(user: User, archive: Archive, upload_id: UUID, *, as_json: bool) -> None:
    intake = intake_for(user, upload_id)
    if intake.archive_id != archive.pk:
        raise NotFound("There is no such upload to this archive.")
    (facts,) = _uploads(user, [intake])
    verdicts = verdicts_told(user, [intake.delivery_id])["verdicts"] if intake.delivery_id else []
    if as_json:
        print_json({**facts, "verdicts": verdicts})
        return
    print_rows(
        [one["path"], one["outcome"], one["code"], f"{one['words']} {one['remedy']}".strip()] for one in verdicts
    )
    words = f" {printable(facts['words'])}" if facts["words"] else ""
    click.echo(f"{facts['state']}: {counted(facts['images'], 'image')}.{words}", err=True)


COMMANDS = (ingest, uploads)
