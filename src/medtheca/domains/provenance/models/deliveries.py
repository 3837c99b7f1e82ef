"""Deliveries and the verdict of each of their files."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from medtheca.base.models import TimeStamped
from medtheca.domains.provenance.enums import DeliveryState, Outcome


class Delivery(TimeStamped):
    """An upload given to a cohort. Every file in it ends with a verdict."""

    upload = models.OneToOneField("storage.Upload", primary_key=True, on_delete=models.PROTECT, related_name="+")
    cohort = models.ForeignKey("provenance.Cohort", on_delete=models.PROTECT, related_name="deliveries")
    replaces = models.ForeignKey(
        "provenance.Accession",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The accession whose file this one replaces; null for new images.",
    )
    reason = models.CharField(
        max_length=500, blank=True, db_default="", help_text="Why a file is replaced, for its public change log."
    )
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.ARRIVING)
    refusal_code = models.CharField(max_length=40, blank=True)
    refusal = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    members = models.PositiveIntegerField(null=True, help_text="Files found; null until the container was read.")
    finished = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="delivery_state_known"),
            models.CheckConstraint(
                condition=~Q(state=DeliveryState.REFUSED) | ~Q(refusal=""), name="delivery_refused_has_reason"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[DeliveryState.DONE, DeliveryState.REFUSED]) | Q(finished__isnull=False),
                name="delivery_finished_dated",
            ),
        ]
        indexes = [models.Index(fields=["cohort", "-created"], name="delivery_of_cohort")]


class HeldFile(models.Model):
    """A file that may belong to others of its delivery: held until all have come and what it is part of is known."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="+")
    ordinal = models.PositiveIntegerField()
    path = models.TextField()
    name = models.CharField(max_length=255)
    blob = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "ordinal"], name="held_file_once")]


class Verdict(models.Model):
    """What became of one file of a delivery: a code, words and a remedy for the person who sent it."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="verdicts")
    ordinal = models.PositiveIntegerField()
    path = models.TextField()
    name = models.CharField(max_length=255)
    size = models.BigIntegerField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    code = models.CharField(max_length=40)
    words = models.TextField()
    remedy = models.TextField(blank=True)
    note = models.TextField(
        blank=True, default="", db_default="", help_text="What was found beside the verdict, in sentences."
    )
    accession = models.ForeignKey("provenance.Accession", null=True, on_delete=models.SET_NULL, related_name="+")
    other = models.ForeignKey("provenance.Accession", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "ordinal"], name="verdict_once_a_file"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="verdict_outcome_known"),
            models.CheckConstraint(condition=~Q(words="") & ~Q(code=""), name="verdict_has_words"),
        ]
        indexes = [
            models.Index(fields=["delivery", "outcome"], name="verdict_outcomes"),
            models.Index(fields=["accession"], name="verdict_of_accession"),
        ]
