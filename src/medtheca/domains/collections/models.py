"""Collections, who may change them, and what was changed."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from medtheca.base.models import TimeStamped
from medtheca.domains.collections.enums import BatchAction, BatchState, ChangeKind


class Collection(TimeStamped):
    """A set of images for a purpose.

    Its images hang in the scope `listing`, which shows nobody anything; those that are shown to the people with whom it
    is shared hang in `sharing` as well. `lock_reason` says why it stays locked; where it is empty, its owner unlocks.
    """

    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    public = models.BooleanField(default=False)
    pinned = models.BooleanField(default=False)
    locked = models.BooleanField(default=False)
    lock_reason = models.CharField(max_length=200, blank=True)
    listing = models.OneToOneField("access.Scope", on_delete=models.PROTECT, related_name="+")
    sharing = models.OneToOneField("access.Scope", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["creator", "name"], name="collection_name_once_a_creator"),
            models.UniqueConstraint(fields=["name"], condition=Q(pinned=True), name="collection_name_once_pinned"),
            models.CheckConstraint(condition=~Q(name=""), name="collection_has_name"),
            models.CheckConstraint(condition=Q(pinned=False) | Q(public=True), name="collection_pinned_is_public"),
            models.CheckConstraint(condition=Q(lock_reason="") | Q(locked=True), name="collection_reason_is_of_lock"),
        ]
        indexes = [
            models.Index(fields=["created", "id"], name="collection_created"),
            models.Index(fields=["name", "id"], name="collection_name"),
        ]


class Pin(models.Model):
    """An image that lists put before others where they are asked to: the lowest `place` first.

    Only public images are pinned, and while one is not public its pin does nothing.
    """

    image = models.OneToOneField("imaging.Image", on_delete=models.CASCADE, related_name="+")
    place = models.PositiveIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["place"], name="collection_pin_place_once", deferrable=models.Deferrable.DEFERRED
            )
        ]


class Editor(models.Model):
    """A person who may add and remove images and describe the collection, besides its creator."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="editors")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["collection", "user"], name="collection_editor_once")]


class Change(models.Model):
    """What one person did with images of a collection at one moment.

    Additions and removals in the order of their keys give the collection as it was at any moment. `images` are keys of
    rows; those of erased images stay and name nothing any more.
    """

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField(db_default=Now(), editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=ChangeKind.choices)
    images = ArrayField(models.BigIntegerField())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(kind__in=ChangeKind.values), name="collection_change_known")]
        indexes = [models.Index(fields=["collection", "kind", "id"], name="collection_change_order")]


class Batch(models.Model):
    """Many images that one person adds or removes at once, by a job, in parts; which ones is settled when it is made.

    `absent` are names that nothing visible to the person had.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="batches")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=10, choices=BatchAction.choices)
    state = models.CharField(max_length=10, choices=BatchState.choices, default=BatchState.WAITING)
    total = models.PositiveIntegerField(default=0)
    absent = ArrayField(models.CharField(max_length=100), default=list)
    words = models.TextField(blank=True, help_text="Why it failed.")
    created = models.DateTimeField(db_default=Now(), editable=False)
    finished = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(action__in=BatchAction.values), name="collection_batch_action_known"),
            models.CheckConstraint(condition=Q(state__in=BatchState.values), name="collection_batch_state_known"),
        ]
        indexes = [
            models.Index(fields=["created"], condition=Q(state="waiting"), name="collection_batch_waiting"),
            models.Index(fields=["collection", "-created"], name="collection_batch_order"),
        ]


class BatchPart(models.Model):
    """So many images as are added or removed in one transaction. `private` and `unseen` are those that were refused."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    images = ArrayField(models.BigIntegerField())
    done = models.DateTimeField(null=True)
    changed = models.PositiveIntegerField(default=0)
    private = ArrayField(models.BigIntegerField(), default=list)
    unseen = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="collection_batch_part_once")]
