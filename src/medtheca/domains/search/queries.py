"""Finding images under the viewer's visibility, with exact counts and keyset pages: by the index, or by SQL."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from medtheca.base.errors import Invalid, NotFound, Problem
from medtheca.domains.access.queries import count_visible, viewer_of, visible_images
from medtheca.domains.imaging.models import Image
from medtheca.domains.search.compile_sql import compile_tree
from medtheca.domains.search.filters import Filters
from medtheca.domains.search.index.asking import Answer, asking
from medtheca.domains.search.index.snapshots import one_snapshot
from medtheca.domains.search.naming import Asker, Listings
from medtheca.domains.storage.erased import raise_if_erased
from medtheca.toolkit.bitmaps.answering import microseconds
from medtheca.toolkit.querylang import Everything, Node


class _InOrder(Protocol):
    """What has a place in the order of images."""

    @property
    def created(self) -> datetime: ...
    @property
    def id(self) -> int: ...


MOST_A_PAGE = 100
_LARGEST_KEY = 2**63 - 1
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
Wanted = Filters | Node
__all__ = [
    "MOST_A_PAGE",
    "Asker",
    "Cursor",
    "Page",
    "Wanted",
    "count",
    "count_by_sql",
    "cut_page",
    "cut_rows",
    "decode_cursor",
    "find",
    "find_page",
    "image_for",
    "images_at",
    "in_order",
    "keys_on_page",
    "tree_of",
]
Row = TypeVar("Row", bound=_InOrder)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two images in the order (created, id), or after pinned images: after number `pin` of them."""

    created: datetime
    id: int
    backwards: bool = False
    pin: int | None = None

    def encode(self) -> str:
        """The cursor as it stands in an address; opaque to everybody else."""
        place = [self.created.isoformat(), self.id, self.backwards]
        text = json.dumps(place if self.pin is None else [*place, self.pin])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str) -> Cursor:
    """Read a cursor from an address. Raises `Invalid`."""
    cursor = _read_cursor(text)
    if cursor is None:
        problem = Problem("cursor", "Invalid cursor.", remedy="Begin at the first page.")
        raise Invalid("Invalid cursor.", problems=[problem])
    return cursor


