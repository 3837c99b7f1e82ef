"""`medtheca erase …`.

Exit codes: 0 done; 1 refused, or work stopped, with the reason on standard error; 2 the command was written wrongly.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.provenance.enums import ErasureReason, ErasureState
from medtheca.domains.provenance.erasing import (
    confirm_erasure,
    decline_erasure,
    erasure_for,
    erasures_for,
    request_erasure,
)
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.bars import human_size
from medtheca.interfaces.cli.waiting import let_work
from medtheca.workflows.erase.previewing import Preview, preview_erasure
from medtheca.workflows.erase.replaying import pending_entries, replay_erasures

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Erasure

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
_AS = click.option("--as", "email", metavar="EMAIL", required=True, help="Who does it: an owner, or one of the staff.")


@click.group(name="erase")
def erase() -> None:
    """Erase a patient: asked for by one person, confirmed by a second, one of the two of the staff."""


@erase.command("patient")
@click.argument("patient", metavar="PATIENT")
@_AS
@click.option(
    "--reason",
    type=click.Choice(ErasureReason.values),
    default=ErasureReason.PATIENT.value,
    show_default=True,
    help="Why.",
)
@click.option(
    "--words", default="", help="More on why, for the receipt: a file number, nothing that names the patient."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@_AS_JSON
@refusals_told
def patient_command(patient: str, email: str, reason: str, words: str, *, dry_run: bool, as_json: bool) -> None:
    """Ask that PATIENT, a public id such as IP_1234567, be erased. Nothing goes before it is confirmed."""
    user = user_by_email(email)
    preview = preview_erasure(user=user, patient_public_id=patient)
    made = None
    if not dry_run:
        made = request_erasure(user=user, patient_public_id=patient, reason=reason, words=words)
    if as_json:
        click.echo(json.dumps({"preview": preview.to_json(), "erasure": str(made.pk) if made else None}))
        return
    click.echo(_preview_words(preview))
    if made:
        click.echo(f"Asked for. A second person confirms it by: medtheca erase confirm {made.pk} --patient {patient}")


@erase.command("confirm")
@click.argument("erasure_id", metavar="ERASURE", type=click.UUID)
@click.option("--patient", required=True, metavar="PATIENT", help="The patient's public id once more.")
@_AS
@_AS_JSON
@refusals_told
def confirm_command(erasure_id: UUID, patient: str, email: str, *, as_json: bool) -> None:
    """Confirm ERASURE as the second person, wait for it, and print the receipt. It cannot be taken back."""
    user = user_by_email(email)
    confirm_erasure(user=user, erasure_id=erasure_id, typed=patient)
    while not let_work(lambda: erasure_for(user, erasure_id).state == ErasureState.DONE):
        pass
    _show(erasure_for(user, erasure_id), as_json=as_json)


@erase.command("decline")
@click.argument("erasure_id", metavar="ERASURE", type=click.UUID)
@click.option("--because", required=True, metavar="WORDS", help="Why not.")
@_AS
@refusals_told
def decline_command(erasure_id: UUID, because: str, email: str) -> None:
    """Decline ERASURE, or take one's own request back. Nothing was removed."""
    decline_erasure(user=user_by_email(email), erasure_id=erasure_id, because=because)
    click.echo("Declined. Nothing was removed.")


@erase.command("show")
@click.argument("erasure_id", metavar="ERASURE", type=click.UUID)
@_AS
@_AS_JSON
@refusals_told
def show_command(erasure_id: UUID, email: str, *, as_json: bool) -> None:
    """How far ERASURE has come, or its receipt."""
    _show(erasure_for(user_by_email(email), erasure_id), as_json=as_json)


@erase.command("list")
@_AS
@_AS_JSON
@refusals_told
def list_command(email: str, *, as_json: bool) -> None:
    """Erasures of one's contributors; all for staff; newest first."""
    rows = [
        {
            "id": str(row.pk),
            "patient": row.patient_public_id,
            "state": row.state,
            "requested": row.requested.isoformat(),
        }
        for row in erasures_for(user_by_email(email))
    ]
    lines = [f"{row['id']}  {row['patient']}  {row['state']}" for row in rows]
    click.echo(json.dumps(rows) if as_json else "\n".join(lines) or "None.")


@erase.command("pending")
@_AS_JSON
@refusals_told
def pending_command(*, as_json: bool) -> None:
    """Erase again whoever the list in the data folder names and a restored database still holds.

    `medtheca up` does so before it serves anything. Run it by hand where processes are started one by one.
    """
    done = replay_erasures(pending_entries())
    if as_json:
        click.echo(json.dumps({"erased_again": [asdict(again) for again in done]}))
        return
    for again in done:
        click.echo(f"Erased {again.patient} again: {again.images:,} images.")


def _preview_words(preview: Preview) -> str:
    lines = [f"Of {preview.patient.public_id} there are:"]
    lines += [f"  {_amount(name, number):>12}  {name}" for name, number in preview.counts.items()]
    if preview.doubts.alike:
        lines.append(
            f"Look at {len(preview.doubts.alike)} submissions whose names hold the private id and that are not linked "
            "to the patient; they stay."
        )
    if preview.doubts.same_bytes or preview.doubts.elsewhere:
        held = len(preview.doubts.same_bytes) + preview.doubts.elsewhere
        lines.append(f"{held} other submissions hold the same content; it stays with them.")
    lines += [f"Backup {row['snapshot']} holds it: {row['holds']}." for row in preview.backups]
    return "\n".join(lines)


def _amount(name: str, number: int) -> str:
    return human_size(number) if name == "bytes" else f"{number:,}"


def _show(erasure: Erasure, *, as_json: bool) -> None:
    told: dict[str, Any] = {"id": str(erasure.pk), "patient": erasure.patient_public_id, "state": erasure.state}
    told |= {"trouble": erasure.trouble, "receipt": erasure.receipt or None}
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"{erasure.patient_public_id}: {erasure.state}. {erasure.trouble}".rstrip())
    for name, number in erasure.receipt.get("removed", {}).items():
        click.echo(f"  {_amount(name, number):>12}  {name}")
    for row in erasure.receipt.get("backups", []):
        click.echo(f"Backup {row['snapshot']} holds it: {row['holds']}. A restore erases it again.")
