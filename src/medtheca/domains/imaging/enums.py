"""Enumerations of imaging."""

from django.db.models import TextChoices


class ImageKind(TextChoices):
    """What an image is to whoever looks at it; a document is kept as it is and not looked at."""

    PICTURE = "picture"
    VOLUME = "volume"
    SLIDE = "slide"
    DOCUMENT = "document"


class FileKind(TextChoices):
    """What a file of an image is for. Only the original is not derived, and it is never served to the public.

    The public file of a volume is its `.mha`, that of a slide its pyramid. `GEOMETRY` says where its slices or tiles
    lie in it; `SMALL` is a volume at reduced resolution. `DICOM` is a copy of the original without identity, made when
    it is asked for, for those who work on the image.
    """

    ORIGINAL = "original"
    PUBLIC = "public"
    THUMBNAIL = "thumbnail"
    WEB = "web"
    GEOMETRY = "geometry"
    SMALL = "small"
    DICOM = "dicom"


SERVED_KINDS = (FileKind.PUBLIC, FileKind.THUMBNAIL, FileKind.WEB, FileKind.GEOMETRY, FileKind.SMALL)
TAKEN_KINDS = (FileKind.PUBLIC, FileKind.SMALL)
"""Served files that a program works with; the others are for looking."""
BASIC_KINDS = (FileKind.ORIGINAL, FileKind.PUBLIC, FileKind.THUMBNAIL, FileKind.WEB)
"""What every image has that can be looked at."""
