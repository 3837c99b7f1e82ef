"""Contributors, cohorts and accessions. What must always hold is a constraint here."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from medtheca.base.models import TimeStamped
from medtheca.domains.access.enums import Visibility
from medtheca.domains.provenance.enums import (
    AccessionState,
    DeliveryState,
    Licence,
    Outcome,
    RequestState,
    ReviewDecision,
)

PUBLISHABLE = (Visibility.PUBLIC, Visibility.SIGNED_IN)
"""For whom images can be published."""
_LICENCE_KNOWN = Q(licence__in=Licence.values)


class Contributor(TimeStamped):
    """An institution or person who answers for images. Its owners are the owners of its scope."""

    institution_name = models.CharField(max_length=255)
    institution_url = models.URLField(blank=True)
    legal_contact_info = models.TextField(blank=True)
    default_licence = models.CharField(max_length=20, choices=Licence.choices, blank=True)
    default_attribution = models.CharField(max_length=255, blank=True)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    scope = models.OneToOneField("access.Scope", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(institution_name=""), name="contributor_has_name"),
            models.CheckConstraint(
                condition=Q(default_licence="") | Q(default_licence__in=Licence.values),
                name="contributor_licence_known",
            ),
        ]


class Cohort(TimeStamped):
    """A set of accessions of one contributor with one default licence. Name and description are private."""

    contributor = models.ForeignKey(Contributor, on_delete=models.PROTECT, related_name="cohorts")
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    licence = models.CharField(max_length=20, choices=Licence.choices)
    attribution = models.CharField(max_length=200)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    scope = models.OneToOneField("access.Scope", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="cohort_has_name"),
            models.CheckConstraint(condition=_LICENCE_KNOWN, name="cohort_licence_known"),
            models.UniqueConstraint(fields=["contributor", "name"], name="cohort_name_once"),
        ]


class Patient(models.Model):
    """Whom images are of, per contributor. The private id never leaves; the public one replaces it."""

    public_id = models.CharField(max_length=16, unique=True)
    contributor = models.ForeignKey(Contributor, on_delete=models.PROTECT, related_name="+")
    private_id = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contributor", "private_id"], name="patient_once"),
            models.CheckConstraint(condition=Q(public_id__regex=r"^IP_[0-9]{7,}$"), name="patient_public_id_form"),
        ]


class Lesion(models.Model):
    """What several images are of, per contributor."""

    public_id = models.CharField(max_length=16, unique=True)
    contributor = models.ForeignKey(Contributor, on_delete=models.PROTECT, related_name="+")
    private_id = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contributor", "private_id"], name="lesion_once"),
            models.CheckConstraint(condition=Q(public_id__regex=r"^IL_[0-9]{7,}$"), name="lesion_public_id_form"),
        ]


class Delivery(TimeStamped):
    """An upload given to a cohort. Every file in it ends with a verdict."""

    upload = models.OneToOneField("storage.Upload", primary_key=True, on_delete=models.PROTECT, related_name="+")
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="deliveries")
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


class Accession(TimeStamped):
    """The taking-in of one image: its original, its name, its provenance.

    `name_key` is the name in Unicode NFC, without its folder. A refused accession frees its name and its bytes.
    """

    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="accessions")
    delivery = models.ForeignKey(Delivery, null=True, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    name_key = models.CharField(max_length=255)
    original_path = models.TextField(blank=True)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=AccessionState.choices, default=AccessionState.RECEIVED)
    original = models.ForeignKey("storage.Blob", null=True, on_delete=models.PROTECT, related_name="+")
    image = models.OneToOneField("imaging.Image", null=True, on_delete=models.PROTECT, related_name="accession")
    same_as = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    licence = models.CharField(max_length=20, choices=Licence.choices)
    attribution = models.CharField(max_length=200)
    patient = models.ForeignKey(Patient, null=True, on_delete=models.PROTECT, related_name="+")
    lesion = models.ForeignKey(Lesion, null=True, on_delete=models.PROTECT, related_name="+")
    published = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name_key=""), name="accession_has_name"),
            models.CheckConstraint(condition=_LICENCE_KNOWN, name="accession_licence_known"),
            models.CheckConstraint(condition=Q(state__in=AccessionState.values), name="accession_state_known"),
            models.UniqueConstraint(
                fields=["cohort", "name_key"],
                condition=~Q(state=AccessionState.REFUSED),
                name="accession_name_once_in_cohort",
            ),
            # The same bytes may stand in a cohort a second time only as what they are: a link to the first.
            models.UniqueConstraint(
                fields=["cohort", "original"],
                condition=Q(same_as__isnull=True),
                name="accession_content_once_in_cohort",
            ),
            models.CheckConstraint(
                condition=Q(state=AccessionState.RECEIVED, original__isnull=False, image__isnull=True)
                | Q(state=AccessionState.CONVERTED, original__isnull=False, image__isnull=False)
                | Q(state=AccessionState.REFUSED, original__isnull=True, image__isnull=True),
                name="accession_state_matches_bytes",
            ),
            models.CheckConstraint(
                condition=Q(published__isnull=True) | Q(state=AccessionState.CONVERTED),
                name="accession_published_converted",
            ),
        ]
        indexes = [
            models.Index(fields=["cohort", "state", "id"], name="accession_of_cohort"),
            models.Index(fields=["lesion"], name="accession_lesion"),
            models.Index(fields=["patient"], name="accession_patient"),
        ]


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
    accession = models.ForeignKey(Accession, null=True, on_delete=models.SET_NULL, related_name="+")
    other = models.ForeignKey(Accession, null=True, on_delete=models.SET_NULL, related_name="+")

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


class Review(models.Model):
    """What a person said of an accession, with history: the newest counts."""

    accession = models.ForeignKey(Accession, on_delete=models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=10, choices=ReviewDecision.choices)
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(decision__in=ReviewDecision.values), name="review_decision_known"),
            models.CheckConstraint(
                condition=Q(decision=ReviewDecision.ACCEPTED) | ~Q(reason=""),
                name="review_rejection_has_reason",
            ),
        ]


class PublishRequest(TimeStamped):
    """An owner asks that accessions become visible; staff accept or reject it."""

    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="publish_requests")
    requester = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    visibility = models.CharField(max_length=10)
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
    accession = models.ForeignKey(Accession, on_delete=models.CASCADE, related_name="+")
    done = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "accession"], name="publish_item_once")]
        indexes = [models.Index(fields=["request", "done", "id"], name="publish_item_open")]
