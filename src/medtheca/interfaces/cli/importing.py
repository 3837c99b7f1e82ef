"""`medtheca import isic`: a part of another archive comes into a cohort."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from django.conf import settings

from medtheca.base.errors import DomainError, Invalid
from medtheca.base.failures import WorkStopped
from medtheca.base.paths import text_of
from medtheca.domains.accounts.queries import user_by_email
from medtheca.interfaces.cli.bars import count_bar, human_size
from medtheca.interfaces.cli.options import acting, as_json, licence_given
from medtheca.interfaces.cli.telling import print_json, printable
from medtheca.interfaces.cli.waiting import let_work
from medtheca.workflows.decoding import close_decoder_pool
from medtheca.workflows.importing.bringing import Import, preview
from medtheca.workflows.importing.describing import Describing
from medtheca.workflows.importing.host import Host, Manners
from medtheca.workflows.importing.looking import Wish
from medtheca.workflows.importing.verdicts import GOOD, Fate, ImageVerdict, Outcome
from medtheca.workflows.local_ingest import find_cohort, make_cohort

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Cohort

_HELP = """Bring images of the ISIC Archive, or of another Medtheca, into a cohort.

Each image comes with its metadata, licence and attribution as the host says them, and with where it came from. It goes
in as an upload does: converted in the sandbox, private, and waiting for review. Cut at any moment, the same command
goes on where it was; run again, it brings nothing twice, and names what has changed at the host.
"""
_EPILOG = """\
\b
Examples:
  medtheca import isic --query 'diagnosis_3:"Nevus" AND sex:male' --limit 500 \\
      --cohort "ISIC nevi" --contributor "ISIC Archive" --as alice@example.org --dry-run
  medtheca import isic --collection 249 --cohort 12 --as alice@example.org
  medtheca import isic --host https://archive.example.org --token-file token.txt --cohort 12 --as alice@example.org

\b
Exit codes:
  0  everything that was asked for is here; what has changed at the host is named
  1  images were refused or did not come, values were refused, or work stopped; the others are in
  2  wrong usage, or nothing could be begun
  3  the host ended it early; the same command goes on where it was
  130  interrupted; the same command goes on where it was
