"""Descriptions, their versions, and the files they came from."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import IntegerField, Q, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Now

from medtheca.base.models import TimeStamped
from medtheca.domains.metadata.enums import MetadataFileState, RowOutcome


class MetadataFile(TimeStamped):
    """A spreadsheet for a cohort, kept as it came, with how it is read and what checking it found.

    `revision` counts changes of mapping, matches and cells: what a check found holds for the revision it read. `done`
    of `total` rows tell how far the present work has come.
    """

    cohort = models.ForeignKey("provenance.Cohort", on_delete=models.PROTECT, related_name="+")
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    blob = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")
    recipe = models.CharField(max_length=40, blank=True, help_text="How columns of a known spreadsheet are read.")
    state = models.CharField(max_length=10, choices=MetadataFileState.choices, default=MetadataFileState.CHECKING)
    rows = models.PositiveIntegerField(null=True)
    report = models.JSONField(default=dict)
    mapping = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    matches = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    apply_when_ready = models.BooleanField(default=False, db_default=True)
    reason = models.CharField(max_length=500, blank=True, db_default="")
    revision = models.PositiveIntegerField(default=1, db_default=1)
    done = models.PositiveIntegerField(default=0, db_default=0)
    total = models.PositiveIntegerField(default=0, db_default=0)
    accept_conflicts = models.BooleanField(default=False, db_default=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who asked for the present or last work: checking, applying or undoing.",
    )
    applied_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    applied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=MetadataFileState.values), name="metadata_file_state_known")
        ]


class SheetEdit(models.Model):
    """A cell that somebody corrected in place. The file's own bytes stay as they came; the newest edit counts."""

    file = models.ForeignKey(MetadataFile, on_delete=models.CASCADE, related_name="edits")
    line = models.PositiveIntegerField()
    column = models.CharField(max_length=255)
    value = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["file", "line"], name="sheet_edit_of_file")]


class SheetRow(models.Model):
    """One row of a sheet: which accession it describes, what it would change, what is wrong, what became of it.

    `structured` and `unstructured` are the changes, field → [before, after], null where there is no value. `base` is
    the version of the description that they were made against (0: none), `version` the one that applying them made.
    """

    file = models.ForeignKey(MetadataFile, on_delete=models.CASCADE, related_name="sheet_rows")
    line = models.PositiveIntegerField()
    name = models.TextField(blank=True)
    accession = models.ForeignKey("provenance.Accession", null=True, on_delete=models.SET_NULL, related_name="+")
    matched = models.CharField(max_length=12, blank=True, help_text="How the name was matched.")
    structured = models.JSONField(default=dict)
    unstructured = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    base = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(null=True)
    outcome = models.CharField(max_length=10, choices=RowOutcome.choices, default=RowOutcome.WAITING)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "line"], name="sheet_row_once"),
            models.CheckConstraint(condition=Q(outcome__in=RowOutcome.values), name="sheet_row_outcome_known"),
        ]
        indexes = [
            models.Index(fields=["file", "line"], condition=~Q(problems=[]), name="sheet_row_with_problems"),
            models.Index(fields=["file", "outcome", "line"], name="sheet_row_by_outcome"),
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
        indexes = [models.Index(fields=["source"], name="metadata_version_source")]
