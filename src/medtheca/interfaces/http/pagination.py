"""Pages by cursor, in the shape that clients of the ISIC Archive walk: results, count, next, previous.

A cursor is the place of a row in an order that ends with something unique, so that equal times do not lose rows.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from medtheca.base.errors import Invalid, Problem

MOST_A_PAGE = 100
Row = TypeVar("Row", bound=Model)


class BadCursor(Invalid):
    """The cursor was not made here, or for another list."""

    code = "invalid_cursor"

    def __init__(self) -> None:
        problem = Problem("cursor", "Invalid cursor.", code=self.code, remedy="Begin at the first page.")
        super().__init__("Invalid cursor.", problems=[problem], remedy=problem.remedy)


@dataclass(frozen=True, slots=True)
class Stretch(Generic[Row]):
    """Rows of one page, and the cursors of its neighbours."""

    rows: list[Row]
    next: str | None
    previous: str | None


def page_size(limit: int | None) -> int:
    """How many rows a page has: nothing and 0 mean the most, and more than that is cut.

    >>> page_size(None), page_size(0), page_size(7), page_size(5000)
    (100, 100, 7, 100)
    """
    return min(limit or MOST_A_PAGE, MOST_A_PAGE)


def cut_page(
    rows: QuerySet[Row], *, order: Sequence[str], limit: int | None, cursor: str | None, descending: bool = False
) -> Stretch[Row]:
    """The page of `rows` at a cursor, in the order of one or two columns, the last of which is unique.

    Fetches one row more than the page, which tells whether there is another. Raises `BadCursor`.
    """
    size = page_size(limit)
    backwards = False
    if cursor:
        values, backwards = _read_cursor(rows.model, order, cursor)
        rows = rows.filter(_beyond(order, values, descending=descending != backwards))
    sign = "-" if descending != backwards else ""
    found = list(rows.order_by(*(f"{sign}{name}" for name in order))[: size + 1])
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    return Stretch(
        rows=found,
        next=_write_cursor(found[-1], order) if found and (more or backwards) else None,
        previous=(
            _write_cursor(found[0], order, backwards=True) if found and (more if backwards else cursor) else None
        ),
    )


def page_body(
    request: HttpRequest, results: list[Any], *, count: int | None, after: str | None, before: str | None
) -> dict[str, Any]:
    """The body of a page; `after` and `before` are cursors, which become absolute addresses."""
    return {
        "results": results,
        "count": count,
        "next": _address_at(request, after),
        "previous": _address_at(request, before),
    }


def is_first_page(cursor: str | None) -> bool:
    """Whether this is where a walk begins: only there the rows are counted."""
    return not cursor


def _address_at(request: HttpRequest, cursor: str | None) -> str | None:
    """This address at another cursor, with all its other parameters, sorted. The host is the one that was asked."""
    if cursor is None:
        return None
    kept = [(name, value) for name, values in request.GET.lists() for value in values if name != "cursor"]
    return request.build_absolute_uri(f"{request.path}?{urlencode(sorted([*kept, ('cursor', cursor)]))}")


def _beyond(order: Sequence[str], values: Sequence[Any], *, descending: bool) -> Q:
    side = "lt" if descending else "gt"
    last = Q(**{f"{order[-1]}__{side}": values[-1]})
    if len(order) == 1:
        return last
    # Written so that an index on both columns is entered at the cursor, which `a > x OR (a = x AND b > y)` is not.
    first, value = order[0], values[0]
    return Q(**{f"{first}__{side}e": value}) & (Q(**{f"{first}__{side}": value}) | last)


def _write_cursor(row: Model, order: Sequence[str], *, backwards: bool = False) -> str:
    place = [_field(type(row), name).value_to_string(row) for name in order]
    text = json.dumps([*place, "r" if backwards else "f"], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(model: type[Model], order: Sequence[str], text: str) -> tuple[list[Any], bool]:
    try:
        *place, direction = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if len(place) != len(order) or direction not in {"r", "f"} or not all(isinstance(part, str) for part in place):
            raise BadCursor
        values = [_field(model, name).to_python(part) for name, part in zip(order, place, strict=True)]
    except (ValueError, TypeError, binascii.Error, ValidationError, RecursionError) as error:
        raise BadCursor from error
    return values, direction == "r"


def _field(model: type[Model], name: str) -> Any:
    return model._meta.pk if name == "pk" else model._meta.get_field(name)
