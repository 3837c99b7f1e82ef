"""Pages of lists, in the address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from medtheca.base.errors import Invalid

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of a list, and the addresses of its neighbours as templates name them."""

    rows: list[Any]
    previous_url: str | None
    next_url: str | None

    def links(self) -> dict[str, str | None]:
        """What `components/pagination.html` needs."""
        return {"previous_url": self.previous_url, "next_url": self.next_url}


def slice_of(request: HttpRequest, rows: QuerySet[Row], *, size: int) -> Slice:
    """The page that `?page=` names. For lists of hundreds; images and verdicts are paged by place, not by number.

    Raises `Invalid` for a number that is none.
    """
    try:
        found = Paginator(rows, size).page(request.GET.get("page", 1))
    except (EmptyPage, PageNotAnInteger) as error:
        raise Invalid("There is no such page of this list.", remedy="Begin at the first page.") from error
    return Slice(
        rows=list(found.object_list),
        previous_url=address(request, page=found.previous_page_number()) if found.has_previous() else None,
        next_url=address(request, page=found.next_page_number()) if found.has_next() else None,
    )


def address(request: HttpRequest, **changes: object) -> str:
    """This page's address with parameters replaced; None or '' takes one out."""
    query = request.GET.copy()
    for name, value in changes.items():
        if value in {None, ""}:
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"{request.path}?{query.urlencode()}" if query else request.path
