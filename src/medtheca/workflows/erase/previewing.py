"""What an erasure would remove, for the people who ask for it and confirm it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.enums import ErasureState
from medtheca.domains.provenance.erasing import erasure_for
from medtheca.domains.provenance.models import Erasure, Patient
from medtheca.domains.provenance.patients import patient_for
from medtheca.workflows.erase.finding import Doubts, find_doubts, make_plan
from medtheca.workflows.erase.receipts import backups_with


@dataclass(frozen=True, slots=True)
class Preview:
    """Counts by kind, the images themselves in the order in which they came, what may be the patient's too, backups."""

    patient: Patient
    counts: dict[str, int]
    images: list[Image]
    doubts: Doubts
    backups: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """As programs read it."""
        return {
            "patient": self.patient.public_id,
            "removed": self.counts,
            "images": [image.public_id or str(image.key) for image in self.images],
            "maybe_also": [row.pk for row in self.doubts.alike],
            "same_content": [row.pk for row in self.doubts.same_bytes],
            "same_content_elsewhere": self.doubts.elsewhere,
            "backups": self.backups,
        }


def preview_erasure(*, user: User, patient_public_id: str) -> Preview:
    """What erasing a patient would remove now; changes nothing. Raises `NotFound`, `Erased` or `NotAllowed`."""
    patient = patient_for(user, patient_public_id)
    require_owner(user, patient.contributor, to="ask that a patient be erased")
    plan = make_plan(patient)
    images = list(Image.objects.filter(pk__in=plan.images).order_by("created", "pk"))
    return Preview(patient, plan.counts, images, find_doubts(plan, everywhere=user.is_staff), backups_with(plan))


def preview_of_erasure(*, user: User, erasure: Erasure) -> Preview | None:
    """As `preview_erasure`, of an erasure that waits for its second person; nothing for any other."""
    erasure = erasure_for(user, erasure.pk)
    if erasure.state != ErasureState.REQUESTED:
        return None
    patient = Patient.objects.filter(public_id=erasure.patient_public_id).exists()
    return preview_erasure(user=user, patient_public_id=erasure.patient_public_id) if patient else None
