"""What lists show of an image, as plain values: one query a page, whatever its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import JSONBAgg
from django.db.models import Case, Exists, Func, JSONField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Now

from medtheca.domains.access.enums import PUBLIC_SCOPE, SIGNED_IN_SCOPE, ScopeKind, Visibility
from medtheca.domains.access.models import Placement
from medtheca.domains.access.queries import ANYBODY, viewer_of
from medtheca.domains.imaging.enums import SERVED_KINDS, FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.imaging.queries import is_redacted
from medtheca.domains.search.filters import Filters
from medtheca.domains.search.queries import Asker, Cursor, cut_page, find, image_for

_COLUMNS = (
    "id",
    "created",
    "key",
    "public_id",
    "width",
    "height",
    "stripped",
    "accession__licence",
    "accession__attribution",
    "accession__description__structured",
    "accession__patient__public_id",
    "accession__lesion__public_id",
    "shown",
    "stored",
)
_KINDS = {kind.value: kind for kind in SERVED_KINDS}


@dataclass(frozen=True, slots=True)
class EntryFile:
    """A file that may be served: its media type, exact size in bytes and SHA-256 in hexadecimal."""

    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One image with what its accession says of it.

    `structured` are its stored values, private ones among them: show them by `toolkit.schemas.public_metadata` only.
    `public_ids` are those of its patient and lesion.
    """

    key: UUID
    public_id: str | None
    width: int
    height: int
    redacted: bool
    visibility: Visibility
    licence: str
    attribution: str
    structured: Mapping[str, Any]
    public_ids: Mapping[str, str]
    files: Mapping[FileKind, EntryFile]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One page of entries, and the cursors of its neighbours."""

    entries: list[Entry]
    next: Cursor | None
    previous: Cursor | None


def find_entries(filters: Filters, *, asker: Asker, limit: int, cursor: Cursor | None = None) -> EntryPage:
    """As `find_page`, oldest first, with everything that a list shows."""
    rows, after, before = cut_page(_rows(find(filters, asker=asker), asker), limit=limit, cursor=cursor)
    return EntryPage([_entry(row) for row in rows], after, before)


def entry_for(asker: Asker, ref: str) -> Entry:
    """As `image_for`: one image by public id or key. Raises `NotFound`."""
    image = image_for(asker, ref)
    return _entry(_rows(Image.objects.filter(pk=image.pk), asker).get())


def entries_among(images: QuerySet[Image], *, asker: Asker) -> dict[int, Entry]:
    """Entries of images by their keys, in one query. The caller has seen to it that the asker may see them all."""
    return {row.id: _entry(row) for row in _rows(images, asker)}


def _rows(images: QuerySet[Image], asker: Asker) -> QuerySet[Image, Any]:
    viewer = viewer_of(asker)
    files = (
        ImageFile.objects.filter(image=OuterRef("pk"), kind__in=SERVED_KINDS)
        .order_by()
        .values("image")
        .annotate(found=JSONBAgg(_Array("kind", "media_type", "blob__size", "blob__sha256")))
        .values("found")
    )
    # Nobody in particular sees what is public and nothing else.
    shown = Value(Visibility.PUBLIC.value) if viewer == ANYBODY else _visibility()
    return images.annotate(shown=shown, stored=Subquery(files)).values_list(*_COLUMNS, named=True)


class _Array(Func):
    function = "jsonb_build_array"
    output_field = JSONField()


def _visibility() -> Case:
    open_now = Placement.objects.filter(Q(opens__isnull=True) | Q(opens__lte=Now()), image=OuterRef("pk"))
    return Case(
        When(Exists(open_now.filter(scope=PUBLIC_SCOPE)), then=Value(Visibility.PUBLIC.value)),
        When(Exists(open_now.filter(scope=SIGNED_IN_SCOPE)), then=Value(Visibility.SIGNED_IN.value)),
        When(Exists(open_now.filter(scope__kind=ScopeKind.GROUP)), then=Value(Visibility.GROUPS.value)),
        default=Value(Visibility.PRIVATE.value),
    )


def _entry(row: Any) -> Entry:
    subjects = (("patient_id", row.accession__patient__public_id), ("lesion_id", row.accession__lesion__public_id))
    return Entry(
        key=row.key,
        public_id=row.public_id,
        width=row.width,
        height=row.height,
        redacted=is_redacted(row.stripped),
        visibility=Visibility(row.shown),
        licence=row.accession__licence,
        attribution=row.accession__attribution,
        structured=row.accession__description__structured or {},
        public_ids={name: value for name, value in subjects if value},
        files={_KINDS[kind]: EntryFile(*file) for kind, *file in row.stored or ()},
    )
