"""Spreadsheets of values on their way into items."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from medtheca.base.models import TimeStamped
from medtheca.domains.archives.enums import ImportOutcome, ImportState


class ValuesImport(TimeStamped):
    """A spreadsheet whose rows are items and whose columns are sockets: checked, looked at, applied.

    `columns` says of columns by name which socket they are, or with an empty text that they are left out. `report` is
    what the check found and the application did (`workflows.archiving.checking_values`). When it is applied, its bytes
    and the values in its rows go: they are in the items then.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    archive = models.ForeignKey("archives.Archive", on_delete=models.CASCADE, related_name="+")
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    blob = models.ForeignKey("storage.Blob", null=True, on_delete=models.PROTECT, related_name="+")
    columns = models.JSONField(default=dict)
    makes_items = models.BooleanField(default=False, help_text="Whether titles that nobody has make new items.")
    reason = models.CharField(max_length=500, help_text="Stands in the history of every item that it changes.")
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.CHECKING)
    report = models.JSONField(default=dict)
    done = models.PositiveIntegerField(default=0, help_text="Rows that the present work is done with.")
    total = models.PositiveIntegerField(default=0)
    finished = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ImportState.values), name="values_import_state_known")
        ]
        indexes = [models.Index(fields=["archive", "-created"], name="values_import_of_archive")]


class ImportedRow(models.Model):
    """A row that would change something, or cannot.

    `changes` are of sockets by their keys: `{"socket": 5, "put": value}`, `{"socket": 5, "image": key}` or
    `{"socket": 5, "clear": true}`, with `before` and `after` in words. `base` says which value each of these sockets
    had when the row was checked. Without an item the row makes one.
    """

    given = models.ForeignKey(ValuesImport, on_delete=models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField()
    item = models.ForeignKey("archives.Item", null=True, on_delete=models.CASCADE, related_name="+")
    title = models.CharField(max_length=255, blank=True, help_text="What the item is to be called, where that is new.")
    label = models.CharField(max_length=255, blank=True, help_text="What it is called now.")
    renames = models.BooleanField(default=False)
    changes = models.JSONField(default=list)
    base = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    outcome = models.CharField(max_length=10, choices=ImportOutcome.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["given", "line"], name="values_import_line_once"),
            models.CheckConstraint(condition=Q(outcome__in=ImportOutcome.values), name="values_import_outcome_known"),
        ]
        indexes = [models.Index(fields=["given", "outcome", "line"], name="values_import_rows")]
