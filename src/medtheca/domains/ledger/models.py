"""Audit events and the chain that seals them. The database refuses to change or delete a row of either."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Event(models.Model):
    """One thing that somebody or some job did."""

    at = models.DateTimeField(db_default=Now(), editable=False)
    actor_id = models.BigIntegerField(null=True)
    verb = models.CharField(max_length=80)
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    cohort_id = models.BigIntegerField(null=True)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "id"], name="event_subject"),
            models.Index(fields=["cohort_id", "id"], name="event_cohort"),
            models.Index(fields=["actor_id", "id"], name="event_actor"),
        ]


class Seal(models.Model):
    """An event's place in the hash chain: SHA-256 over the digest before it and the event's content."""

    sequence = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="seal")
    digest = models.CharField(max_length=64)
