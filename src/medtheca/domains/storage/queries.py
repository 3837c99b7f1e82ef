"""Reading about blobs and uploads."""

from __future__ import annotations

import shutil
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils.module_loading import import_string

from medtheca.base.errors import NotFound
from medtheca.base.references import fields_pointing_to
from medtheca.domains.storage.enums import UPLOAD_OPEN
from medtheca.domains.storage.models import Blob, BundlePart, Composition, CompositionSource, Upload
from medtheca.domains.storage.stores import BlobStore, LocalStore

# What is said of a blob by its own rows does not keep it; nor do composed blobs that nobody needs keep what they use.
_KEEPING_NOTHING = {
    (BundlePart, "bundle"),
    (Composition, "blob"),
    (Composition, "recipe"),
    (CompositionSource, "source"),
}


@cache
def blob_store() -> BlobStore:
    """The store of this instance, as the setting MEDTHECA_BLOB_STORE names it."""
    name = settings.ENVIRONMENT.blob_store
    root = settings.ENVIRONMENT.data / "blobs"
    if name == "local":
        return LocalStore(root, reserve=settings.ENVIRONMENT.disk_reserve)
    store: BlobStore = import_string(name)(root)
    return store


def unreferenced_blobs() -> QuerySet[Blob]:
    """Blobs that nothing needs: no row of any table points to them, but for those that say what a bundle's list holds.

    The recipe and the sources of a composed blob are needed where that is.
    """
    needing = Composition.objects.filter(_pointed_to("blob_id"))
    for_recipe = Exists(needing.filter(recipe=OuterRef("pk")))
    for_sources = Exists(needing.filter(sources__source=OuterRef("pk")))
    return Blob.objects.exclude(_pointed_to("pk") | Q(for_recipe) | Q(for_sources))


def blobs_needed_for_ranges() -> QuerySet[Blob]:
    """Sources that nothing needs but blobs that are composed of them."""
    used = Exists(CompositionSource.objects.filter(source=OuterRef("pk")))
    return Blob.objects.filter(used).exclude(_pointed_to("pk")).exclude(pk__in=unreferenced_blobs())


def _pointed_to(column: str) -> Q:
    """Whether a row that keeps blobs points to the one in a column of the query around."""
    used = Q()
    for field in fields_pointing_to(Blob):
        if (field.model, field.name) in _KEEPING_NOTHING:
            continue
        used |= Q(Exists(field.model._default_manager.filter(**{field.name: OuterRef(column)})))
    return used


def blob_references() -> list[tuple[str, str, str]]:
    """Table, primary key and column, as SQL names, of everything that points to a blob and keeps it by itself."""
    quote = connection.ops.quote_name
    return [
        (
            quote(field.model._meta.db_table),
            quote(str(field.model._meta.pk.column)),
            quote(str(field.column)),
        )
        for field in fields_pointing_to(Blob)
        if field.model not in {Composition, CompositionSource}
    ]


def space_is_short(*, needed: int = 0) -> bool:
    """Whether taking `needed` more bytes would touch the disk reserve."""
    free: int = shutil.disk_usage(settings.ENVIRONMENT.data).free
    reserve: int = settings.ENVIRONMENT.disk_reserve
    return free - needed < reserve


def bytes_under_way(owner_id: int) -> int:
    """Bytes of a person's uploads that are not yet unpacked or cancelled, counted at their full size."""
    total = Upload.objects.filter(owner_id=owner_id, state__in=UPLOAD_OPEN).aggregate(total=Sum("size"))["total"]
    return total or 0


def upload_of(owner_id: int, upload_id: UUID | str) -> Upload:
    """A person's own upload. Raises `NotFound` for anybody else's."""
    upload = Upload.objects.filter(owner_id=owner_id, pk=upload_id).first()
    if upload is None:
        raise NotFound("There is no such upload of yours.")
    return upload
