"""Files on their way into an archive."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from medtheca.base.models import TimeStamped
from medtheca.domains.archives.enums import IntakeState


class Intake(TimeStamped):
    """Uploads that become values together: of one item and socket, or an item each, or grouped by a rule.

    Grand Challenge's raw image upload session. Its `delivery` begins when a worker has put the uploads together.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    archive = models.ForeignKey("archives.Archive", on_delete=models.CASCADE, related_name="intakes")
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey("archives.Item", null=True, on_delete=models.CASCADE, related_name="intakes")
    socket = models.ForeignKey("sockets.Socket", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=255, blank=True, help_text="What the image is to be called.")
    rule = models.JSONField(default=dict, help_text="How files are grouped into items and given to sockets.")
    delivery = models.OneToOneField("provenance.Delivery", null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=IntakeState.choices, default=IntakeState.WAITING)
    words = models.TextField(blank=True, help_text="Why it failed, and what would be right.")
    seen = models.BooleanField(default=False, help_text="Whether somebody put its failure aside.")
    finished = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(state__in=IntakeState.values), name="intake_state_known")]
        indexes = [
            models.Index(fields=["archive", "-created"], name="intake_of_archive"),
            models.Index(fields=["creator", "-created"], name="intake_of_creator"),
            models.Index(fields=["item"], condition=Q(item__isnull=False), name="intake_of_item"),
        ]


class IntakeUpload(models.Model):
    """One upload of an intake, in the order in which they were given; the path is where it lay in a folder."""

    intake = models.ForeignKey(Intake, on_delete=models.CASCADE, related_name="uploads")
    upload = models.ForeignKey("storage.Upload", on_delete=models.PROTECT, related_name="+")
    place = models.PositiveIntegerField()
    path = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["intake", "place"], name="intake_upload_place_once"),
            models.UniqueConstraint(fields=["upload"], name="intake_upload_once"),
        ]
