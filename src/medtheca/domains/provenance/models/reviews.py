"""What people say of accessions, and requests that they become visible."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from medtheca.base.models import TimeStamped
from medtheca.domains.access.enums import Visibility
from medtheca.domains.provenance.enums import PublishOutcome, RequestState, ReviewDecision, ReviewReason

PUBLISHABLE = (Visibility.PUBLIC, Visibility.SIGNED_IN, Visibility.GROUPS)
"""For whom images can be published."""


class Review(models.Model):
    """What a person said of an accession, with history: of each reviewer the newest standing one counts."""

    accession = models.ForeignKey("provenance.Accession", on_delete=models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=10, choices=ReviewDecision.choices)
    reason_code = models.CharField(max_length=20, choices=ReviewReason.choices, blank=True, db_default="")
    reason = models.CharField(max_length=500, blank=True)
    file_version = models.PositiveIntegerField(default=1, db_default=1)
    standing = models.BooleanField(
        default=True, db_default=True, help_text="False once the file or its description changed after it."
    )
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(decision__in=ReviewDecision.values), name="review_decision_known"),
            models.CheckConstraint(
                condition=Q(decision=ReviewDecision.ACCEPTED) | ~Q(reason="") | ~Q(reason_code=""),
                name="review_rejection_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(reason_code="") | Q(reason_code__in=ReviewReason.values), name="review_reason_known"
            ),
        ]
        indexes = [models.Index(fields=["accession", "standing", "-id"], name="review_of_accession")]


class PublishRequest(TimeStamped):
    """An owner asks that accessions become visible; staff accept or reject it."""

    cohort = models.ForeignKey("provenance.Cohort", on_delete=models.PROTECT, related_name="publish_requests")
    requester = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    visibility = models.CharField(max_length=10)
    groups = models.ManyToManyField("access.Scope", related_name="+", blank=True)
    opens = models.DateTimeField(null=True, help_text="End of the embargo.")
    state = models.CharField(max_length=10, choices=RequestState.choices, default=RequestState.REQUESTED)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RequestState.values), name="publish_state_known"),
            models.CheckConstraint(condition=Q(visibility__in=PUBLISHABLE), name="publish_visibility_known"),
            models.CheckConstraint(
                condition=~Q(state=RequestState.REJECTED) | ~Q(reason=""), name="publish_rejection_has_reason"
            ),
        ]


class PublishItem(models.Model):
    """One accession of a publish request."""

    request = models.ForeignKey(PublishRequest, on_delete=models.CASCADE, related_name="items")
    accession = models.ForeignKey("provenance.Accession", on_delete=models.CASCADE, related_name="+")
    done = models.BooleanField(default=False)
    outcome = models.CharField(
        max_length=12, choices=PublishOutcome.choices, default=PublishOutcome.WAITING, db_default=PublishOutcome.WAITING
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "accession"], name="publish_item_once"),
            models.CheckConstraint(condition=Q(outcome__in=PublishOutcome.values), name="publish_outcome_known"),
        ]
        indexes = [models.Index(fields=["request", "done", "id"], name="publish_item_open")]
