"""Downloads, and the table of public metadata."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from medtheca.base.ids import new_key
from medtheca.base.models import TimeStamped
from medtheca.domains.downloads.enums import DownloadState


class Download(TimeStamped):
    """A frozen list of files, for the person who asked. Where nobody was signed in, whoever has the id may fetch it.

    `listing` keeps no image's bytes alive: should one go, the download ends. `size` counts bytes of the ZIP, `bytes`
    those of the images alone. `words` say why a failed one failed.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    listing = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    images = models.PositiveIntegerField()
    bytes = models.BigIntegerField()
    size = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=DownloadState.choices, default=DownloadState.PREPARING)
    words = models.CharField(max_length=500, blank=True)
    expires = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=DownloadState.values), name="download_state_known"),
            models.CheckConstraint(condition=Q(bytes__gte=0, size__gt=0), name="download_has_size"),
            models.CheckConstraint(condition=~Q(state=DownloadState.FAILED) | ~Q(words=""), name="download_says_why"),
        ]
        indexes = [
            models.Index(fields=["owner"], name="download_owner"),
            models.Index(fields=["expires"], name="download_expires"),
        ]


class PublicTable(models.Model):
    """The one row that says which file has the public metadata of all images; no row: none was made yet.

    `layout` says how it was made. At `opens` the embargo of the next image ends.
    """

    blob = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")
    images = models.PositiveBigIntegerField()
    layout = models.CharField(max_length=80)
    made = models.DateTimeField()
    opens = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="public_table_once")]


class PublicTableChange(models.Model):
    """Something public that changed since the file was made, written by triggers in the very transaction.

    Where it is `closing`, an image may not be public any more, and the file is not served.
    """

    closing = models.BooleanField(default=False)
