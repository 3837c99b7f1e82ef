"""Receipts: what was removed, by kind and count, and who, when and why; nothing that identifies anybody."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings

from medtheca.base.clock import now
from medtheca.domains.provenance.enums import ErasureReason
from medtheca.domains.provenance.models import Erasure
from medtheca.workflows.backup.known import known_backups
from medtheca.workflows.backup.lists import keyed
from medtheca.workflows.erase.finding import begun
from medtheca.workflows.erase.plans import Plan

FORMAT = 1


def make_receipt(erasure: Erasure, plan: Plan, *, left_in_use: int) -> dict[str, Any]:
    """The receipt of an erasure whose stages are behind it."""
    receipt: dict[str, Any] = {
        "format": FORMAT,
        "archive": settings.INSTANCE_NAME,
        "erasure": str(erasure.pk),
        "patient": erasure.patient_public_id,
        "reason": erasure.reason,
        "reason_in_words": ErasureReason(erasure.reason).label,
        "words": erasure.words,
        "requested": _said_by(erasure.requester, erasure.requested),
        "confirmed": _said_by(erasure.decider, erasure.decided),
        "erased_at": now().isoformat(),
        "removed": plan.counts,
        "public_ids": sorted(plan.public_ids),
        "stored_files": sorted(keyed(sha256) for sha256 in plan.gone),
        "kept_because_shared": len(plan.shared),
        "words_left_because_shared": left_in_use,
        "backups": backups_with(plan),
        "replayed": erasure.replayed.isoformat() if erasure.replayed else None,
    }
    return {**receipt, "sha256": digest_of_receipt(receipt)}


def digest_of_receipt(receipt: dict[str, Any]) -> str:
    """SHA-256 of a receipt without its own digest, as canonical JSON; the ledger's chain seals it."""
    content = {name: value for name, value in receipt.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def backups_with(plan: Plan) -> list[dict[str, Any]]:
    """Known backups made since the patient's first file came in, and whether each holds one: yes, no, or perhaps."""
    since, wanted = begun(plan), set(plan.blobs) | set(plan.gone)
    found = []
    for known in known_backups():
        if known.at < since:
            continue
        holds = known.holds_any_of(wanted)
        if holds is not False:
            word = "yes" if holds else "perhaps"
            found.append({"snapshot": known.snapshot, "at": known.at.isoformat(), "holds": word})
    return found


def _said_by(person: Any, moment: Any) -> dict[str, Any] | None:
    if person is None:
        return None
    return {"by": person.shown_name, "at": moment.isoformat() if moment else None}
