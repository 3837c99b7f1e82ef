"""Pages of lists, in the address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.db.models import Count, Model, QuerySet, Window
from django.http import HttpRequest

from medtheca.base.errors import Invalid

Row = TypeVar("Row", bound=Model)
_PAGE_NUMBER = re.compile("[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of a list, and the addresses of its neighbours as templates name them.

    `first` is the place of its first row, from 1; `total` the length of the whole list.
    """

    rows: list[Any]
    previous_url: str | None
    next_url: str | None
    first: int = 1
    total: int = 0

    def links(self) -> dict[str, str | None]:
        """What `components/pagination.html` needs."""
        return {"previous_url": self.previous_url, "next_url": self.next_url}


def slice_of(request: HttpRequest, rows: QuerySet[Row], *, size: int) -> Slice:
    """The page that `?page=` names. For lists of hundreds; images and verdicts are paged by place, not by number.

    Raises `Invalid` for a number that is none.
    """
    return _cut(request, Paginator(rows, size))


def searched_slice_of(request: HttpRequest, rows: QuerySet[Row], *, size: int) -> Slice:
    """As `slice_of`, of rows that are dear to find: the statement that finds them counts them too.

    What the rows would have joined is left out: they are fetched by their keys. Raises `Invalid`.
    """
    said = request.GET.get("page", "1")
    number = int(said) if _PAGE_NUMBER.fullmatch(said) else 0
    begin = (number - 1) * size
    # Keys alone are what is counted and sorted; whole rows are fetched of one page.
    keyed = rows.annotate(of_all=Window(Count("*"))).values_list("pk", "of_all")
    keys: list[Any] = list(keyed[begin : begin + size]) if number else []
    if not keys and number != 1:
        raise _no_such_page()
    total = keys[0][1] if keys else 0
    whole = rows.model._default_manager.in_bulk([key for key, _ in keys])
    # One that was deleted in between is left out.
    found: list[Any] = [whole[key] for key, _ in keys if key in whole]
    return Slice(
        rows=found,
        previous_url=address(request, page=number - 1) if number > 1 else None,
        next_url=address(request, page=number + 1) if begin + len(keys) < total else None,
        first=begin + 1,
        total=total,
    )


def cut_list(request: HttpRequest, rows: list[Any], *, size: int) -> Slice:
    """As `slice_of`, of a list that is there already. Raises `Invalid`."""
    return _cut(request, Paginator(rows, size))


def _cut(request: HttpRequest, pages: Paginator[Any]) -> Slice:
    try:
        found = pages.page(request.GET.get("page", 1))
    except (EmptyPage, PageNotAnInteger) as error:
        raise _no_such_page() from error
    return Slice(
        rows=list(found.object_list),
        previous_url=address(request, page=found.previous_page_number()) if found.has_previous() else None,
        next_url=address(request, page=found.next_page_number()) if found.has_next() else None,
        first=found.start_index() or 1,
        total=pages.count,
    )


def _no_such_page() -> Invalid:
    return Invalid("There is no such page of this list.", remedy="Begin at the first page.")


def address(request: HttpRequest, **changes: object) -> str:
    """This page's address with parameters replaced; None or '' takes one out."""
    query = request.GET.copy()
    for name, value in changes.items():
        if value in {None, ""}:
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"{request.path}?{query.urlencode()}" if query else request.path
