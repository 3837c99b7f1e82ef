"""Enumerations of metadata."""

from django.db.models import TextChoices


class MetadataFileState(TextChoices):
    """How far a metadata file has come. One with problems changes nothing; a ready one waits for a person."""

    CHECKING = "checking"
    READY = "ready"
    INVALID = "invalid"
    APPLYING = "applying"
    APPLIED = "applied"
    UNDOING = "undoing"
    UNDONE = "undone"


class RowOutcome(TextChoices):
    """What became of a row of a sheet. Conflicts are rows that were left alone, with the reason in `problems`."""

    WAITING = "waiting"
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    UNDONE = "undone"
    CONFLICT = "conflict"
