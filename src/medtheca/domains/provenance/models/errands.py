"""Work on many accessions that somebody ordered and jobs do."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from medtheca.domains.provenance.enums import ErrandKind


class Errand(models.Model):
    """A batch of accessions with which something is still to be done; the row goes with the work.

    The queue may lose a job or give it up; while the row is there, somebody asked for it and it is not done.
    """

    kind = models.CharField(max_length=10, choices=ErrandKind.choices)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    created = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ErrandKind.values), name="errand_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=ErrandKind.RECONVERT) | ~Q(reason=""), name="errand_taking_back_has_reason"
            ),
        ]


class ErrandItem(models.Model):
    """One accession of an errand. It goes with the accession: what is erased has not to be taken back."""

    errand = models.ForeignKey(Errand, on_delete=models.CASCADE, related_name="items")
    accession = models.ForeignKey("provenance.Accession", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["errand", "accession"], name="errand_item_once")]
