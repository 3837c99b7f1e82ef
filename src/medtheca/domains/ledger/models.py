"""Audit events and the chain that seals them, which the database refuses to change; and what people are told."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from medtheca.domains.ledger.enums import Channel, MailState


class Event(models.Model):
    """One thing that somebody or some job did.

    The chain seals `commitment`, the SHA-256 of the salt and the details, in the place of the details: when a patient
    is erased, details and salt go, and the chain still holds (`redaction.redact_events`).
    """

    at = models.DateTimeField(db_default=Now(), editable=False)
    actor_id = models.BigIntegerField(null=True)
    verb = models.CharField(max_length=80)
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    cohort_id = models.BigIntegerField(null=True)
    details = models.JSONField(default=dict)
    salt = models.CharField(max_length=32, blank=True, default="", db_default="")
    commitment = models.CharField(max_length=64, blank=True, default="", db_default="")

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


class Notification(models.Model):
    """Something that one person is told. Recipients are plain ids, as the ledger lies below the accounts."""

    recipient_id = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    words = models.TextField()
    url = models.CharField(max_length=500)
    subject_type = models.CharField(max_length=40, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    cohort_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(db_default=Now())
    times = models.PositiveIntegerField(default=1, db_default=1, help_text="How often it was told within a moment.")
    read_at = models.DateTimeField(null=True)
    mail_state = models.CharField(
        max_length=10, choices=MailState.choices, default=MailState.NONE, db_default=MailState.NONE
    )
    mail_at = models.DateTimeField(null=True, help_text="When the mail is due, or due to be tried again.")
    mail_tries = models.PositiveIntegerField(default=0, db_default=0)
    mail_note = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        indexes = [
            models.Index(fields=["recipient_id", "-id"], name="notification_recipient"),
            models.Index(fields=["recipient_id"], name="notification_unread", condition=models.Q(read_at=None)),
            models.Index(fields=["mail_at"], name="notification_due", condition=models.Q(mail_state="due")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(mail_state__in=MailState.values), name="notification_mail_state_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(mail_state="due") | models.Q(mail_at__isnull=False),
                name="notification_due_has_time",
            ),
        ]


class Preference(models.Model):
    """How one person wants to hear of one kind of thing; without a row it comes as the kind's default."""

    recipient_id = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=10, choices=Channel.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient_id", "kind"], name="preference_once"),
            models.CheckConstraint(condition=models.Q(channel__in=Channel.values), name="preference_channel_known"),
        ]
