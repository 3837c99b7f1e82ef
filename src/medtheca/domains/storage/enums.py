"""Enumerations of storage."""

from django.db.models import TextChoices


class BlobState(TextChoices):
    """What has become of a blob. The row of a swept blob is gone with its bytes."""

    STORED = "stored"
    TOMBSTONED = "tombstoned"
    QUARANTINED = "quarantined"


class UploadState(TextChoices):
    """How far an upload has come. It only moves forward."""

    RECEIVING = "receiving"
    FINISHED = "finished"
    UNPACKED = "unpacked"
    CANCELLED = "cancelled"


UPLOAD_OPEN = (UploadState.RECEIVING, UploadState.FINISHED)
