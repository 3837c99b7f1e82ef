"""The rows of which entries are made: all columns of an image that lists show, in one query."""

from __future__ import annotations

import json
from collections import namedtuple
from functools import lru_cache
from typing import Any, cast

from django.contrib.postgres.aggregates import JSONBAgg
from django.db.models import Case, Func, JSONField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Now
from django.db.models.lookups import IsNull

from medtheca.base.statements import A_PERSON, IsOneOf, Statement, array_of
from medtheca.domains.access.enums import PUBLIC_SCOPE, SIGNED_IN_SCOPE, ScopeKind, Visibility
from medtheca.domains.access.models import Placement
from medtheca.domains.access.queries import ANYBODY, Viewer, visible_images
from medtheca.domains.imaging.enums import SERVED_KINDS
from medtheca.domains.imaging.models import Image, ImageFile

_COLUMNS = (
    "id",
    "created",
    "key",
    "public_id",
    "width",
    "height",
    "stripped",
    "kind",
    "format",
    "depth",
    "timepoints",
    "channels",
    "bits",
    "spacing_x",
    "spacing_y",
    "spacing_z",
    "geometry",
    "facts",
    "accession__licence",
    "accession__attribution",
    "accession__description__structured",
    "accession__patient__public_id",
    "accession__lesion__public_id",
    "shown",
    "stored",
)
_JSON = tuple(
    _COLUMNS.index(name) for name in ("stripped", "geometry", "facts", "accession__description__structured", "stored")
)
# Any: the names of the columns are no literal here, so that they stand once.
_Row: Any = cast("Any", namedtuple)("_Row", _COLUMNS)  # noqa: PYI024 - see above
# What stands in a statement for the keys.
_KEYS = "{keys}"


def rows_of(images: QuerySet[Image], viewer: Viewer) -> QuerySet[Image, Any]:
    """Rows of images, named by the columns; `shown` is for whom an image is visible, as the viewer may know."""
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


def rows_at(keys: list[int], viewer: Viewer) -> list[Any]:
    """Rows of the images of these keys that the viewer sees, in no order, as `rows_of` gives them.

    Making the statement costs Django more than the database needs to answer it, so that it is made once.
    """
    if viewer.links and not viewer.is_staff:
        return list(rows_of(visible_images(viewer).filter(pk__in=keys), viewer))
    statement = _statement(is_somebody=viewer.user_id is not None, is_staff=viewer.is_staff)
    values = [array_of(keys)] if viewer.user_id is None or viewer.is_staff else [array_of(keys), viewer.user_id]
    return [_Row._make(_decoded(row)) for row in statement.fetch(*values)]


@lru_cache(maxsize=8)
def _statement(*, is_somebody: bool, is_staff: bool) -> Statement:
    viewer = Viewer(A_PERSON if is_somebody else None, is_staff)
    images = rows_of(visible_images(viewer).filter(IsOneOf("pk", Value(_KEYS))), viewer)
    return Statement(images.order_by(), *([_KEYS, A_PERSON] if is_somebody and not is_staff else [_KEYS]))


def _decoded(row: tuple[Any, ...]) -> list[Any]:
    values = list(row)
    for at in _JSON:
        if (text := values[at]) is not None:
            values[at] = {} if text == "{}" else json.loads(text)
    return values


class _Array(Func):
    function = "jsonb_build_array"
    output_field = JSONField()


def _visibility() -> Case:
    open_now = Placement.objects.filter(Q(opens__isnull=True) | Q(opens__lte=Now()), image=OuterRef("pk"))
    return Case(
        When(_is_any(open_now.filter(scope=PUBLIC_SCOPE)), then=Value(Visibility.PUBLIC.value)),
        When(_is_any(open_now.filter(scope=SIGNED_IN_SCOPE)), then=Value(Visibility.SIGNED_IN.value)),
        When(_is_any(open_now.filter(scope__kind=ScopeKind.GROUP)), then=Value(Visibility.GROUPS.value)),
        default=Value(Visibility.PRIVATE.value),
    )


def _is_any(rows: QuerySet[Placement]) -> IsNull:
    """As `Exists`, asked for each image alone.

    Of `Exists` PostgreSQL may gather all rows first and look each image up among them: where a statement is planned
    once for every scope, it takes a hundred thousand public images for a few.
    """
    return IsNull(Subquery(rows.order_by().values("pk")[:1]), rhs=False)
