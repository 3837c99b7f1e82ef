"""What every table of ours begins with."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class TimeStamped(models.Model):
    """Rows that know when they were made and last changed."""

    created = models.DateTimeField(db_default=Now(), editable=False)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