def _read_cursor(text: str) -> Cursor | None:
    try:
        created, pk, backwards, *pins = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        pin = pins.pop() if pins else None
        moment = datetime.fromisoformat(created)
        if moment.tzinfo is None or not isinstance(pk, int) or abs(pk) > _LARGEST_KEY:
            return None
        if pins or not (pin is None or isinstance(pin, int)):
            return None
        return Cursor(moment.astimezone(UTC), pk, bool(backwards), pin)
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        return None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of images, and the cursors of its neighbours."""

    images: list[Image]
    next: Cursor | None
    previous: Cursor | None


def find(wanted: Wanted, *, asker: Asker, listings: Listings | None = None) -> QuerySet[Image]:
    """The images that match and that the asker may see. Visibility is inside, so nobody can forget it.

    `listings` says what collections are named by, for queries that name any.
    """
    images = visible_images(viewer_of(asker))
    tree = tree_of(wanted)
    if isinstance(tree, Everything):
        return images
    return images.filter(compile_tree(tree, asker=asker, listings=listings))


def tree_of(wanted: Wanted) -> Node:
    """A query, as it is or as filters say it."""
    return wanted.tree if isinstance(wanted, Filters) else wanted


def count(wanted: Wanted, *, asker: Asker, listings: Listings | None = None) -> int:
    """How many images `find` gives, exactly: by the index, or by SQL where there is any doubt."""
    with one_snapshot():
        with asking(tree_of(wanted), asker=asker, listings=listings) as answer:
            number = answer.number() if answer else None
        return count_by_sql(wanted, asker=asker, listings=listings) if number is None else number


def count_by_sql(wanted: Wanted, *, asker: Asker, listings: Listings | None = None) -> int:
    """As `count`, from the tables."""
    if isinstance(tree_of(wanted), Everything):
        return count_visible(viewer_of(asker))
    return find(wanted, asker=asker, listings=listings).count()


def find_page(
    wanted: Wanted,
    *,
    asker: Asker,
    limit: int,
    cursor: Cursor | None = None,
    newest_first: bool = False,
    listings: Listings | None = None,
    first: Sequence[int] = (),
) -> Page:
    """A page of `find` in the order of (created, id), at most `MOST_A_PAGE` images; before them those of `first`."""
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
        found = images_at(keys, wanted, asker=asker, listings=listings)
        images, after, before = cut_page(
            found, limit=limit, cursor=cursor, newest_first=newest_first, keys=keys, first=first
        )
    return Page(images, after, before)


def keys_on_page(
    answer: Answer | None,
    images: Callable[[], QuerySet[Image]],
    *,
    limit: int,
    cursor: Cursor | None,
    newest_first: bool = False,
    first: Sequence[int] = (),
) -> list[int] | None:
    """Keys of the images on a page, in the order in which it is walked, and of one more where there is one.

    By the answer of the index, or of `images` where there is none; None where that is as well done by its rows. Those
    of `first` that are found come before all others, in their order, of which cursors have the numbers.
    """
    size, descending = _bounded(limit) + 1, newest_first != (cursor is not None and cursor.backwards)
    if not first:
        return answer.page(beyond=_place(cursor), limit=size, descending=descending) if answer else None

    def others(beyond: Cursor | None, number: int) -> list[int]:
        if answer:
            keys = answer.page(beyond=_place(beyond), limit=number + len(first), descending=descending)
            return [key for key in keys if key not in apart][:number]
        rows = _walk(images().exclude(pk__in=apart), beyond, descending=descending, limit=number)
        return [row.pk for row in rows]

    apart = set(first)
    found = answer.found if answer else set(images().filter(pk__in=apart).values_list("pk", flat=True))
    pins = [(number, key) for number, key in enumerate(first) if key in found]
    if cursor is not None and cursor.backwards:
        keys = others(cursor, size) if cursor.pin is None else []
        before = [key for number, key in pins if cursor.pin is None or number < cursor.pin]
        return [*keys, *reversed(before)][:size]
    if cursor is not None and cursor.pin is None:
        return others(cursor, size)
    keys = [key for number, key in pins if cursor is None or cursor.pin is None or number > cursor.pin][:size]
    return keys + others(None, size - len(keys)) if len(keys) < size else keys


def _place(cursor: Cursor | None) -> tuple[int, int] | None:
    return (microseconds(cursor.created), cursor.id) if cursor else None


def images_at(
    keys: list[int] | None, wanted: Wanted, *, asker: Asker, listings: Listings | None = None
) -> QuerySet[Image]:
    """The images of these keys, or `find` where there are none. Of keys, too, only what the asker may see."""
    if keys is None:
        return find(wanted, asker=asker, listings=listings)
    return visible_images(viewer_of(asker)).filter(pk__in=keys)


def cut_page(
    images: QuerySet[Image, Row],
    *,
    limit: int,
    cursor: Cursor | None,
    newest_first: bool = False,
    keys: list[int] | None = None,
    first: Sequence[int] = (),
) -> tuple[list[Row], Cursor | None, Cursor | None]:
    """Rows of a page of images, whole or as named values, and the cursors of the next and the previous page.

    `images` come from `find`, or from `images_at` with their `keys`; rows have at least `created` and `id`.
    """
    if keys is None:
        backwards = cursor is not None and cursor.backwards
        rows = _walk(images, cursor, descending=newest_first != backwards, limit=_bounded(limit) + 1)
    else:
        rows = in_order(keys, images)
    return cut_rows(rows, limit=limit, cursor=cursor, first=first)


def in_order(keys: list[int], rows: Iterable[Row]) -> list[Row]:
    """The rows in the order of their keys; a key without a row is left out."""
    by_key = {row.id: row for row in rows}
    return [by_key[key] for key in keys if key in by_key]


def cut_rows(
    rows: list[Row], *, limit: int, cursor: Cursor | None, first: Sequence[int] = ()
) -> tuple[list[Row], Cursor | None, Cursor | None]:
    """As `cut_page`, of rows in the order in which they are walked: those of the page, and one more if there is one."""
    limit = _bounded(limit)
    backwards = cursor is not None and cursor.backwards
    more = len(rows) > limit
    rows = rows[:limit]
    if backwards:
        rows.reverse()
    pins = {key: number for number, key in enumerate(first)}
    has_next = bool(rows) and (more or backwards)
    has_previous = bool(rows) and (more if backwards else cursor is not None)
    return (
        rows,
        Cursor(rows[-1].created, rows[-1].id, pin=pins.get(rows[-1].id)) if has_next else None,
        Cursor(rows[0].created, rows[0].id, backwards=True, pin=pins.get(rows[0].id)) if has_previous else None,
    )


def _bounded(limit: int) -> int:
    return max(1, min(limit, MOST_A_PAGE))


def _walk(images: QuerySet[Image, Row], cursor: Cursor | None, *, descending: bool, limit: int) -> list[Row]:
    if cursor is not None:
        images = images.filter(_beyond(cursor, descending=descending))
    sign = "-" if descending else ""
    return list(images.order_by(f"{sign}created", f"{sign}id")[:limit])


def _beyond(cursor: Cursor, *, descending: bool) -> Q:
    # Written so that the index is entered at the cursor: `a > x OR (a = x AND b > y)` reads it from its beginning.
    if descending:
        return Q(created__lte=cursor.created) & (Q(created__lt=cursor.created) | Q(id__lt=cursor.id))
    return Q(created__gte=cursor.created) & (Q(created__gt=cursor.created) | Q(id__gt=cursor.id))


def image_for(asker: Asker, ref: str | UUID) -> Image:
    """An image by public id or key, if the asker may see it.

    Raises `NotFound`, whatever the reason, or `Erased` for a public id that was erased.
    """
    text = str(ref)
    # A column of text cannot be asked for these at all.
    found = None if _NO_TEXT.search(text) else visible_images(viewer_of(asker)).filter(_is_named(text)).first()
    if found is None:
        if not _NO_TEXT.search(text):
            raise_if_erased(text)
        raise NotFound(f"There is no image {ref}.")
    return found


def images_named(images: QuerySet[Image], refs: Iterable[str]) -> dict[str, Image]:
    """Those of the images that are named so, by public id or key; what names none is left out."""
    wanted = [ref for ref in refs if not _NO_TEXT.search(ref)]
    keys = {key: ref for ref in wanted if (key := _key_of(ref)) is not None}
    found: dict[str, Image] = {}
    for image in images.filter(Q(public_id__in=wanted) | Q(key__in=list(keys))):
        found |= {name: image for name in (keys.get(image.key), image.public_id) if name is not None}
    return found


def _key_of(ref: str) -> UUID | None:
    try:
        return UUID(ref)
    except ValueError:
        return None


def _is_named(ref: str) -> Q:
    try:
        return Q(public_id=ref) | Q(key=UUID(ref))
    except ValueError:
        # Not a key, so it can only be a public id.
        return Q(public_id=ref)