"""
_TOKEN_VARIABLE = "ISIC_IMPORT_TOKEN"  # noqa: S105 - a name, not a token
_PAUSE = 0.3
_TOLD = 20
_WORDS = {
    Fate.BROUGHT: "brought",
    Fate.HERE: "here already",
    Fate.CHANGED: "changed at the host",
    Fate.REFUSED: "refused",
    Fate.FAILED: "not given by the host",
    Fate.WAITING: "waiting to be converted",
    Fate.LEFT: "not reached",
    Fate.WOULD: "to be brought",
}


@click.group("import")
def command() -> None:
    """Bring images from other archives."""


@command.command("isic", help=_HELP, epilog=_EPILOG, short_help="Bring images of the ISIC Archive or another Medtheca.")
@click.option(
    "--host",
    "address",
    default="https://api.isic-archive.com",
    show_default=True,
    help="The archive: scheme, name and port of its API.",
)
@click.option("--query", default="", help="Which images, in the search language of the archive. Default: all.")
@click.option(
    "--collection", "collections", type=click.IntRange(1), multiple=True, metavar="N", help="Only images of these."
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="The first N images alone, also in a second run.")
@click.option("--cohort", "cohort_name", required=True, metavar="ID|NAME", help="The cohort that the images are for.")
@acting("Whose doing it is: an owner or editor of the cohort.")
@click.option("--contributor", help="Makes the cohort where there is none: the institution that answers for it.")
@click.option(
    "--licence",
    default="CC-BY-NC-4.0",
    show_default=True,
    callback=licence_given,
    help="Licence of a new cohort (SPDX), for images of other sources; those that come keep their own.",
)
@click.option("--attribution", help="Whom to name for images of other sources. Default: the contributor.")
@click.option(
    "--token-env",
    default=_TOKEN_VARIABLE,
    show_default=True,
    metavar="NAME",
    help="The variable that holds a bearer token of the host, if you have one.",
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file whose first line is the token.",
)
@click.option("--contact", help="How the host's operators reach you. Default: the archive's support address.")
@click.option("--delay", type=click.FloatRange(0, 3600), default=0.5, show_default=True, help="Seconds between asking.")
@click.option("--connections", type=click.IntRange(1, 4), default=1, show_default=True, help="Files at a time.")
@click.option("--tries", type=click.IntRange(1, 20), default=6, show_default=True, help="Tries for each thing.")
@click.option("--insecure-http", is_flag=True, help="Also without encryption, where nobody else can listen in.")
@click.option("--inner-network", is_flag=True, help="The archive is in your own network; its files may be there too.")
@click.option("--again", is_flag=True, help="Bring also what was refused before.")
@click.option("--dry-run", is_flag=True, help="Only say what would be brought; write nothing.")
@as_json
@click.pass_context
def isic(
    ctx: click.Context,
    *,
    address: str,
    query: str,
    collections: tuple[int, ...],
    limit: int | None,
    cohort_name: str,
    email: str,
    contributor: str | None,
    licence: str,
    attribution: str | None,
    token_env: str,
    token_file: Path | None,
    contact: str | None,
    delay: float,
    connections: int,
    tries: int,
    insecure_http: bool,
    inner_network: bool,
    again: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """`_HELP` is what people read."""
    wish = Wish(query=query, collections=collections, limit=limit)
    manners = Manners(
        agent=_agent(contact),
        delay=delay,
        tries=tries,
        connections=connections,
        insecure_http=insecure_http,
        inner_network=inner_network,
    )
    try:
        host = Host(address if "://" in address else f"https://{address}", manners, _token(token_env, token_file))
        user = user_by_email(email)
        cohort = find_cohort(user=user, name_or_id=text_of(cohort_name))
        if cohort is None and contributor is None:
            raise click.UsageError(f"There is no cohort {cohort_name}. Give --contributor to make it.")
        if dry_run:
            with count_bar(shown=not as_json) as bar:
                bar.begin("Looking")
                outcome = preview(
                    user=user, cohort=cohort, host=host, wish=wish, again=again, progress=_shown_by(bar.update)
                )
            _end(ctx, host, cohort, outcome, as_json=as_json)
        if cohort is None:
            cohort = make_cohort(
                user=user,
                name=text_of(cohort_name),
                institution=contributor or "",
                licence=licence,
                attribution=attribution or contributor or "",
            )
        run = _Run(user, cohort, host, wish, again=again, shown=not as_json)
        run.go()
    except DomainError as error:
        raise click.UsageError(_words_of(error)) from error
    except KeyboardInterrupt:
        click.echo("Interrupted. What is in stays in; the same command goes on where it was.", err=True)
        ctx.exit(130)
    finally:
        close_decoder_pool()
    _end(ctx, host, cohort, run.outcome, as_json=as_json, work_stopped=run.stopped, **run.made())


class _Run:
    """One run, with its bars. `stopped` is why work stopped here, if it did."""

    def __init__(self, user: User, cohort: Cohort, host: Host, wish: Wish, *, again: bool, shown: bool) -> None:
        self._shown, self.stopped = shown, ""
        self._bar: Callable[..., None] = lambda **_: None
        self._import = Import(
            user=user,
            cohort=cohort,
            host=host,
            wish=wish,
            again=again,
            progress=lambda done, of: self._bar(done=done, of=of or 0),
            rest=_work_meanwhile,
        )
        self.outcome = self._import.outcome
        self._describing = Describing(user=user, cohort=cohort, host=host.name, outcome=self.outcome)

    def go(self) -> None:
        """Bring, convert, describe. Raises `Conflict` where another run does the same."""
        with count_bar(shown=self._shown) as bar:
            bar.begin("Bringing")
            self._bar = bar.update
            self._import.bring()
            try:
                bar.begin("Converting")
                self._wait(self._import.is_converted)
                bar.begin("Describing")
                self._wait(self._describing.go_on)
            except WorkStopped as stopped:
                self.stopped = _words_of(stopped)
        self._import.settle()

    def made(self) -> dict[str, Any]:
        """The uploads and sheets of the run, by their ids."""
        return {"uploads": [str(pk) for pk in self._import.deliveries], "metadata_files": self._describing.file_ids}

    def _wait(self, is_done: Callable[[], bool]) -> None:
        while not let_work(is_done):
            time.sleep(_PAUSE)


def _work_meanwhile() -> None:
    """Without a worker beside it the command converts what has come before it asks for more."""
    with contextlib.suppress(WorkStopped):  # Told at the end, where all that came is waited for.
        let_work(lambda: False)


def _shown_by(update: Callable[..., None]) -> Callable[[int, int | None], None]:
    return lambda done, of: update(done=done, of=of or 0)


def _token(variable: str, file: Path | None) -> str:
    """Never from the command line, which other users of the machine can read."""
    if file is not None:
        lines = file.read_text(errors="replace").splitlines()
        if not lines or not lines[0].strip():
            raise click.BadParameter(f"{file} is empty.", param_hint="--token-file")
        return lines[0].strip()
    if variable != _TOKEN_VARIABLE and not os.environ.get(variable, "").strip():
        raise click.BadParameter(f"The variable {variable} is empty.", param_hint="--token-env")
    return os.environ.get(variable, "").strip()


def _agent(contact: str | None) -> str:
    """Who asks, for the host's logs: our name, the address of this archive, and how to reach its operators."""
    own = settings.ENVIRONMENT
    reach = contact or ("" if own.support_email.endswith("@localhost") else own.support_email)
    told = [f"+{own.public_url}"] if own.public_url else []
    said = re.sub(r"[^\x21-\x27\x2a-\x7e]+", " ", "; ".join([*told, *([reach] if reach else [])])).strip()
    return f"Medtheca/{version('medtheca')} ({said or 'import'})"


