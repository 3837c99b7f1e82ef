"""Enumerations of downloads."""

from django.db.models import TextChoices


class DownloadState(TextChoices):
    """How far a download has come. Its list is frozen from the beginning; what is prepared are checksums."""

    PREPARING = "preparing"
    READY = "ready"
    FAILED = "failed"
