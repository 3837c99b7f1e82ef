"""Copies of originals without identity, for those who work on them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from medtheca.domains.provenance.enums import CopyState
from medtheca.domains.provenance.models.accessions import Accession


class DicomCopy(models.Model):
    """The de-identified DICOM of an accession: asked for, made or refused. Its file is among those of the image.

    `source` is the SHA-256 of the original that it is of: when that is replaced, the copy is nobody's any more.
    `report` is that of `toolkit.confidentiality.reports`: what was done to each attribute, and no values.
    """

    accession = models.OneToOneField(Accession, on_delete=models.CASCADE, related_name="dicom_copy")
    state = models.CharField(max_length=8, choices=CopyState.choices)
    source = models.CharField(max_length=64)
    asked = models.DateTimeField(db_default=Now(), editable=False)
    made = models.DateTimeField(null=True)
    report = models.JSONField(default=dict)
    refusal = models.TextField(blank=True)
    remedy = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=CopyState.values), name="dicom_copy_state_known"),
            models.CheckConstraint(
                condition=~Q(state=CopyState.MADE) | Q(made__isnull=False), name="dicom_copy_made_has_time"
            ),
            models.CheckConstraint(
                condition=~Q(state=CopyState.REFUSED) | ~Q(refusal=""), name="dicom_copy_refused_has_reason"
            ),
        ]
