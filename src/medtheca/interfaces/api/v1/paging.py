"""Pages by limit and offset, in the shape that `gcapi` walks, and the same rows as CSV where `?format=csv` asks.

`gcapi` asks for 100 rows at a time, adds 100 to the offset whatever came back, and ends at an empty page. So a limit of
100 has to be honoured, and the order must be total: rows that are equal in it would come twice or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from medtheca.interfaces.api.v1.addresses import absolute
from medtheca.interfaces.http.spreadsheets import csv_lines

Row = TypeVar("Row", bound=Model)
JSON = "application/json"
"""Exactly this: `gcapi` takes an answer whose type has a charset for something else than JSON."""
DEFAULT_LIMIT = 100
MOST_A_PAGE = 1000
_FARTHEST = 2**62


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows of a list: at most `limit`, from `offset` on."""

    limit: int
    offset: int

    def cut(self, rows: QuerySet[Row]) -> list[Row]:
        """The rows of the window. Their order must be total."""
        return list(rows[self.offset : self.offset + self.limit])


def window_of(request: HttpRequest) -> Window:
    """The window that was asked for; what is no number, or out of bounds, is as if it were not said."""
    limit = _number(request, "limit", least=1)
    return Window(
        limit=min(limit, MOST_A_PAGE) if limit is not None else DEFAULT_LIMIT,
        offset=min(_number(request, "offset", least=0) or 0, _FARTHEST),
    )


def page_of(
    request: HttpRequest,
    rows: QuerySet[Row],
    *,
    shape: Callable[[list[Row]], Sequence[dict[str, Any]]],
    order: Sequence[str] = ("created", "pk"),
) -> HttpResponse:
    """The page of `rows` that was asked for; shaped all at once, so that what belongs to them is fetched once.

    The last column of `order` must be unique.
    """
    window = window_of(request)
    found = window.cut(rows.order_by(*order))
    # Where the window is not full, and not past the end, its place says how many there are.
    ends_here = (found or window.offset == 0) and len(found) < window.limit
    count = window.offset + len(found) if ends_here else rows.order_by().count()
    return send_page(request, shape(found), count=count, window=window)


def send_page(
    request: HttpRequest, results: Sequence[dict[str, Any]], *, count: int, window: Window | None = None
) -> HttpResponse:
    """Rows that were cut and shaped already, as the answer; `count` is of the whole list."""
    form = asked_form(request)
    if form == "csv":
        return send_csv(results)
    window = window or window_of(request)
    after, before = window.offset + window.limit, max(0, window.offset - window.limit)
    body = {
        "count": count,
        "next": _address_at(request, window.limit, after) if after < count else None,
        "previous": _address_at(request, window.limit, before) if window.offset > 0 else None,
        "results": results,
    }
    return send_json(body)


def send_json(body: Any, *, status: int = 200) -> HttpResponse:
    """A body of plain values, keys and times as the answer."""
    return HttpResponse(json.dumps(body, cls=DjangoJSONEncoder, ensure_ascii=False), status=status, content_type=JSON)


def send_csv(rows: Sequence[dict[str, Any]]) -> HttpResponse:
    """Rows as CSV with a header: what is a list or an object is JSON in its cell, as Grand Challenge writes it."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = csv_lines([columns, *([_cell(row.get(name)) for name in columns] for row in rows)] if columns else [])
    return HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")


def asked_form(request: HttpRequest) -> str:
    """`json` or `csv`: by `?format=`, else by the Accept header. Any other format is 404, as on Grand Challenge."""
    said = request.GET.get("format", "").lower()
    if said in {"json", "csv"}:
        return said
    if said:
        raise Http404
    accepted = request.headers.get("Accept", "").lower()
    return "csv" if accepted.partition(",")[0].partition(";")[0].strip() == "text/csv" else "json"


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list | tuple | bool):
        return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    return "" if value is None else value


def _number(request: HttpRequest, name: str, *, least: int) -> int | None:
    text = request.GET.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 30:
        return None
    number = int(text)
    return number if number >= least else None


def _address_at(request: HttpRequest, limit: int, offset: int) -> str:
    kept = [
        (name, value) for name, values in request.GET.lists() for value in values if name not in {"limit", "offset"}
    ]
    place: Iterable[tuple[str, Any]] = [("limit", limit), *([("offset", offset)] if offset else [])]
    return absolute(f"{request.path}?{urlencode(sorted([*kept, *((name, str(value)) for name, value in place)]))}")
