"""The search index as it is kept, the log of what has changed, words of texts, and the searches that people keep.

The truth of index, log and words is in the tables of other domains.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from medtheca.base.models import TimeStamped
from medtheca.domains.search.enums import ChangeKind, TextSource


class IndexState(models.Model):
    """The one row that says what is kept. No row, or `version` 0: nothing is.

    `epoch` changes whenever all is made anew. `snapshot` is the snapshot (`pg_snapshot`) that the parts show,
    `cluster` the database server whose transactions it counts. Of changes by transactions before `horizon` none is in
    the log any more.
    """

    epoch = models.UUIDField()
    version = models.PositiveBigIntegerField(default=0)
    layout = models.TextField(blank=True)
    cluster = models.CharField(max_length=80, blank=True)
    snapshot = models.TextField(blank=True)
    last_change = models.BigIntegerField(default=0)
    horizon = models.BigIntegerField(default=0)
    images = models.PositiveBigIntegerField(default=0)
    kept = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="index_state_once")]


class IndexPart(models.Model):
    """A part of the index as bytes (`toolkit.bitmaps.pack`), with their SHA-256 in hexadecimal."""

    name = models.CharField(max_length=80, primary_key=True)
    digest = models.CharField(max_length=64)
    data = models.BinaryField()


class IndexChange(models.Model):
    """What one statement changed, written by triggers in the very transaction, whose id is `xid`.

    `images` are keys of rows. For `PLACED` it is in the scope `scope` that they hang in another way.
    """

    xid = models.BigIntegerField(db_index=True)
    kind = models.CharField(max_length=10, choices=ChangeKind.choices)
    scope = models.BigIntegerField(null=True)
    images = ArrayField(models.BigIntegerField(), default=list)


class SavedSearch(TimeStamped):
    """A query that a person keeps under a name, for nobody but them.

    `query` stays as it was written: what it asks for is read anew each time, and may not be readable any more.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    query = models.TextField()
    oldest_first = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="saved_search_has_name"),
            models.CheckConstraint(condition=~Q(query=""), name="saved_search_has_query"),
            models.UniqueConstraint("user", Lower("name"), name="saved_search_name_once"),
        ]


class Text(models.Model):
    """The words of one row of another table, written by triggers. `key` is that row's, as `source` has it.

    `shown` are for everybody who sees the image, `kept` for the people of its cohort alone.
    """

    source = models.CharField(max_length=12, choices=TextSource.choices)
    key = models.BigIntegerField()
    shown = SearchVectorField()
    kept = SearchVectorField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="text_once_a_row")]
        indexes = [
            # Without a list of what waits: whoever asks would have to read it.
            GinIndex(fields=["shown"], name="text_shown", fastupdate=False),
            GinIndex(fields=["kept"], name="text_kept", fastupdate=False),
        ]
