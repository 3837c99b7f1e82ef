"""Erasing again in a restored database, from the lists beside it, before anything of it is served."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from medtheca.base.clock import now
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.enums import ErasureReason, ErasureState
from medtheca.domains.provenance.erasing import OPEN
from medtheca.domains.provenance.models import Accession, Contributor, Delivery, Erasure, Patient
from medtheca.domains.provenance.operations import refuse_delivery
from medtheca.domains.storage.enums import UPLOAD_OPEN, UploadState
from medtheca.domains.storage.erased import note_erased
from medtheca.domains.storage.models import Blob, Upload
from medtheca.domains.storage.uploads import release_upload
from medtheca.workflows.backup.lists import Entry, entries_in, keyed, keyed_private_id, own_list, pairs, proof_of
from medtheca.workflows.erase.finding import fill_plan
from medtheca.workflows.erase.plans import Plan
from medtheca.workflows.erase.running import work_from_plan


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of one entry: how many images went again, and how many uploads were given up with them.

    `unlinked` are images that were the patient's in the backup and somebody else's when the patient was erased.
    """

    erasure: str
    patient: str
    images: int = 0
    uploads: int = 0
    unlinked: int = 0


def pending_entries() -> list[Entry]:
    """Entries of this archive's list that its database knows nothing of; after a restore by other means, say."""
    entries = entries_in(own_list())
    known = Erasure.objects.filter(pk__in=list(entries), state__in=[ErasureState.ERASING, ErasureState.DONE])
    there = {str(pk) for pk in known.values_list("pk", flat=True)}
    return sorted((entry for entry in entries.values() if entry.erasure not in there), key=lambda entry: entry.at)


def replay_erasures(entries: Iterable[Entry]) -> list[Replayed]:
    """Erase again what is there of each entry. Call while nothing is served and no worker runs."""
    return [_replay(entry) for entry in sorted(entries, key=lambda entry: entry.at)]


def _replay(entry: Entry) -> Replayed:
    if not Contributor.objects.filter(pk=entry.contributor).exists():
        # The backup is older than the contributor: there can be nothing but ids to keep free.
        note_erased(entry.erased_ids)
        return Replayed(entry.erasure, entry.patient)
    uploads = _give_up_uploads(entry)
    patient = _patient_of(entry)
    accessions = [pk for pk, proof in pairs(entry) if _is_the_same(pk, proof)]
    unlinked = 0
    if patient is not None:
        theirs = Accession.objects.filter(patient=patient)
        if accessions:
            # What was corrected after the backup was somebody else's by then.
            unlinked = theirs.exclude(pk__in=accessions).update(patient=None)
        else:
            accessions = list(theirs.values_list("pk", flat=True))
    plan = Plan(contributor=entry.contributor, public_ids=list(entry.erased_ids))
    if patient is not None:
        plan.patient, plan.private_id = patient.pk, patient.private_id
        plan.public_ids.append(patient.public_id)
    fill_plan(plan, accessions, is_private=lambda text: _is_private(entry, text))
    plan.public_ids = sorted(set(plan.public_ids))
    plan.blobs |= _blobs_of(entry)
    plan.since = min(plan.since, _since_of(entry) or plan.since)
    if plan.accessions or plan.blobs or plan.sheets or patient is not None or not _is_done(entry):
        work_from_plan(_erasure_of(entry), plan)
    return Replayed(entry.erasure, entry.patient, len(plan.images), uploads, unlinked)


def _since_of(entry: Entry) -> str:
    """When the patient's files came in, where the backup was made when their rows were gone and the bytes were not."""
    erasure = Erasure.objects.filter(pk=entry.erasure).first()
    return Plan.of_json(erasure.plan).since if erasure and erasure.plan else ""


def _is_done(entry: Entry) -> bool:
    return Erasure.objects.filter(pk=entry.erasure, state=ErasureState.DONE).exists()


def _patient_of(entry: Entry) -> Patient | None:
    for patient in Patient.objects.filter(contributor=entry.contributor).iterator():
        if entry.private and keyed_private_id(entry.contributor, patient.private_id) == entry.private:
            return patient
    return Patient.objects.filter(contributor=entry.contributor, public_id=entry.patient).first()


def _is_the_same(pk: int, proof: str) -> bool:
    row = Accession.objects.filter(pk=pk).first()
    return row is not None and proof_of(row) == proof


def _is_private(entry: Entry, text: str) -> bool:
    return bool(entry.private) and keyed_private_id(entry.contributor, text) == entry.private


def _blobs_of(entry: Entry) -> dict[str, int]:
    wanted = set(entry.blobs)
    rows = Blob.objects.values_list("sha256", "size").iterator()
    return {sha256: size for sha256, size in rows if keyed(sha256) in wanted} if wanted else {}


def _give_up_uploads(entry: Entry) -> int:
    """Uploads that brought the patient's files and are not unpacked in the backup would bring them in again."""
    given_up = 0
    for upload in Upload.objects.filter(pk__in=map(UUID, entry.uploads), state__in=UPLOAD_OPEN):
        with transaction.atomic():
            release_upload(upload=upload, state=UploadState.CANCELLED)
            if delivery := Delivery.objects.filter(upload=upload).first():
                refuse_delivery(
                    delivery=delivery,
                    code="erased",
                    words="It held files of a patient who was erased, and was not unpacked when the backup was made.",
                    remedy="Upload the other files again.",
                )
            Upload.objects.filter(pk=upload.pk).update(filename="erased", declared_sha256="")
            given_up += 1
    return given_up


def _erasure_of(entry: Entry) -> Erasure:
    """The erasure's row, made again where the backup is older than it."""
    people = set(User.objects.filter(pk__in=[entry.requester, entry.decider]).values_list("pk", flat=True))
    with transaction.atomic():
        others = Erasure.objects.filter(patient_public_id=entry.patient, state__in=OPEN).exclude(pk=entry.erasure)
        others.update(state=ErasureState.DECLINED, declined_because="Erased by another request, before a restore.")
        erasure, _ = Erasure.objects.update_or_create(
            pk=UUID(entry.erasure),
            defaults={
                "contributor_id": entry.contributor,
                "patient_public_id": entry.patient,
                "reason": entry.reason if entry.reason in ErasureReason.values else ErasureReason.OTHER,
                "state": ErasureState.ERASING,
                "requester_id": entry.requester if entry.requester in people else None,
                "decider_id": entry.decider if entry.decider in people else None,
                "decided": datetime.fromisoformat(entry.at),
                "finished": None,
                "replayed": now(),
            },
        )
    return erasure
