"""Uploads that were to replace the files of images which go: ended, so that they do not come in as new ones."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from medtheca.domains.provenance.enums import DeliveryState
from medtheca.domains.provenance.models import Accession, Delivery, FileVersion
from medtheca.domains.provenance.operations import refuse_delivery
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Blob, Upload
from medtheca.domains.storage.uploads import release_upload

_ENDED = (DeliveryState.DONE, DeliveryState.REFUSED)


def give_up_replacements(*, accession_ids: Collection[int]) -> list[Blob]:
    """End what is on its way to replace files of these accessions; return what was stored of it.

    What has become a version already is left alone: its job finds the accession, or that it is gone.
    """
    with transaction.atomic():
        # As whoever makes a version of an upload: accessions first, in one order.
        rows = Accession.objects.select_for_update(of=("self",)).filter(pk__in=accession_ids).order_by("pk")
        list(rows.values_list("pk"))
        begun = FileVersion.objects.filter(delivery__isnull=False, accession__in=accession_ids).values("delivery")
        waiting = Delivery.objects.filter(replaces__in=accession_ids).exclude(state__in=_ENDED).exclude(pk__in=begun)
        stored = []
        for delivery in waiting.order_by("pk"):
            upload = Upload.objects.select_for_update(of=("self",)).select_related("blob").get(pk=delivery.pk)
            if upload.blob is not None:
                stored.append(upload.blob)
            release_upload(upload=upload, state=UploadState.CANCELLED)
            words = "The image that it was to replace is gone."
            refuse_delivery(delivery=delivery, code="cancelled", words=words, remedy="")
    return stored
