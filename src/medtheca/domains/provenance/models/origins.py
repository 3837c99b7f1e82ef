"""Where images came from that were brought from other archives."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Origin(models.Model):
    """That an image was brought from another archive: from where, when, and what came.

    There is one for each image of a host in a cohort, also where the image was refused here, so that it is not fetched
    twice. Where the image was erased here, no more is left than that it is not to come again.
    """

    cohort = models.ForeignKey("provenance.Cohort", on_delete=models.PROTECT, related_name="+")
    host = models.CharField(max_length=255, help_text="Name and port of the archive, such as api.isic-archive.com.")
    remote_id = models.CharField(max_length=64, help_text="The image's id there.")
    url = models.TextField(help_text="The address of what the host says of the image.")
    fetched = models.DateTimeField(db_default=Now())
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the file as it came.")
    size = models.BigIntegerField(default=0, help_text="Bytes of the file as it came.")
    licence = models.CharField(max_length=20, blank=True, help_text="As the host said it, by SPDX.")
    attribution = models.CharField(max_length=200, blank=True, help_text="As the host said it.")
    is_public = models.BooleanField(default=False, help_text="Whether the host shows the image to everybody.")
    said = models.JSONField(default=dict, help_text="What the host said of the image.")
    delivery = models.ForeignKey("provenance.Delivery", null=True, on_delete=models.SET_NULL, related_name="+")
    path = models.TextField(blank=True, help_text="The file's name in the delivery.")
    accession = models.ForeignKey(
        "provenance.Accession",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="What came of it; null where it was refused.",
    )
    described = models.DateTimeField(null=True, help_text="When what the host said was applied to the accession.")
    erased = models.BooleanField(default=False, help_text="The image was erased here and is not to come again.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cohort", "host", "remote_id"], name="origin_once_in_cohort"),
            models.CheckConstraint(condition=~Q(host="") & ~Q(remote_id=""), name="origin_is_named"),
            models.CheckConstraint(condition=Q(erased=True) | ~Q(sha256=""), name="origin_has_content"),
        ]
        indexes = [
            models.Index(fields=["accession"], name="origin_of_accession"),
            models.Index(fields=["delivery"], name="origin_of_delivery"),
        ]
