"""What an archive holds as lists to be taken away: its images, and every file with its size and SHA-256."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from django.db.models import QuerySet

from medtheca.domains.access.queries import downloadable_images, viewer_of
from medtheca.domains.archives.access import Asker
from medtheca.domains.archives.models import Archive, Item, ItemValue
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.storage.models import Blob

_AT_ONCE = 1000
_TOLD = (
    *("kind", "format", "width", "height", "depth", "timepoints"),
    *("spacing_x", "spacing_y", "spacing_z"),
)


def list_images(archive: Archive, asker: Asker) -> Iterator[tuple[object, ...]]:
    """A line for each image in an item that the asker may take away, after one of heads; lengths in millimetres."""
    yield ("item", "item_title", "socket", "image", *_TOLD)
    for row, image in _images(archive, asker):
        named = image.public_id or str(image.key)
        told = ("" if (value := getattr(image, name)) is None else value for name in _TOLD)
        yield (str(row.item_id), row.item.title, row.socket.slug, named, *told)


def list_files(archive: Archive, asker: Asker) -> Iterator[tuple[object, ...]]:
    """A line for each file of an item that the asker may take away, after one of heads.

    Of images that is the file which is served, without what its original said about a person.
    """
    yield ("item", "item_title", "socket", "image", "name", "media_type", "bytes", "sha256")
    for file in files_to_take(archive, asker):
        told = (file.image, file.name, file.media_type, file.size, file.sha256)
        yield (str(file.item), file.item_title, file.socket, *told)


@dataclass(frozen=True, slots=True)
class FileToTake:
    """A file of an item. `image` is the public id or key of the image whose it is; else it is empty."""

    item: UUID
    item_number: int
    item_title: str
    socket: str
    image: str
    name: str
    media_type: str
    size: int
    sha256: str


def files_to_take(archive: Archive, asker: Asker, *, items: QuerySet[Item] | None = None) -> Iterator[FileToTake]:
    """Files as `list_files` has them: those of images first, then others; of all items, or of `items`."""
    pairs = _images(archive, asker, items)
    while piece := list(islice(pairs, _AT_ONCE)):
        files = _public_files([image.pk for _, image in piece])
        for row, image in piece:
            file = files.get(image.pk)
            if file is not None:
                named = image.public_id or str(image.key)
                yield _file(row, named, named, file.media_type, file.blob)
    held = _held(archive, items).filter(value__blob__isnull=False).select_related("value__blob")
    for row in held.iterator(chunk_size=_AT_ONCE):
        if row.value.blob is not None:
            yield _file(row, "", row.value.filename, row.value.media_type, row.value.blob)


def _file(row: ItemValue, image: str, name: str, media_type: str, blob: Blob) -> FileToTake:
    item = row.item
    of_item = (item.pk, item.number, item.title, row.socket.slug)
    return FileToTake(*of_item, image, name, media_type, blob.size, blob.sha256)


def _held(archive: Archive, items: QuerySet[Item] | None = None) -> QuerySet[ItemValue]:
    rows = ItemValue.objects.filter(item__archive=archive, item__trashed__isnull=True)
    if items is not None:
        rows = rows.filter(item__in=items.order_by().values("pk"))
    return rows.select_related("item", "socket", "value").order_by("item__number", "socket__slug", "pk")


def _images(archive: Archive, asker: Asker, items: QuerySet[Item] | None = None) -> Iterator[tuple[ItemValue, Image]]:
    takeable = downloadable_images(viewer_of(asker)).values("pk")
    rows = _held(archive, items).filter(value__image__in=takeable).select_related("item", "socket", "value__image")
    for row in rows.iterator(chunk_size=_AT_ONCE):
        if row.value.image is not None:
            yield row, row.value.image


def _public_files(image_ids: Sequence[int]) -> dict[int, ImageFile]:
    rows = ImageFile.objects.filter(image__in=image_ids, kind=FileKind.PUBLIC).select_related("blob")
    return {row.image_id: row for row in rows}
