"""Enumerations of imaging."""

from django.db.models import TextChoices


class FileKind(TextChoices):
    """What a file of an image is for. Only the original is not derived, and it is never served to the public."""

    ORIGINAL = "original"
    PUBLIC = "public"
    THUMBNAIL = "thumbnail"
    WEB = "web"


SERVED_KINDS = (FileKind.PUBLIC, FileKind.THUMBNAIL, FileKind.WEB)
