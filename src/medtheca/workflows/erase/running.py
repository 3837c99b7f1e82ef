"""The work of a confirmed erasure: stage by stage, each of which may be cut off anywhere and repeated."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from medtheca.base.clock import now
from medtheca.base.errors import Conflict
from medtheca.base.steps import step
from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.operations import set_visibility
from medtheca.domains.imaging.models import Image
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.metadata.models import MetadataFile
from medtheca.domains.provenance.enums import DeliveryState, ErasureStage, ErasureState
from medtheca.domains.provenance.models import Accession, Delivery, Erasure, Lesion, Origin, Patient
from medtheca.domains.provenance.replacements import give_up_replacements
from medtheca.domains.storage.erasing import erase_bytes, left_of
from medtheca.domains.storage.models import Upload
from medtheca.workflows.backup.known import known_folders
from medtheca.workflows.backup.lists import Entry, keyed, keyed_private_id, write_entry
from medtheca.workflows.erase import words
from medtheca.workflows.erase.cleaning import clean_database
from medtheca.workflows.erase.finding import begun, make_plan
from medtheca.workflows.erase.marks import marks_of
from medtheca.workflows.erase.plans import Plan
from medtheca.workflows.erase.receipts import make_receipt
from medtheca.workflows.erase.reports import scrub_reports
from medtheca.workflows.erase.rows import MoreCameIn, remove_rows
from medtheca.workflows.erase.sheets import cut_sheet

log = logging.getLogger(__name__)

_BUSY_SHEETS = ("checking", "applying", "undoing")
_MOST_PLANS = 20


class Leftovers(Exception):
    """The search at the end found something; the work is not done. Names tables and columns, never values."""


def erase_patient(*, erasure_id: UUID) -> None:
    """Do what is left to do of a confirmed erasure. Raises `Conflict` where it has to wait, or `Leftovers`."""
    erasure = Erasure.objects.select_related("requester", "decider").filter(pk=erasure_id).first()
    if erasure is None or erasure.state != ErasureState.ERASING:
        return
    step("erase.begun")
    try:
        for stage in _STAGES:
            stage(erasure)
    except (Conflict, Leftovers) as error:
        trouble = error.message if isinstance(error, Conflict) else str(error)
        Erasure.objects.filter(pk=erasure.pk).update(trouble=trouble)
        raise


def _plan(erasure: Erasure) -> None:
    """Find everything, hide it, and write down what to do where a crash or a restore does not forget it."""
    if erasure.stage != ErasureStage.NONE:
        return
    patient = Patient.objects.filter(public_id=erasure.patient_public_id).first()
    if patient is None:
        raise Conflict(f"{erasure.patient_public_id} is not there.", remedy="Tell whoever runs the archive.")
    _keep_plan(erasure, make_plan(patient), ErasureStage.PLANNED)


def work_from_plan(erasure: Erasure, plan: Plan) -> None:
    """Do the work of an erasure whose plan was made elsewhere, without waiting for what is under way."""
    _advance(erasure, plan, ErasureStage.PLANNED)
    erase_patient(erasure_id=erasure.pk)


def _keep_plan(erasure: Erasure, plan: Plan, stage: ErasureStage) -> None:
    # Every door closes within the minute, however long the rest takes or has to wait.
    set_visibility(image_ids=plan.images, visibility=Visibility.PRIVATE)
    plan.blobs |= {blob.sha256: blob.size for blob in give_up_replacements(accession_ids=plan.accessions)}
    step("erase.hidden")
    _wait_for_work(plan)
    # Beside the database first: from here on a restored backup erases again what this erases.
    write_entry(entry_of(erasure, plan), known_folders())
    step("erase.listed")
    with transaction.atomic():
        # Once more: a publication may have been under way.
        set_visibility(image_ids=plan.images, visibility=Visibility.PRIVATE)
        _advance(erasure, plan, stage)
    step("erase.planned")


def _wait_for_work(plan: Plan) -> None:
    """Raise `Conflict` while something of the patient is still on its way in."""
    done = [DeliveryState.DONE, DeliveryState.REFUSED]
    bringing = Origin.objects.filter(pk__in=plan.origins, erased=False).values("delivery")
    coming = Delivery.objects.filter(Q(pk__in=[UUID(pk) for pk in plan.uploads]) | Q(pk__in=bringing))
    if coming.exclude(state__in=done).exists():
        raise Conflict("An upload with files of the patient is still being worked through.", code="busy")
    sheets = MetadataFile.objects.filter(pk__in=[int(pk) for pk in plan.sheets], state__in=_BUSY_SHEETS)
    if sheets.exists():
        raise Conflict("A spreadsheet with rows of the patient is still being worked through.", code="busy")


def _remove_rows(erasure: Erasure) -> None:
    for _ in range(_MOST_PLANS):
        if erasure.stage != ErasureStage.PLANNED:
            return
        plan = Plan.of_json(erasure.plan)
        for pk, lines in plan.sheets.items():
            cut_sheet(int(pk), lines)
            step("erase.sheet")
        try:
            with transaction.atomic():
                remove_rows(plan)
                _advance(erasure, plan, ErasureStage.ROWS)
                step("erase.rows")
            step("erase.rows_gone")
        except MoreCameIn:
            _keep_plan(erasure, _made_again(plan), ErasureStage.PLANNED)
            erasure.stage = ErasureStage.PLANNED
    raise Conflict("More and more comes in of the patient.", remedy="Stop what brings it, then it goes on.")


def _made_again(plan: Plan) -> Plan:
    """The plan as it would be now, with what the one before knew: rows of spreadsheets may be cut already."""
    fresh = make_plan(Patient.objects.get(pk=plan.patient or 0))
    fresh.blobs = {**plan.blobs, **fresh.blobs}
    fresh.sheets = {**plan.sheets, **fresh.sheets}
    fresh.items = sorted({*plan.items, *fresh.items})
    fresh.values = sorted({*plan.values, *fresh.values})
    fresh.since = min(plan.since, fresh.since)
    fresh.counts = {
        name: max(plan.counts.get(name, 0), number) for name, number in {**plan.counts, **fresh.counts}.items()
    }
    return fresh


def _remove_bytes(erasure: Erasure) -> None:
    if erasure.stage != ErasureStage.ROWS:
        return
    plan = Plan.of_json(erasure.plan)
    erased = erase_bytes(sha256s=plan.blobs, unreferenced_since=begun(plan))
    plan.shared = [sha256 for sha256 in erased.shared if sha256 in plan.blobs]
    plan.gone = sorted(set(plan.gone) | set(erased.gone))
    _advance(erasure, plan, ErasureStage.BYTES)
    step("erase.bytes_gone")


def _remove_words(erasure: Erasure) -> None:
    if erasure.stage != ErasureStage.BYTES:
        return
    plan = Plan.of_json(erasure.plan)
    marks, plan.kept_marks = marks_of(plan)
    scrub_reports(plan)
    step("erase.reports")
    plan.counts["notifications"] = plan.counts.get("notifications", 0) + words.forget_notifications(plan)
    plan.counts["details of ledger events"] = plan.counts.get("details of ledger events", 0) + words.redact_ledger(
        plan, marks, actor_id=erasure.decider_id
    )
    step("erase.ledger")
    words.drop_copies(marks)
    words.scrub_tables(marks)
    words.scrub_sessions(marks)
    step("erase.tables")
    words.blot_files(marks)
    _advance(erasure, plan, ErasureStage.WORDS)
    step("erase.words")


def _verify(erasure: Erasure) -> None:
    """Look for leftovers; only where there are none, the plan goes and the receipt is given."""
    if erasure.stage != ErasureStage.WORDS:
        return
    plan = Plan.of_json(erasure.plan)
    marks, left_in_use = marks_of(plan)
    if found := [*_rows_left(plan), *words.find_in_tables(marks), *words.files_with(marks)]:
        # The stage before is done again, because what it found may have come in meanwhile.
        _advance(erasure, plan, ErasureStage.BYTES)
        raise Leftovers(f"Something of the patient is left in {', '.join(found[:20])}; the work goes on.")
    receipt = make_receipt(erasure, plan, left_in_use=left_in_use)
    with transaction.atomic():
        record(
            actor_id=erasure.decider_id,
            verb="erasure.done",
            subject_type="erasure",
            subject_id=erasure.pk,
            details={"receipt_sha256": receipt["sha256"]},
        )
        erasure.receipt = receipt
        erasure.plan, erasure.stage, erasure.trouble = {}, ErasureStage.VERIFIED, ""
        erasure.save()
    step("erase.verified")


def _rows_left(plan: Plan) -> list[str]:
    left: list[str] = []
    rows: tuple[tuple[type[Any], list[int]], ...] = (
        (Accession, plan.accessions),
        (Image, plan.images),
        (Lesion, plan.lesions),
        (Patient, [plan.patient] if plan.patient else []),
    )
    left += [model._meta.db_table for model, ids in rows if model._default_manager.filter(pk__in=ids).exists()]
    if left_of([sha256 for sha256 in {*plan.blobs, *plan.gone} if sha256 not in plan.shared]):
        left.append("the store")
    if Upload.objects.filter(pk__in=map(UUID, plan.own_uploads), blob__isnull=False).exists():
        left.append("storage_upload")
    return left


def _finish(erasure: Erasure) -> None:
    """Leave nothing in the database's files, then say that it is done."""
    if erasure.stage != ErasureStage.VERIFIED:
        return
    clean_database()
    step("erase.cleaned")
    with transaction.atomic():
        erasure.state, erasure.trouble, erasure.finished = ErasureState.DONE, "", now()
        erasure.save()
        if erasure.replayed is None:
            notify(
                recipient_ids=[erasure.requester_id, erasure.decider_id],
                kind="erasure.done",
                words="A patient was erased. The receipt says what was removed.",
                url=f"/erasures/{erasure.pk}/",
                subject_type="erasure",
                subject_id=erasure.pk,
            )
    log.info("Erasure %s is done.", erasure.pk)


def _advance(erasure: Erasure, plan: Plan, stage: ErasureStage) -> None:
    erasure.plan, erasure.stage, erasure.trouble = plan.to_json(), stage, ""
    erasure.save(update_fields=["plan", "stage", "trouble", "modified"])


def entry_of(erasure: Erasure, plan: Plan) -> Entry:
    """What has to be kept beside the database, so that a restored backup can erase again."""
    return Entry(
        erasure=str(erasure.pk),
        at=(erasure.decided or now()).isoformat(),
        patient=erasure.patient_public_id,
        contributor=erasure.contributor_id,
        reason=erasure.reason,
        private=keyed_private_id(plan.contributor, plan.private_id) if plan.private_id else "",
        accessions=[[pk, proof] for pk, proof in zip(plan.accessions, plan.proofs, strict=True)],
        uploads=plan.uploads,
        erased_ids=sorted(plan.public_ids),
        blobs=sorted(keyed(sha256) for sha256 in plan.blobs),
        requester=erasure.requester_id,
        decider=erasure.decider_id,
    )


_STAGES: tuple[Callable[[Erasure], None], ...] = (
    _plan,
    _remove_rows,
    _remove_bytes,
    _remove_words,
    _verify,
    _finish,
)
