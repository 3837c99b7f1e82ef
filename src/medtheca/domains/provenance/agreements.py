"""The contributor agreement: its text, its version, and who accepted it for whom."""

from __future__ import annotations

from importlib.resources import files

from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.errors import Conflict
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.models import Agreement, Contributor

AGREEMENT_VERSION = "2026-11"
"""The version that counts. To change the text, add a file named by the new version and write that here."""


def agreement_text() -> str:
    """The present text: paragraphs between empty lines, headings after `## `."""
    folder = files("medtheca.domains.provenance") / "agreement"
    return (folder / f"{AGREEMENT_VERSION}.md").read_text(encoding="utf-8")


def agreement_is_current(contributor: Contributor) -> bool:
    """Whether an owner has accepted the present version for the contributor."""
    return Agreement.objects.filter(contributor=contributor, version=AGREEMENT_VERSION).exists()


def require_agreement(contributor: Contributor) -> None:
    """Raise `Conflict` (code `agreement_missing`) unless the present agreement was accepted."""
    if not agreement_is_current(contributor):
        raise Conflict(
            "The contributor has not accepted the present contributor agreement.",
            code="agreement_missing",
            remedy="An owner accepts it on the contributor's page.",
        )


def accept_agreement(*, contributor: Contributor, actor: User, version: str) -> Agreement:
    """Note that an owner accepts the agreement for the contributor; the first time of a version stays.

    Raises `NotAllowed`, or `Conflict` where `version` is not the present one, so that nobody signs what they did not
    read.
    """
    require_owner(actor, contributor, to="accept the agreement")
    if version != AGREEMENT_VERSION:
        raise Conflict(
            f"The present version of the agreement is {AGREEMENT_VERSION}, not {version or 'none'}.",
            remedy="Read the present one, and accept that.",
        )
    with transaction.atomic():
        made, is_new = Agreement.objects.get_or_create(contributor=contributor, version=version, defaults={"by": actor})
        if is_new:
            record(
                actor_id=actor.pk,
                verb="contributor.agreement_accepted",
                subject_type="contributor",
                subject_id=contributor.pk,
                details={"version": version},
            )
    made.refresh_from_db()
    return made


def agreements_of(contributor: Contributor) -> QuerySet[Agreement]:
    """What was accepted for a contributor, newest first."""
    return Agreement.objects.filter(contributor=contributor).select_related("by").order_by("-at", "-pk")
