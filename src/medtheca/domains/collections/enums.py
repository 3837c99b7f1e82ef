"""Enumerations of collections."""

from django.db.models import TextChoices


class ChangeKind(TextChoices):
    """What was done with images of a collection."""

    ADDED = "added"
    REMOVED = "removed"
    # Opened to those with whom the collection is shared, by somebody who may show the images to others.
    SHARED = "shared"


class BatchAction(TextChoices):
    """What a batch does with its images."""

    ADD = "add"
    REMOVE = "remove"


class BatchState(TextChoices):
    """How far a batch is."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
