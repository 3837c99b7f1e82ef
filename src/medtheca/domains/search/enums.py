"""Enumerations of search."""

from django.db.models import TextChoices


class ChangeKind(TextChoices):
    """What a change in the log concerns. `METADATA` is what a sheet says, `DESCRIBED` all that is said of an image."""

    DESCRIBED = "described"
    METADATA = "metadata"
    PLACED = "placed"
    WITHDRAWN = "withdrawn"
    EVERYTHING = "everything"


class TextSource(TextChoices):
    """Of which table's row words are."""

    IMAGE = "image"
    ACCESSION = "accession"
    DESCRIPTION = "description"
