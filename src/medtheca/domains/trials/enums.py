"""Enumerations of dry runs."""

from django.db.models import TextChoices


class InspectionState(TextChoices):
    """How far an inspection has come. It only moves forward."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


INSPECTION_OVER = (InspectionState.DONE, InspectionState.FAILED)