def _end(
    ctx: click.Context,
    host: Host,
    cohort: Cohort | None,
    outcome: Outcome,
    *,
    as_json: bool,
    work_stopped: str = "",
    uploads: list[str] | None = None,
    metadata_files: list[int] | None = None,
) -> None:
    if as_json:
        print_json(
            {
                "host": host.name,
                "cohort": cohort.pk if cohort else None,
                "found": outcome.found,
                "counts": outcome.counts,
                "stopped": outcome.stopped or work_stopped,
                "complete": outcome.is_complete and not work_stopped,
                "uploads": uploads or [],
                "metadata_files": metadata_files or [],
                "images": [_as_json(image) for image in outcome.images.values()],
            }
        )
    else:
        click.echo("\n".join(_summary(host, cohort, outcome, work_stopped)))
    ctx.exit(3 if outcome.stopped else 0 if outcome.is_complete and not work_stopped else 1)


def _as_json(image: ImageVerdict) -> dict[str, Any]:
    told = asdict(image)
    return {"isic_id": told.pop("isic_id"), "outcome": told.pop("fate"), **told}


def _summary(host: Host, cohort: Cohort | None, outcome: Outcome, work_stopped: str) -> list[str]:
    counts, where = outcome.counts, f"cohort {cohort.pk}" if cohort else "a new cohort"
    parts = [f"{counts[fate]:,} {words}" for fate, words in _WORDS.items() if fate in counts]
    lines = [f"{host.name} to {where}: {', '.join(parts) or 'no images'}."]
    coming = [image for image in outcome.images.values() if image.fate is Fate.WOULD]
    if size := sum(image.size or 0 for image in coming):
        lines[0] = lines[0].removesuffix(".") + f" ({human_size(size)})."
    told = [image for image in outcome.images.values() if image.fate not in GOOD or image.fate is Fate.CHANGED]
    lines += _lines([f"{image.isic_id}: {image.words} {image.remedy}".rstrip() for image in told])
    lines += _lines([words for image in outcome.images.values() for words in _refused_values(image)])
    return lines + [printable(words) for words in (outcome.stopped, work_stopped) if words]


def _refused_values(image: ImageVerdict) -> list[str]:
    return [
        f"{image.isic_id}, {value.get('field') or 'its metadata'}: {value.get('message', '')} The value was left out."
        for value in image.values
    ]


def _lines(told: list[str]) -> list[str]:
    more = [f"  … and {len(told) - _TOLD:,} more; --json lists them all."] if len(told) > _TOLD else []
    # What a host says must not command the terminal.
    return [f"  {printable(words)}" for words in told[:_TOLD]] + more


def _words_of(error: DomainError) -> str:
    lines = [f"{error.message} {error.remedy}".strip()]
    if isinstance(error, Invalid):
        lines += [f"{problem.field}: {problem.message} {problem.remedy}".rstrip() for problem in error.problems]
    return "\n".join(lines)
