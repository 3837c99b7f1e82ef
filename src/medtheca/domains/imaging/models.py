"""Images and their files."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from medtheca.base.ids import new_key
from medtheca.base.models import TimeStamped
from medtheca.domains.imaging.enums import FileKind


class Image(TimeStamped):
    """One picture. `width` and `height` are those of the upright picture; the stored ones may be swapped."""

    key = models.UUIDField(unique=True, default=new_key, editable=False)
    public_id = models.CharField(max_length=24, null=True, unique=True)
    format = models.CharField(max_length=16)
    media_type = models.CharField(max_length=60)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    orientation = models.PositiveSmallIntegerField(default=1)
    colour_space = models.CharField(max_length=16)
    bits = models.PositiveSmallIntegerField()
    channels = models.PositiveSmallIntegerField()
    icc_profile = models.CharField(max_length=120, blank=True)
    pixel_hash = models.CharField(max_length=64, db_index=True)
    perceptual_hash = models.BigIntegerField(help_text="64 bits, as a signed number.")
    stripped = models.JSONField(default=list, help_text="What was taken out of the public copy: kinds and bytes.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(width__gt=0, height__gt=0), name="image_has_size"),
            models.CheckConstraint(
                condition=Q(public_id__isnull=True) | Q(public_id__regex=r"^[A-Z][A-Z0-9]*_[0-9]+$"),
                name="image_public_id_form",
            ),
        ]
        indexes = [
            models.Index(fields=["-created", "-id"], name="image_newest"),
            # Each quarter of the hash, for `similar.near`.
            *(
                models.Index(F("perceptual_hash").bitrightshift(shift).bitand(0xFFFF), name=f"image_hash_{shift}")
                for shift in (0, 16, 32, 48)
            ),
        ]


class ImageFile(models.Model):
    """A file of an image. Several kinds may share one blob: a small picture is its own thumbnail."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="files")
    kind = models.CharField(max_length=10, choices=FileKind.choices)
    blob = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")
    media_type = models.CharField(max_length=60)
    recipe = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "kind"], name="image_one_file_a_kind"),
            models.CheckConstraint(condition=Q(kind__in=FileKind.values), name="image_file_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=FileKind.ORIGINAL, recipe="") | (~Q(kind=FileKind.ORIGINAL) & ~Q(recipe="")),
                name="image_file_derived_has_recipe",
            ),
        ]
