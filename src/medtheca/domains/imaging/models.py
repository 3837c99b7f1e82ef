"""Images and their files."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, JSONField, Q, Value

from medtheca.base.ids import new_key
from medtheca.base.models import TimeStamped
from medtheca.domains.imaging.enums import FileKind, ImageKind


class Image(TimeStamped):
    """What can be looked at. `width` and `height` are those of the upright picture; the stored ones may be swapped.

    `geometry` has what a volume's or slide's file says of space and values and no column has: origin, direction,
    windows, levels (`toolkit.images.case_reports`), and the `labels` of what may be a mask. `facts` has modality, body
    part and the like, with their codes.
    """

    key = models.UUIDField(unique=True, default=new_key, editable=False)
    public_id = models.CharField(max_length=24, null=True, unique=True)
    kind = models.CharField(
        max_length=8, choices=ImageKind.choices, default=ImageKind.PICTURE, db_default=ImageKind.PICTURE
    )
    format = models.CharField(max_length=16)
    media_type = models.CharField(max_length=60)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    depth = models.PositiveIntegerField(default=1, db_default=1, help_text="Slices.")
    timepoints = models.PositiveIntegerField(default=1, db_default=1)
    spacing_x = models.FloatField(null=True, help_text="Millimetres between columns.")
    spacing_y = models.FloatField(null=True, help_text="Millimetres between rows.")
    spacing_z = models.FloatField(null=True, help_text="Millimetres between slices.")
    orientation = models.PositiveSmallIntegerField(default=1)
    colour_space = models.CharField(max_length=16)
    bits = models.PositiveSmallIntegerField()
    channels = models.PositiveSmallIntegerField()
    icc_profile = models.CharField(max_length=120, blank=True)
    pixel_hash = models.CharField(max_length=64, db_index=True)
    perceptual_hash = models.BigIntegerField(help_text="64 bits, as a signed number.")
    stripped = models.JSONField(default=list, help_text="What was taken out of the public copy: kinds and bytes.")
    geometry = models.JSONField(default=dict, db_default=Value({}, JSONField()))
    facts = models.JSONField(default=dict, db_default=Value({}, JSONField()))
    text_suspected = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Why the pixels may hold words about a person."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=ImageKind.DOCUMENT) | Q(width__gt=0, height__gt=0, depth__gt=0, timepoints__gt=0),
                name="image_has_size",
            ),
            models.CheckConstraint(condition=Q(kind__in=ImageKind.values), name="image_kind_known"),
            models.CheckConstraint(
                condition=Q(public_id__isnull=True) | Q(public_id__regex=r"^[A-Z][A-Z0-9]*_[0-9]+$"),
                name="image_public_id_form",
            ),
        ]
        indexes = [
            models.Index(fields=["-created", "-id"], name="image_newest"),
            # What the files say, for search. Most images are photographs, of which these indexes hold nothing.
            GinIndex(fields=["facts"], opclasses=["jsonb_path_ops"], condition=~Q(facts={}), name="image_facts"),
            models.Index(fields=["id"], condition=~Q(facts={}), name="image_with_facts"),
            models.Index(fields=["kind"], condition=~Q(kind=ImageKind.PICTURE), name="image_kind"),
            models.Index(fields=["format"], condition=~Q(format__in=["jpeg", "png"]), name="image_format"),
            models.Index(fields=["depth"], condition=Q(depth__gt=1), name="image_depth"),
            models.Index(fields=["spacing_x", "spacing_y"], condition=Q(spacing_x__isnull=False), name="image_spacing"),
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
    source = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="SHA-256 of the original from which it was made; empty for originals, and where nobody noted it.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "kind"], name="image_one_file_a_kind"),
            models.CheckConstraint(condition=Q(kind__in=FileKind.values), name="image_file_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=FileKind.ORIGINAL, recipe="") | (~Q(kind=FileKind.ORIGINAL) & ~Q(recipe="")),
                name="image_file_derived_has_recipe",
            ),
        ]


class NearDuplicate(models.Model):
    """An image in a group of near-duplicates: whatever `toolkit.images.alike` connects. Images alone have no row.

    `group` is a number and no more: which members somebody sees, and what connects those, is found out when they ask.
    No constraint leads to the image, so that a row tells of which group an image was that is gone.
    """

    image = models.OneToOneField(
        Image, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="near_duplicate"
    )
    group = models.BigIntegerField(db_index=True)


class NearDuplicateDue(models.Model):
    """An image whose hashes came, changed or went since groups were made: triggers write it, a job works it off."""

    image = models.BigIntegerField()
