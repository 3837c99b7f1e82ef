"""Look-up tables, sockets, and values, which never change."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from medtheca.base.models import TimeStamped
from medtheca.domains.sockets.enums import INTERPOLATION_CHOICES, INTERPOLATIONS, KIND_CHOICES
from medtheca.toolkit.sockets.kinds import ALWAYS_FILE, IMAGE_KINDS, JSON_KINDS, KINDS, Kind, SuperKind, super_kind


class LookUpTable(TimeStamped):
    """Colours and opacities for the numbers of an overlay.

    `color` is `[red green blue x, …]` and `alpha` is `[opacity x, …]`, with as many stops (`toolkit.sockets.
    look_up_tables`). People make and change them through `domains.viewing`, which knows everything that uses one; a row
    without a creator belongs to the instance.
    """

    id = models.AutoField(primary_key=True)
    slug = models.SlugField(max_length=255, unique=True)
    title = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    color = models.TextField()
    alpha = models.TextField()
    color_invert = models.TextField(blank=True)
    alpha_invert = models.TextField(blank=True)
    range_min = models.SmallIntegerField(default=0)
    range_max = models.SmallIntegerField(default=4095)
    relative = models.BooleanField(default=False)
    color_interpolation = models.CharField(max_length=8, choices=INTERPOLATION_CHOICES, default="RGB")
    color_interpolation_invert = models.CharField(max_length=8, choices=INTERPOLATION_CHOICES, default="RGB")
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "look-up table"
        constraints = [
            models.CheckConstraint(condition=~Q(title="") & ~Q(slug=""), name="look_up_table_has_name"),
            models.CheckConstraint(
                condition=~Q(color="")
                & ~Q(alpha="")
                & (Q(color_invert="", alpha_invert="") | (~Q(color_invert="") & ~Q(alpha_invert=""))),
                name="look_up_table_has_colours",
            ),
            models.CheckConstraint(condition=Q(range_min__lt=F("range_max")), name="look_up_table_range_not_empty"),
            models.CheckConstraint(
                condition=Q(color_interpolation__in=INTERPOLATIONS, color_interpolation_invert__in=INTERPOLATIONS),
                name="look_up_table_interpolation_known",
            ),
        ]


class Socket(TimeStamped):
    """A typed, named slot for a value.

    `scope` is that of the archive whose editors defined it, and None for what is everybody's. `schema` is what its JSON
    values obey besides the schema of the kind. `reserved` ones are for what services write, and offered to nobody.
    Titles and paths are unique among what can meet in one item: everybody's sockets and those of one scope.
    """

    id = models.AutoField(primary_key=True)
    title = models.CharField(max_length=255)
    slug = models.SlugField(max_length=255, unique=True)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=5, choices=KIND_CHOICES)
    schema = models.JSONField(null=True)
    default_value = models.JSONField(null=True)
    example_value = models.JSONField(null=True)
    relative_path = models.CharField(max_length=255)
    store_in_database = models.BooleanField()
    overlay_segments = models.JSONField(default=list)
    look_up_table = models.ForeignKey(LookUpTable, null=True, on_delete=models.PROTECT, related_name="+")
    scope = models.ForeignKey("access.Scope", null=True, on_delete=models.PROTECT, related_name="+")
    reserved = models.BooleanField(default=False)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("title"), condition=Q(scope__isnull=True), name="socket_title_once_everybodys"
            ),
            models.UniqueConstraint("scope", Lower("title"), name="socket_title_once_a_scope"),
            models.UniqueConstraint(
                fields=["relative_path"], condition=Q(scope__isnull=True), name="socket_path_once_everybodys"
            ),
            models.UniqueConstraint(fields=["scope", "relative_path"], name="socket_path_once_a_scope"),
            models.CheckConstraint(condition=Q(kind__in=list(KINDS)), name="socket_kind_known"),
            models.CheckConstraint(condition=~Q(title="") & ~Q(slug=""), name="socket_has_name"),
            models.CheckConstraint(
                condition=Q(kind__in=IMAGE_KINDS, relative_path__regex=r"^images/[^/]+(/[^/]+)*$")
                | (~Q(kind__in=IMAGE_KINDS) & ~Q(relative_path="") & ~Q(relative_path__startswith="images/")),
                name="socket_path_fits_kind",
            ),
            models.CheckConstraint(
                condition=~Q(relative_path__regex=r"(^|/)\.\.?(/|$)|^/|\\"), name="socket_path_safe"
            ),
            models.CheckConstraint(
                condition=Q(store_in_database=False) | (Q(kind__in=JSON_KINDS) & ~Q(kind__in=ALWAYS_FILE)),
                name="socket_in_database_only_json",
            ),
            models.CheckConstraint(
                condition=(Q(kind="SEG") & ~Q(overlay_segments=[])) | (~Q(kind="SEG") & Q(overlay_segments=[])),
                name="socket_segments_of_segmentation",
            ),
            models.CheckConstraint(
                condition=Q(look_up_table__isnull=True) | Q(kind__in=IMAGE_KINDS), name="socket_look_up_table_of_image"
            ),
        ]
        indexes = [models.Index(fields=["scope", "title"], name="socket_of_scope")]

    @property
    def kind_details(self) -> Kind:
        """What there is to know of its kind."""
        return KINDS[self.kind]

    @property
    def super_kind(self) -> SuperKind:
        """How its values are kept: `Image`, `File` or `Value`."""
        return super_kind(self.kind, store_in_database=self.store_in_database)


class Value(models.Model):
    """What is in a socket: JSON, a file, or an image, and exactly one of them. A trigger refuses to change it.

    `has_value` tells JSON's null, which is a value, from no value. A value belongs to one thing that holds it, and goes
    with that (`operations.remove_values`); that of an image goes with the image.
    """

    socket = models.ForeignKey(Socket, on_delete=models.PROTECT, related_name="+")
    has_value = models.BooleanField(default=False)
    value = models.JSONField(null=True)
    blob = models.ForeignKey("storage.Blob", null=True, on_delete=models.PROTECT, related_name="+")
    filename = models.CharField(max_length=255, blank=True, default="")
    media_type = models.CharField(max_length=100, blank=True, default="")
    image = models.ForeignKey("imaging.Image", null=True, on_delete=models.CASCADE, related_name="+")
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(has_value=True, blob__isnull=True, image__isnull=True)
                | Q(has_value=False, value__isnull=True, blob__isnull=False, image__isnull=True)
                | Q(has_value=False, value__isnull=True, blob__isnull=True, image__isnull=False),
                name="socket_value_is_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(blob__isnull=True, filename="", media_type="")
                | (Q(blob__isnull=False) & ~Q(filename="") & ~Q(media_type="")),
                name="socket_value_file_has_name",
            ),
        ]
