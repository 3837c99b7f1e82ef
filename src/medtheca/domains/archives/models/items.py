"""Items of archives, what is in them, and what was done to them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from medtheca.base.models import TimeStamped
from medtheca.domains.archives.enums import ItemVerb


class Item(TimeStamped):
    """A set of values, each in a socket. Listed in the order in which they were made; a trashed one can come back."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    archive = models.ForeignKey("archives.Archive", on_delete=models.PROTECT, related_name="items")
    number = models.BigIntegerField(help_text="Its place in the archive, which nobody else ever gets.")
    title = models.CharField(max_length=255, blank=True)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    trashed = models.DateTimeField(null=True)
    trashed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["archive", "number"], name="archive_item_number_once"),
            models.UniqueConstraint(
                fields=["archive", "title"],
                condition=~Q(title="") & Q(trashed__isnull=True),
                name="archive_item_title_once",
            ),
        ]
        indexes = [
            models.Index(fields=["archive", "number"], condition=Q(trashed__isnull=True), name="archive_item_order"),
            models.Index(fields=["archive", "trashed"], condition=Q(trashed__isnull=False), name="archive_item_trash"),
        ]


class ItemValue(models.Model):
    """The value that an item has in a socket: one at most. `number` and `text` are what tables sort and filter by.

    `archive` is the item's, which the database sees to: with it an index answers for one archive, however many others
    have values in the same socket. Where an image is erased, its values go, and with them their places.
    """

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="values")
    archive = models.ForeignKey(
        "archives.Archive", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    socket = models.ForeignKey("sockets.Socket", on_delete=models.PROTECT, related_name="+")
    value = models.ForeignKey("sockets.Value", on_delete=models.CASCADE, related_name="+")
    number = models.FloatField(null=True)
    text = models.CharField(max_length=200, blank=True)
    created = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "socket"], name="archive_item_value_once_a_socket")]
        indexes = [
            models.Index(
                fields=["archive", "socket", "number"], condition=Q(number__isnull=False), name="archive_value_numbers"
            ),
            models.Index(fields=["archive", "socket", "text"], name="archive_value_texts"),
            models.Index(fields=["value"], name="archive_value_of"),
        ]


class ItemChange(models.Model):
    """What one person did to an item: its history, oldest first by key. Values are kept as long as this names them."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField(db_default=Now(), editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    verb = models.CharField(max_length=10, choices=ItemVerb.choices)
    socket = models.ForeignKey("sockets.Socket", null=True, on_delete=models.PROTECT, related_name="+")
    before = models.ForeignKey("sockets.Value", null=True, on_delete=models.SET_NULL, related_name="+")
    after = models.ForeignKey("sockets.Value", null=True, on_delete=models.SET_NULL, related_name="+")
    title = models.CharField(max_length=255, blank=True, help_text="The title before, where that was changed.")
    reason = models.CharField(max_length=500, db_default="", blank=True, help_text="Why, where that was said.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(verb__in=ItemVerb.values), name="archive_change_known")]
        indexes = [models.Index(fields=["item", "id"], name="archive_change_order")]
