"""Enumerations of metadata."""

from django.db.models import TextChoices


class MetadataFileState(TextChoices):
    """How far a metadata file has come. One with problems changes nothing."""

    CHECKING = "checking"
    INVALID = "invalid"
    APPLYING = "applying"
    APPLIED = "applied"
