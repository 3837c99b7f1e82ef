"""What the ledger lets go of when a person is deleted. Events stay: they name people by plain ids."""

from __future__ import annotations

from medtheca.domains.ledger.models import Notification, Preference


def forget_person(person_id: int) -> int:
    """Delete what a person was told and how they wanted to be told; return how many rows went."""
    told, _ = Notification.objects.filter(recipient_id=person_id).delete()
    wishes, _ = Preference.objects.filter(recipient_id=person_id).delete()
    return told + wishes
