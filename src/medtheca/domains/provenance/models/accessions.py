"""Accessions and the versions of their files."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Collate, Now, Upper

from medtheca.base.models import TimeStamped
from medtheca.domains.provenance.enums import AccessionState, Licence, ReviewState, VersionKind, VersionState

_LICENCE_KNOWN = Q(licence__in=Licence.values)


class Accession(TimeStamped):
    """The taking-in of one image: its original, its name, its provenance.

    `name_key` is the name in Unicode NFC, without its folder. A refused accession frees its name and its bytes.
    """

    cohort = models.ForeignKey("provenance.Cohort", on_delete=models.PROTECT, related_name="accessions")
    delivery = models.ForeignKey("provenance.Delivery", null=True, on_delete=models.PROTECT, related_name="+")
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
    patient = models.ForeignKey("provenance.Patient", null=True, on_delete=models.PROTECT, related_name="+")
    lesion = models.ForeignKey("provenance.Lesion", null=True, on_delete=models.PROTECT, related_name="+")
    published = models.DateTimeField(null=True)
    file_version = models.PositiveIntegerField(
        default=1, db_default=1, help_text="Which of its file versions is looked at."
    )
    review_state = models.CharField(
        max_length=10, choices=ReviewState.choices, default=ReviewState.AWAITING, db_default=ReviewState.AWAITING
    )

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
            models.CheckConstraint(condition=Q(review_state__in=ReviewState.values), name="accession_review_known"),
            models.CheckConstraint(
                condition=Q(published__isnull=True) | Q(state=AccessionState.CONVERTED),
                name="accession_published_converted",
            ),
        ]
        indexes = [
            models.Index(fields=["cohort", "state", "id"], name="accession_of_cohort"),
            models.Index(fields=["review_state", "cohort", "id"], name="accession_review_queue"),
            models.Index(fields=["lesion"], name="accession_lesion"),
            models.Index(fields=["patient"], name="accession_patient"),
            models.Index(Collate(Upper("name_key"), "C"), name="accession_sought_by_name"),
        ]


class FileVersion(models.Model):
    """One state of an accession's file: as it came, replaced, or redacted. The present one is among the image's files.

    Number 1 is written when a second comes. `facts` are the image's columns as they were or will be; `redactions` are
    boxes `[x, y, width, height]` in pixels of the upright picture. A candidate waits for review while the published
    one stays.
    """

    accession = models.ForeignKey(Accession, on_delete=models.CASCADE, related_name="file_versions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=VersionKind.choices)
    state = models.CharField(max_length=12, choices=VersionState.choices)
    name = models.CharField(max_length=255)
    original = models.ForeignKey("storage.Blob", null=True, on_delete=models.PROTECT, related_name="+")
    delivery = models.ForeignKey("provenance.Delivery", null=True, on_delete=models.PROTECT, related_name="+")
    facts = models.JSONField(default=dict)
    redactions = models.JSONField(default=list)
    refusal_code = models.CharField(max_length=40, blank=True)
    refusal = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    reason = models.CharField(max_length=500, blank=True)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["accession", "number"], name="file_version_once"),
            models.CheckConstraint(condition=Q(state__in=VersionState.values), name="file_version_state_known"),
            models.CheckConstraint(condition=Q(kind__in=VersionKind.values), name="file_version_kind_known"),
            models.UniqueConstraint(
                fields=["accession"], condition=Q(state=VersionState.CURRENT), name="file_version_one_current"
            ),
            models.UniqueConstraint(
                fields=["accession"],
                condition=Q(state__in=[VersionState.WAITING, VersionState.CANDIDATE]),
                name="file_version_one_under_way",
            ),
            models.CheckConstraint(
                condition=~Q(state=VersionState.REFUSED) | ~Q(refusal=""), name="file_version_refused_has_reason"
            ),
        ]


class VersionFile(models.Model):
    """A file of a file version that is not, or not only, among the image's present files."""

    version = models.ForeignKey(FileVersion, on_delete=models.CASCADE, related_name="files")
    kind = models.CharField(max_length=10)
    blob = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")
    media_type = models.CharField(max_length=60)
    recipe = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "kind"], name="version_one_file_a_kind")]
