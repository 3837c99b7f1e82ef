"""Erasures: a patient whose data somebody asked to be destroyed, and how far that has come."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from medtheca.base.ids import new_key
from medtheca.base.models import TimeStamped
from medtheca.domains.provenance.enums import ErasureReason, ErasureStage, ErasureState


class Erasure(TimeStamped):
    """One request to erase a patient. The patient's own row goes, so only the public id, a tombstone then, is kept.

    `plan` holds what is private and is needed to go on after a crash; it is empty before and after the work. `receipt`
    identifies nobody. `replayed` is when a restored backup was rid of the patient again.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    contributor = models.ForeignKey("provenance.Contributor", on_delete=models.PROTECT, related_name="+")
    patient_public_id = models.CharField(max_length=16)
    reason = models.CharField(max_length=12, choices=ErasureReason.choices)
    words = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=ErasureState.choices, default=ErasureState.REQUESTED)
    stage = models.CharField(max_length=10, choices=ErasureStage.choices, blank=True, default=ErasureStage.NONE)
    requester = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    requested = models.DateTimeField(db_default=Now(), editable=False)
    decider = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided = models.DateTimeField(null=True)
    declined_because = models.CharField(max_length=500, blank=True)
    finished = models.DateTimeField(null=True)
    replayed = models.DateTimeField(null=True)
    plan = models.JSONField(default=dict)
    receipt = models.JSONField(default=dict)
    trouble = models.TextField(blank=True, help_text="What keeps the work from going on; without private values.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ErasureState.values), name="erasure_state_known"),
            models.CheckConstraint(condition=Q(stage__in=ErasureStage.values), name="erasure_stage_known"),
            models.CheckConstraint(condition=Q(reason__in=ErasureReason.values), name="erasure_reason_known"),
            models.UniqueConstraint(
                fields=["patient_public_id"],
                condition=Q(state__in=[ErasureState.REQUESTED, ErasureState.ERASING]),
                name="erasure_one_open_a_patient",
            ),
            # Nobody erases alone; a replay after a restore has the two people of the first time, or none by name.
            models.CheckConstraint(
                condition=Q(state__in=[ErasureState.REQUESTED, ErasureState.DECLINED])
                | Q(replayed__isnull=False)
                | (Q(requester__isnull=False, decider__isnull=False) & ~Q(requester=F("decider"))),
                name="erasure_by_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(state=ErasureState.DONE) | Q(finished__isnull=False, plan={}),
                name="erasure_done_keeps_nothing",
            ),
        ]
        indexes = [models.Index(fields=["contributor", "-created"], name="erasure_of_contributor")]
