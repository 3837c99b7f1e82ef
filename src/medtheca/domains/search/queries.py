"""Finding images: filters become SQL under the viewer's visibility, with exact counts and keyset pages."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, IntegerField, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from medtheca.base.errors import Invalid, NotFound, Problem
from medtheca.domains.access.queries import count_visible, viewer_of, visible_images
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.access import visible_cohorts
from medtheca.domains.search.filters import CHOICES, HIERARCHIES, Filters
from medtheca.domains.storage.erased import raise_if_erased
from medtheca.toolkit.schemas import DERMATOLOGY


class _InOrder(Protocol):
    """What has a place in the order of images."""

    @property
    def created(self) -> datetime: ...
    @property
    def id(self) -> int: ...


MOST_A_PAGE = 100
_TERMS_A_WORD = 60
_LARGEST_KEY = 2**63 - 1
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
Asker = User | AnonymousUser | None
Row = TypeVar("Row", bound=_InOrder)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two images in the order (created, id)."""

    created: datetime
    id: int
    backwards: bool = False

    def encode(self) -> str:
        """The cursor as it stands in an address; opaque to everybody else."""
        text = json.dumps([self.created.isoformat(), self.id, self.backwards])
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
        created, pk, backwards = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        moment = datetime.fromisoformat(created)
        if moment.tzinfo is None or not isinstance(pk, int) or abs(pk) > _LARGEST_KEY:
            return None
        return Cursor(moment.astimezone(UTC), pk, bool(backwards))
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        return None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of images, and the cursors of its neighbours."""

    images: list[Image]
    next: Cursor | None
    previous: Cursor | None


def find(filters: Filters, *, asker: Asker) -> QuerySet[Image]:
    """The images that match and that the asker may see. Visibility is inside, so nobody can forget it."""
    images = visible_images(viewer_of(asker))
    if filters.is_empty:
        return images
    wanted: dict[str, str] = {name: getattr(filters, name) for name in CHOICES if getattr(filters, name)}
    for name in HIERARCHIES:
        if path := getattr(filters, name):
            levels = path.split(":")
            wanted[f"{name}_{len(levels)}"] = levels[-1]
    if wanted:
        images = images.filter(accession__description__structured__contains=wanted)
    if filters.age_from is not None or filters.age_to is not None:
        images = images.annotate(
            age_approx=Cast(KeyTextTransform("age_approx", "accession__description__structured"), IntegerField())
        )
        images = images.filter(age_approx__gte=filters.age_from) if filters.age_from is not None else images
        images = images.filter(age_approx__lte=filters.age_to) if filters.age_to is not None else images
    if filters.licence:
        images = images.filter(accession__licence=filters.licence)
    if filters.cohort is not None:
        # Cohorts are private: one that the asker may not see holds nothing for them.
        mine = visible_cohorts(asker if isinstance(asker, User) else None)
        images = images.filter(accession__cohort__in=mine.filter(pk=filters.cohort).values("pk"))
    return images.filter(_matches_words(filters.words)) if filters.words else images


def _matches_words(words: str) -> Q:
    """Images whose public id begins so, or whose diagnosis has the words in its name."""
    lowered = words.casefold()
    matches = Q(public_id__istartswith=words)
    paths = [path for path in _diagnoses() if lowered in path.rsplit(":", 1)[-1].casefold()]
    if len(paths) > _TERMS_A_WORD:
        # So many terms are no use to the index: every diagnosis is looked at, level by level.
        for level in range(1, 1 + max(path.count(":") + 1 for path in paths)):
            matches |= Q(**{f"accession__description__structured__diagnosis_{level}__icontains": words})
        return matches
    for path in paths:
        levels = path.split(":")
        matches |= Q(accession__description__structured__contains={f"diagnosis_{len(levels)}": levels[-1]})
    return matches


def _diagnoses() -> tuple[str, ...]:
    vocabulary = DERMATOLOGY.by_name["diagnosis"].vocabulary
    return vocabulary.values if vocabulary else ()


def count(filters: Filters, *, asker: Asker) -> int:
    """How many images `find` gives, exactly."""
    if filters.is_empty:
        return count_visible(viewer_of(asker))
    return find(filters, asker=asker).count()


def find_page(
    filters: Filters, *, asker: Asker, limit: int, cursor: Cursor | None = None, newest_first: bool = False
) -> Page:
    """A page of `find` in the order of (created, id), at most `MOST_A_PAGE` images."""
    images, after, before = cut_page(find(filters, asker=asker), limit=limit, cursor=cursor, newest_first=newest_first)
    return Page(images, after, before)


def cut_page(
    images: QuerySet[Image, Row], *, limit: int, cursor: Cursor | None, newest_first: bool = False
) -> tuple[list[Row], Cursor | None, Cursor | None]:
    """Rows of a page of images, whole or as named values, and the cursors of the next and the previous page.

    `images` come from `find`; rows have at least `created` and `id`.
    """
    limit = max(1, min(limit, MOST_A_PAGE))
    backwards = cursor is not None and cursor.backwards
    descending = newest_first != backwards
    if cursor is not None:
        images = images.filter(_beyond(cursor, descending=descending))
    sign = "-" if descending else ""
    rows = list(images.order_by(f"{sign}created", f"{sign}id")[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    if backwards:
        rows.reverse()
    has_next = bool(rows) and (more or backwards)
    has_previous = bool(rows) and (more if backwards else cursor is not None)
    return (
        rows,
        Cursor(rows[-1].created, rows[-1].id) if has_next else None,
        Cursor(rows[0].created, rows[0].id, backwards=True) if has_previous else None,
    )


def _beyond(cursor: Cursor, *, descending: bool) -> Q:
    # Written so that the index is entered at the cursor: `a > x OR (a = x AND b > y)` reads it from its beginning.
    if descending:
        return Q(created__lte=cursor.created) & (Q(created__lt=cursor.created) | Q(id__lt=cursor.id))
    return Q(created__gte=cursor.created) & (Q(created__gt=cursor.created) | Q(id__gt=cursor.id))


def facet(filters: Filters, field: str, *, asker: Asker) -> dict[str, int]:
    """How many images each value of a stored column has among those that match; absent values are left out.

    Raises `Invalid` for a column that the public may not search.
    """
    if field not in {column.name for column in DERMATOLOGY.public_columns}:
        raise Invalid(f"{field} is not a field to count by.", problems=[Problem("field", f"{field} is not public.")])
    key = f"accession__description__structured__{field}"
    rows = (
        find(filters, asker=asker)
        .filter(**{f"{key}__isnull": False})
        .values_list(KeyTextTransform(field, "accession__description__structured"))
        .annotate(number=Count("pk"))
        .order_by()
    )
    return {str(value): number for value, number in rows}


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


def _is_named(ref: str) -> Q:
    try:
        return Q(public_id=ref) | Q(key=UUID(ref))
    except ValueError:
        # Not a key, so it can only be a public id.
        return Q(public_id=ref)
