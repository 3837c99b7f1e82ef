"""What uses the items of an archive."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from medtheca.domains.archives.enums import Service


class ServiceLink(models.Model):
    """That one person gave items of an archive to a service, at one moment.

    `target` is the key of what uses them there: a collection's id. With `whole` it was all items that there were then,
    else `items`; `number` says how many. Keys of items that went since stay and name nothing any more.
    """

    archive = models.ForeignKey("archives.Archive", on_delete=models.CASCADE, related_name="+")
    service = models.CharField(max_length=20, choices=Service.choices)
    target = models.CharField(max_length=64)
    whole = models.BooleanField()
    items = ArrayField(models.UUIDField(), default=list)
    number = models.PositiveIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(service__in=Service.values), name="archive_service_known"),
            models.CheckConstraint(condition=~Q(target=""), name="archive_service_has_target"),
            models.CheckConstraint(condition=Q(whole=False) | Q(items=[]), name="archive_service_whole_or_items"),
        ]
        indexes = [
            models.Index(fields=["archive", "service", "target", "-id"], name="archive_service_of"),
            models.Index(fields=["service", "target", "archive"], name="archive_service_target"),
        ]
