"""What lists show of an image, as plain values: one query a page, whatever its size."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.queries import viewer_of, withheld_among
from medtheca.domains.imaging.enums import SERVED_KINDS, TAKEN_KINDS, FileKind
from medtheca.domains.imaging.models import Image
from medtheca.domains.imaging.queries import is_redacted
from medtheca.domains.search.entry_rows import rows_at, rows_of
from medtheca.domains.search.index.asking import asking
from medtheca.domains.search.index.snapshots import one_snapshot
from medtheca.domains.search.naming import Asker, Listings
from medtheca.domains.search.queries import (
    Cursor,
    Wanted,
    count_by_sql,
    cut_page,
    cut_rows,
    find,
    image_for,
    in_order,
    keys_on_page,
    tree_of,
)

_KINDS = {kind.value: kind for kind in SERVED_KINDS}
_LOOKED_AT = frozenset(_KINDS) - frozenset(TAKEN_KINDS)


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
    `public_ids` are those of its patient and lesion. `files` are without those that are not the asker's to take away,
    where they may only look. From `kind` on it is what its file says, as `Image` keeps it.
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
    kind: str
    format: str
    depth: int
    timepoints: int
    channels: int
    bits: int
    spacing_x: float | None
    spacing_y: float | None
    spacing_z: float | None
    geometry: Mapping[str, Any]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One page of entries, and the cursors of its neighbours."""

    entries: list[Entry]
    next: Cursor | None
    previous: Cursor | None


@dataclass(frozen=True, slots=True)
class LookedUp:
    """A page, and how many images are found in all; None where nobody asked for the number."""

    page: EntryPage
    number: int | None


def look_up(
    wanted: Wanted,
    *,
    asker: Asker,
    limit: int,
    cursor: Cursor | None = None,
    newest_first: bool = False,
    counted: bool = False,
    listings: Listings | None = None,
    first: Sequence[int] = (),
) -> LookedUp:
    """A page with everything that a list shows and, if asked for, the number of all, both of one moment.

    Images of `first` that are found come before all others.
    """
    number = None
    with one_snapshot():
        with asking(tree_of(wanted), asker=asker, listings=listings) as answer:
            keys = keys_on_page(
                answer,
                lambda: find(wanted, asker=asker, listings=listings),
                limit=limit,
                cursor=cursor,
                newest_first=newest_first,
                first=first,
            )
            if counted and answer:
                number = answer.number()
        if counted and number is None:
            number = count_by_sql(wanted, asker=asker, listings=listings)
        if keys is None:
            found = rows_of(find(wanted, asker=asker, listings=listings), viewer_of(asker))
            rows, after, before = cut_page(found, limit=limit, cursor=cursor, newest_first=newest_first)
        else:
            # Of keys, too, only what the asker may see.
            rows = in_order(keys, rows_at(keys, viewer_of(asker)))
            rows, after, before = cut_rows(rows, limit=limit, cursor=cursor, first=first)
        withheld = withheld_among(viewer_of(asker), [row.id for row in rows])
    return LookedUp(EntryPage([_entry(row, withheld) for row in rows], after, before), number)


def entry_for(asker: Asker, ref: str) -> Entry:
    """As `image_for`: one image by public id or key. Raises `NotFound`."""
    image = image_for(asker, ref)
    viewer = viewer_of(asker)
    return _entry(rows_of(Image.objects.filter(pk=image.pk), viewer).get(), withheld_among(viewer, [image.pk]))


def entries_among(images: QuerySet[Image], *, asker: Asker) -> dict[int, Entry]:
    """Entries of images by their keys, in one query. The caller has seen to it that the asker may see them all."""
    viewer = viewer_of(asker)
    rows = list(rows_of(images, viewer))
    withheld = withheld_among(viewer, [row.id for row in rows])
    return {row.id: _entry(row, withheld) for row in rows}


def _entry(row: Any, withheld: Container[int]) -> Entry:
    shown = _LOOKED_AT if row.id in withheld else _KINDS
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
        files={_KINDS[kind]: EntryFile(*file) for kind, *file in row.stored or () if kind in shown},
        kind=row.kind,
        format=row.format,
        depth=row.depth,
        timepoints=row.timepoints,
        channels=row.channels,
        bits=row.bits,
        spacing_x=row.spacing_x,
        spacing_y=row.spacing_y,
        spacing_z=row.spacing_z,
        geometry=row.geometry,
        facts=row.facts,
    )
