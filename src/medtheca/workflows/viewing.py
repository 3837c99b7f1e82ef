"""Changing and deleting what says how items are shown; where archives stand in the way, the person reads which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db.models import Q, QuerySet

from medtheca.domains.archives.access import listed_archives
from medtheca.domains.archives.models import Archive
from medtheca.domains.sockets.access import visible_sockets
from medtheca.domains.sockets.models import LookUpTable, Socket
from medtheca.domains.viewing import operations
from medtheca.domains.viewing.access import AnySetting, Asker, Setting
from medtheca.domains.viewing.errors import InUse
from medtheca.domains.viewing.models import HangingProtocol, Viewer, ViewerConfiguration

MOST_NAMED = 20


def change_hanging_protocol(*, protocol: HangingProtocol, actor: Asker, changes: Mapping[str, Any]) -> HangingProtocol:
    """Change what is given, as the operation does. Raises `NotAllowed`, `Invalid`, or `InUse` with where it is used."""
    with _saying_where(protocol, actor):
        return operations.change_hanging_protocol(protocol=protocol, actor=actor, changes=changes)


def change_look_up_table(*, table: LookUpTable, actor: Asker, changes: Mapping[str, Any]) -> LookUpTable:
    """Change what is given, as the operation does. Raises `NotAllowed`, `Invalid`, or `InUse` with where it is used."""
    with _saying_where(table, actor, by_others=True):
        return operations.change_look_up_table(table=table, actor=actor, changes=changes)


def delete_setting(*, row: AnySetting, actor: Asker) -> None:
    """Take it away for good, as the operation does. Raises `NotAllowed`, `Conflict`, or `InUse` with where it is."""
    with _saying_where(row, actor):
        operations.delete_setting(row=row, actor=actor)


@contextmanager
def _saying_where(row: Setting, asker: Asker, *, by_others: bool = False) -> Iterator[None]:
    """A refusal with the names of what the person sees; of all else no more than that there is something.

    With `by_others`, what the creator of the row made stands in nobody's way, and is not named.
    """
    try:
        yield
    except InUse as refusal:
        what, using, known = _using(row, asker)
        if by_others:
            using = using.exclude(creator=row.creator_id)
        seen = using.filter(pk__in=known.order_by().values("pk"))
        names = list(seen.order_by("title").distinct().values_list("title", flat=True)[:MOST_NAMED])
        # So far nothing else refers to these from elsewhere.
        elsewhere = refusal.elsewhere and using.distinct().count() > len(names)
        named = [*refusal.named, *(f"the {what} {name}" for name in names)]
        raise InUse(refusal.what, named=named, elsewhere=elsewhere, remedy=refusal.remedy) from None


def _using(row: Setting, asker: Asker) -> tuple[str, QuerySet[Any], QuerySet[Any]]:
    """What uses it that is not everybody's: a word for one, all of them, and all such that the person may know of."""
    if isinstance(row, LookUpTable):
        return "socket", Socket.objects.filter(look_up_table=row, scope__isnull=False), visible_sockets(asker)
    return "archive", Archive.objects.filter(_uses(row)), listed_archives(asker)


def _uses(row: Setting) -> Q:
    if isinstance(row, HangingProtocol):
        return Q(hanging_protocol=row) | Q(optional_protocols=row)
    if isinstance(row, ViewerConfiguration):
        return Q(configuration=row)
    return Q(viewer=row) if isinstance(row, Viewer) else Q(pk__in=[])
