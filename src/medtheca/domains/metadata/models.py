"""Descriptions, their versions, and the files they came from."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import IntegerField, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Now

from medtheca.base.models import TimeStamped
from medtheca.domains.metadata.enums import MetadataFileState


class MetadataFile(TimeStamped):
    """A spreadsheet for a cohort, kept as it came, with what checking it found."""

    cohort = models.ForeignKey("provenance.Cohort", on_delete=models.PROTECT, related_name="+")
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    blob = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")
    recipe = models.CharField(max_length=40, blank=True, help_text="How columns of a known spreadsheet are read.")
    state = models.CharField(max_length=10, choices=MetadataFileState.choices, default=MetadataFileState.CHECKING)
    rows = models.PositiveIntegerField(null=True)
    report = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=MetadataFileState.values), name="metadata_file_state_known")
        ]


class Description(models.Model):
    """The present values of an accession. `structured` obeys the schema; the private age and ids are among it."""

    accession = models.OneToOneField(
        "provenance.Accession", primary_key=True, on_delete=models.CASCADE, related_name="description"
    )
    version = models.PositiveIntegerField()
    structured = models.JSONField(default=dict)
    unstructured = models.JSONField(default=dict)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            GinIndex(fields=["structured"], opclasses=["jsonb_path_ops"], name="description_structured"),
            models.Index(
                Cast(KeyTextTransform("age_approx", "structured"), IntegerField()),
                name="description_age_approx",
            ),
        ]


class MetadataVersion(models.Model):
    """One change of a description: the whole of it after the change, who, when, why and from where."""

    accession = models.ForeignKey("provenance.Accession", on_delete=models.CASCADE, related_name="metadata_versions")
    number = models.PositiveIntegerField()
    structured = models.JSONField(default=dict)
    unstructured = models.JSONField(default=dict)
    source = models.ForeignKey(MetadataFile, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["accession", "number"], name="metadata_version_once")]
