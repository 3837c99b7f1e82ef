"""Contributors, their agreements and cohorts, and the patients and lesions of a contributor."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from medtheca.base.models import TimeStamped
from medtheca.domains.provenance.enums import Licence

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
    copies_key = models.BinaryField(
        null=True, editable=False, help_text="The secret that UIDs and days of de-identified copies hang on."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(institution_name=""), name="contributor_has_name"),
            models.CheckConstraint(
                condition=Q(default_licence="") | Q(default_licence__in=Licence.values),
                name="contributor_licence_known",
            ),
        ]


class Agreement(models.Model):
    """That a contributor accepted one version of the contributor agreement: who said so, and when."""

    contributor = models.ForeignKey(Contributor, on_delete=models.CASCADE, related_name="agreements")
    version = models.CharField(max_length=20)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contributor", "version"], name="agreement_once_a_version")]


class Cohort(TimeStamped):
    """A set of accessions of one contributor with one default licence. Name and description are private."""

    contributor = models.ForeignKey(Contributor, on_delete=models.PROTECT, related_name="cohorts")
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    licence = models.CharField(max_length=20, choices=Licence.choices)
    attribution = models.CharField(max_length=200)
    consent_basis = models.TextField(
        blank=True, db_default="", help_text="Ethics approval or consent under which images came. Private."
    )
    attested = models.DateTimeField(null=True, help_text="When an uploader said that they may give these images.")
    attested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    readers = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="How many reviewers must accept an image."
    )
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    scope = models.OneToOneField("access.Scope", on_delete=models.PROTECT, related_name="+")
    archive = models.OneToOneField(
        "access.Scope",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The circle of the archive whose cohort this is: its editors and uploaders bring images.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="cohort_has_name"),
            models.CheckConstraint(condition=_LICENCE_KNOWN, name="cohort_licence_known"),
            models.CheckConstraint(condition=Q(readers__in=[1, 2]), name="cohort_one_or_two_readers"),
            models.CheckConstraint(
                condition=Q(attested__isnull=True, attested_by__isnull=True)
                | Q(attested__isnull=False, attested_by__isnull=False),
                name="cohort_attested_by_somebody",
            ),
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
