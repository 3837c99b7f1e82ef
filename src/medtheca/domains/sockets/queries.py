"""Reading sockets and values."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q, QuerySet

from medtheca.base.errors import NotFound
from medtheca.base.references import fields_pointing_to
from medtheca.domains.access.models import Scope
from medtheca.domains.sockets.access import Asker, visible_sockets
from medtheca.domains.sockets.models import LookUpTable, Socket, Value
from medtheca.toolkit.sockets.kinds import kind_named


def usable_sockets(asker: Asker, *, scope: Scope | int | None = None) -> QuerySet[Socket]:
    """Sockets that are offered for new values, by title: everybody's that are not reserved, and those of one scope.

    Without a scope those of every archive that the person is in. What they may not see is not among them.
    """
    sockets = visible_sockets(asker).filter(reserved=False)
    if scope is not None:
        sockets = sockets.filter(Q(scope__isnull=True) | Q(scope=scope))
    return sockets.select_related("look_up_table").order_by("title", "pk")


def matching(asker: Asker, *, text: str = "", kind: str = "") -> QuerySet[Socket]:
    """Usable sockets whose title, slug or description has all the words, of a kind by code or label.

    Of a kind that there is not, none.
    """
    sockets = usable_sockets(asker)
    for word in text.replace("\x00", "").split():
        sockets = sockets.filter(Q(title__icontains=word) | Q(slug__icontains=word) | Q(description__icontains=word))
    if kind:
        found = kind_named(kind)
        sockets = sockets.filter(kind=found.code) if found else sockets.none()
    return sockets


def socket_by_slug(asker: Asker, slug: str) -> Socket:
    """A socket that the person sees, reserved ones too. Raises `NotFound`."""
    found = visible_sockets(asker).select_related("look_up_table").filter(slug=slug).first() if _is_text(slug) else None
    if found is None:
        raise NotFound(f"There is no socket {slug}.", remedy="The catalogue of sockets lists those that you may use.")
    return found


def socket_by_pk(asker: Asker, pk: int) -> Socket:
    """A socket that the person sees, by its number. Raises `NotFound`."""
    known = 0 < pk < 2**31
    found = visible_sockets(asker).select_related("look_up_table").filter(pk=pk).first() if known else None
    if found is None:
        raise NotFound(f"There is no socket {pk}.")
    return found


def look_up_tables() -> QuerySet[LookUpTable]:
    """All look-up tables, by title; they are everybody's."""
    return LookUpTable.objects.order_by("title", "pk")


def has_values(socket: Socket) -> bool:
    """Whether there are values of a socket, whoever may see them."""
    return Value.objects.filter(socket=socket).exists()


def unheld_values(value_ids: Iterable[int]) -> QuerySet[Value]:
    """Those of the values to which no row of any table points."""
    held = Q()
    for field in fields_pointing_to(Value):
        held |= Q(Exists(field.model._default_manager.filter(**{field.name: OuterRef("pk")})))
    values = Value.objects.filter(pk__in=list(value_ids))
    return values.exclude(held) if held else values


def _is_text(slug: str) -> bool:
    return len(slug) <= 255 and "\x00" not in slug
