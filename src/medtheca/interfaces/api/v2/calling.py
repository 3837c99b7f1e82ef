"""Who called the present route, and pages of what they may see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from medtheca.interfaces.api.v2.shapes.common import PageQuery
from medtheca.interfaces.http.authentication import Caller, identify, identify_user
from medtheca.interfaces.http.pagination import cut_page, is_first_page, page_body

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

Row = TypeVar("Row", bound=Model)


def caller_of(request: HttpRequest) -> Caller:
    """Who calls, perhaps nobody."""
    return identify(request)


def user_of(request: HttpRequest) -> User:
    """The person who calls. Raises `NotSignedIn`."""
    user = identify_user(request).user
    assert user is not None
    return user


def page_of(
    request: HttpRequest,
    rows: QuerySet[Row],
    page: PageQuery,
    *,
    order: Sequence[str],
    shape: Callable[[list[Row]], list[Any]],
    descending: bool = False,
) -> dict[str, Any]:
    """A page of rows, shaped all at once so that what belongs to them is fetched once. Raises `BadCursor`."""
    stretch = cut_page(rows, order=order, limit=page.limit, cursor=page.cursor, descending=descending)
    count = rows.order_by().count() if is_first_page(page.cursor) else None
    return page_body(request, shape(stretch.rows), count=count, after=stretch.next, before=stretch.previous)
