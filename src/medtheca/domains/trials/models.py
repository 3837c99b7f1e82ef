"""Inspections."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from medtheca.base.ids import new_key
from medtheca.base.models import TimeStamped
from medtheca.domains.trials.enums import INSPECTION_OVER, InspectionState


class Inspection(TimeStamped):
    """Files that somebody tries, and what came of it. Of people who are not signed in, whoever has the id may see it.

    `given` are the files in order, each with `name`, `size` and `is_sheet`; their bytes are in the scratch folder under
    their place in it. `words` say why a failed one failed.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    given = models.JSONField()
    size = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=InspectionState.choices, default=InspectionState.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    report = models.JSONField(null=True)
    words = models.CharField(max_length=500, blank=True)
    expires = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=InspectionState.values), name="inspection_state_known"),
            models.CheckConstraint(
                condition=~Q(state=InspectionState.DONE) | Q(report__isnull=False), name="inspection_done_has_report"
            ),
        ]
        indexes = [
            models.Index(fields=["owner"], name="inspection_open", condition=~Q(state__in=INSPECTION_OVER)),
            models.Index(fields=["expires"], name="inspection_expires"),
        ]
