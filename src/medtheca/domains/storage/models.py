"""Blobs and uploads."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from medtheca.base.ids import new_key
from medtheca.base.models import TimeStamped
from medtheca.domains.storage.enums import BlobState, UploadState


class Blob(models.Model):
    """Immutable bytes. A row exists only once its file is on disk and synced."""

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.BigIntegerField()
    state = models.CharField(max_length=12, choices=BlobState.choices, default=BlobState.STORED)
    created = models.DateTimeField(db_default=Now(), editable=False)
    tombstoned = models.DateTimeField(null=True)
    verified = models.DateTimeField(null=True, help_text="When the bytes were last hashed again and found right.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="blob_sha256_is_hex"),
            models.CheckConstraint(condition=Q(size__gte=0), name="blob_size_not_negative"),
            models.CheckConstraint(condition=Q(state__in=BlobState.values), name="blob_state_known"),
            models.CheckConstraint(
                condition=Q(state=BlobState.TOMBSTONED, tombstoned__isnull=False)
                | (~Q(state=BlobState.TOMBSTONED) & Q(tombstoned__isnull=True)),
                name="blob_tombstone_dated",
            ),
        ]
        indexes = [
            models.Index(fields=["state"], name="blob_not_stored", condition=~Q(state=BlobState.STORED)),
            models.Index(fields=["verified"], name="blob_verified"),
        ]


class Upload(TimeStamped):
    """Bytes on their way in, resumable. `offset` counts only bytes that are synced to disk."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    filename = models.CharField(max_length=255)
    media_type = models.CharField(max_length=100, blank=True)
    size = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    declared_sha256 = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=UploadState.choices, default=UploadState.RECEIVING)
    blob = models.ForeignKey(Blob, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(offset__gte=0, size__gte=0) & Q(offset__lte=models.F("size")),
                name="upload_offset_within_size",
            ),
            models.CheckConstraint(condition=Q(state__in=UploadState.values), name="upload_state_known"),
            # Finished means whole, hashed and durable; once unpacked the container's bytes may go.
            models.CheckConstraint(
                condition=~Q(state=UploadState.FINISHED) | Q(blob__isnull=False),
                name="upload_finished_has_blob",
            ),
        ]
        indexes = [models.Index(fields=["owner", "state"], name="upload_owner_state")]


class ErasedId(models.Model):
    """A public id whose bytes were erased: it is never given again, and its page says no more than since when."""

    public_id = models.CharField(primary_key=True, max_length=24)
    at = models.DateTimeField(db_default=Now())
