"""What archives hold of images that are erased: items that are of nothing else go whole, with all their values."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q, QuerySet

from medtheca.domains.archives.importing import blobs_of_imports_about, forget_imports_about
from medtheca.domains.archives.models import Intake, IntakeUpload, Item, ItemChange, ItemValue
from medtheca.domains.sockets.models import Value
from medtheca.domains.sockets.operations import remove_values
from medtheca.domains.storage.models import Upload

_BLANK = "erased"


def items_about(image_ids: Collection[int]) -> list[UUID]:
    """Items whose images are all among these, those in the trash too: their scores, reports and titles are of them.

    Of items that have other images as well, only what is of these images goes, with the images.
    """
    about = ItemValue.objects.filter(value__image__in=image_ids).values("item")
    others = ItemValue.objects.filter(value__image__isnull=False).exclude(value__image__in=image_ids).values("item")
    return list(Item.objects.filter(pk__in=about).exclude(pk__in=others).order_by("pk").values_list("pk", flat=True))


def blobs_of_items(item_ids: Collection[UUID]) -> dict[str, int]:
    """SHA-256 and bytes of the files that items hold or once held, and of spreadsheets that may speak of them."""
    rows = _values_of(item_ids).filter(blob__isnull=False)
    return dict(rows.values_list("blob__sha256", "blob__size")) | blobs_of_imports_about(item_ids)


def forget_items(item_ids: Collection[UUID]) -> None:
    """Remove items with their values and history. Call inside a transaction."""
    forget_imports_about(item_ids)
    values = list(_values_of(item_ids).values_list("pk", flat=True))
    Item.objects.filter(pk__in=item_ids).delete()
    remove_values(values)


def blank_intakes(upload_ids: Collection[UUID]) -> None:
    """Take what names files out of intakes whose delivery, or one of whose uploads, held nothing but erased ones."""
    about = Q(delivery__in=upload_ids) | Q(uploads__upload__in=upload_ids)
    intakes = list(Intake.objects.filter(about).values_list("pk", flat=True))
    Intake.objects.filter(pk__in=intakes).update(name="", words="", rule={})
    given = IntakeUpload.objects.filter(intake__in=intakes)
    Upload.objects.filter(pk__in=given.values("upload")).update(filename=_BLANK, declared_sha256="", media_type="")
    given.update(path=_BLANK)


def _values_of(item_ids: Collection[UUID]) -> QuerySet[Value]:
    held = ItemValue.objects.filter(item__in=item_ids).values("value")
    before = ItemChange.objects.filter(item__in=item_ids, before__isnull=False).values("before")
    after = ItemChange.objects.filter(item__in=item_ids, after__isnull=False).values("after")
    return Value.objects.filter(Q(pk__in=held) | Q(pk__in=before) | Q(pk__in=after))
