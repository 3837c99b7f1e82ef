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
    crc32 = models.BigIntegerField(null=True, help_text="Of the bytes, where somebody needed it; ZIPs do.")
    let_go = models.DateTimeField(
        null=True, help_text="Since when something has let go of it, and nobody has looked whether others need it."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="blob_sha256_is_hex"),
            models.CheckConstraint(condition=Q(size__gte=0), name="blob_size_not_negative"),
            models.CheckConstraint(
                condition=Q(crc32__isnull=True) | Q(crc32__gte=0, crc32__lt=2**32), name="blob_crc32_has_32_bits"
            ),
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
            models.Index(fields=["let_go"], name="blob_let_go", condition=Q(let_go__isnull=False)),
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
    part_size = models.BigIntegerField(
        null=True, help_text="Of an upload in numbered parts: bytes of each but the last; 0 until that is known."
    )
    open_ended = models.BooleanField(
        db_default=False,
        default=False,
        help_text="In parts, each of which says its size: nobody told the whole.",
    )
    whole = models.DateTimeField(null=True, help_text="When an open-ended upload was declared whole.")
    taken = models.DateTimeField(
        null=True, help_text="Since when a whole open-ended upload is somebody's to make something of."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(part_size__isnull=True) | Q(part_size__gt=0) | Q(part_size=0, open_ended=True),
                name="upload_part_size_positive",
            ),
            models.CheckConstraint(
                condition=Q(open_ended=True, part_size__isnull=False) | Q(open_ended=False, whole__isnull=True),
                name="upload_open_ended_in_parts",
            ),
            models.CheckConstraint(
                condition=Q(taken__isnull=True) | Q(whole__isnull=False), name="upload_taken_is_whole"
            ),
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


class UploadPart(models.Model):
    """A part of an upload in parts whose bytes are synced. Sent again, it is written over.

    Of an open-ended upload there is a row as soon as the part has a place in the file; until its bytes are synced it
    has no `etag`.
    """

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField(help_text="From 1 on.")
    etag = models.CharField(max_length=32, help_text="MD5 of its bytes, as S3 names parts.")
    offset = models.BigIntegerField(null=True, help_text="Of an open-ended upload: where the part lies in the file.")
    size = models.BigIntegerField(null=True, help_text="Of an open-ended upload: bytes of the part.")
    received = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload", "number"], name="upload_part_once"),
            models.CheckConstraint(
                condition=Q(offset__isnull=True, size__isnull=True) | Q(offset__gte=0, size__gte=0),
                name="upload_part_has_place_and_size",
            ),
        ]


class BundlePart(models.Model):
    """A file of a bundle: several files that make one image. `bundle` is the blob of their list (`bundles`).

    A list does not keep itself alive by its own parts; it keeps them.
    """

    bundle = models.ForeignKey(Blob, on_delete=models.CASCADE, related_name="+")
    ordinal = models.PositiveIntegerField()
    path = models.CharField(max_length=520, help_text="Within the bundle, with `/`; as the files name each other.")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bundle", "ordinal"], name="bundle_part_once"),
            models.UniqueConstraint(fields=["bundle", "path"], name="bundle_path_once"),
        ]


class Composition(models.Model):
    """How a blob without a file of its own is put together: from the recipe's blob, and ranges of others.

    It keeps the recipe and the sources as long as there is the composed blob; it does not keep that. A recipe or a
    source is never composed itself, which a trigger watches over.
    """

    blob = models.OneToOneField(Blob, primary_key=True, on_delete=models.CASCADE, related_name="composition")
    # Restricted and not protected: they may go in one with what is composed of them, and never before.
    recipe = models.ForeignKey(Blob, on_delete=models.RESTRICT, related_name="+")


class CompositionSource(models.Model):
    """A blob of which a composed one uses ranges."""

    composition = models.ForeignKey(Composition, on_delete=models.CASCADE, related_name="sources", db_index=False)
    source = models.ForeignKey(Blob, on_delete=models.RESTRICT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["composition", "source"], name="composition_source_once"),
        ]


class ErasedId(models.Model):
    """A public id whose bytes were erased: it is never given again, and its page says no more than since when."""

    public_id = models.CharField(primary_key=True, max_length=24)
    at = models.DateTimeField(db_default=Now())
