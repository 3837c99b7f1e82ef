"""`medtheca replace`: another file for an image, as a new version.

Exit codes: 0 done; 1 refused, or work stopped, with the reason on standard error; 2 the command was written wrongly.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.provenance.enums import DeliveryState, VersionState
from medtheca.domains.provenance.queries import accession_for, delivery_for, verdicts_of
from medtheca.domains.provenance.versions import file_versions_of
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.waiting import let_work
from medtheca.workflows.decoding import close_decoder_pool
from medtheca.workflows.replace import replace_with_file

_PAUSE = 0.3
_CHUNK = 1024 * 1024
_OVER = {DeliveryState.DONE, DeliveryState.REFUSED}


@click.command(
    "replace",
    epilog="""\b
Example:
  medtheca replace 42 better.jpg --reason "The first was out of focus" --as alice@example.org
""",
)
@click.argument("submission", type=int, metavar="SUBMISSION")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--reason", required=True, help="Why; public once the image is.")
@click.option("--as", "email", metavar="EMAIL", required=True, help="Who does it: an editor or owner of the cohort.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@refusals_told
def replace(*, submission: int, path: Path, reason: str, email: str, as_json: bool) -> None:
    """Replace the file of SUBMISSION, by number. The id stays, the file before is kept, and review begins anew."""
    user = user_by_email(email)
    with path.open("rb") as file:
        upload = replace_with_file(
            user=user,
            accession_id=submission,
            filename=path.name,
            size=path.stat().st_size,
            chunks=iter(lambda: file.read(_CHUNK), b""),
            reason=reason,
        )

    def is_done() -> bool:
        return delivery_for(user, upload.pk).state in _OVER

    try:
        while not let_work(is_done):
            time.sleep(_PAUSE)
    finally:
        close_decoder_pool()
    delivery = delivery_for(user, upload.pk)
    version = file_versions_of(accession_for(user, submission)).filter(delivery=delivery).first()
    # Bytes that are there already make no version, and what is no single file has no verdict.
    verdict = verdicts_of(delivery).first()
    words, remedy = (verdict.words, verdict.remedy) if verdict else (delivery.refusal, delivery.remedy)
    good = version is not None and version.state != VersionState.REFUSED
    if as_json:
        told = {"number": version.number, "state": version.state} if version else None
        note = verdict.note if verdict else ""
        said = {"submission": submission, "version": told, "words": words, "remedy": remedy, "note": note}
        click.echo(json.dumps(said))
    else:
        click.echo(f"{words} {remedy}".rstrip())
        if verdict and verdict.note:
            click.echo(f"Note: {verdict.note}")
        if version and version.state == VersionState.CANDIDATE:
            click.echo("The published file stays until a reviewer accepts this one.")
    raise click.exceptions.Exit(0 if good else 1)
