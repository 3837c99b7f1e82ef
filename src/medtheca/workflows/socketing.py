"""Sockets of everybody's and of archives, which only a workflow knows together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from medtheca.base.errors import Invalid, NotFound, Problem
from medtheca.domains.access.models import Scope
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import listed_archives
from medtheca.domains.archives.models import Archive
from medtheca.domains.sockets.access import Asker, may_define
from medtheca.domains.sockets.defining import change_socket, define_socket
from medtheca.domains.sockets.models import LookUpTable, Socket
from medtheca.toolkit.sockets.definitions import Definition


def define(*, creator: User, definition: Definition, archive: str = "", look_up_table: str = "") -> Socket:
    """Define a socket for everybody, or for an archive by its slug; with a look-up table by its slug.

    Raises `NotFound` for an archive that the person may not know of, `NotAllowed`, or `Invalid`.
    """
    scope: Scope | None = scope_of_archive(creator, archive) if archive else None
    table = _table(look_up_table)
    return define_socket(creator=creator, definition=definition, scope=scope, look_up_table=table)


def change(*, socket: Socket, actor: User, changes: Mapping[str, Any]) -> Socket:
    """As `change_socket`; `look_up_table` is a slug, or empty for none. Raises as it does."""
    given = dict(changes)
    if "look_up_table" in given:
        given["look_up_table"] = _table(given["look_up_table"])
    return change_socket(socket=socket, actor=actor, changes=given)


def archives_of(asker: Asker, sockets: Iterable[Socket]) -> dict[int, Archive]:
    """The archives that sockets belong to, by the sockets' keys, as far as the asker may know of them."""
    wanted = {socket.pk: socket.scope_id for socket in sockets if socket.scope_id is not None}
    found = {row.scope_id: row for row in listed_archives(asker).filter(scope__in=set(wanted.values()))}
    return {pk: found[scope] for pk, scope in wanted.items() if scope in found}


def of_archive(sockets: QuerySet[Socket], asker: Asker, slug: str) -> QuerySet[Socket]:
    """Those of the sockets that belong to the archive of a slug; all of them for an empty one. Raises `NotFound`."""
    return sockets.filter(scope=scope_of_archive(asker, slug)) if slug else sockets


def scope_of_archive(asker: Asker, slug: str) -> Scope:
    """The scope of an archive that lists show the asker, by its slug. Raises `NotFound`."""
    archives = listed_archives(asker).select_related("scope")
    found = archives.filter(slug=slug).first() if "\0" not in slug else None
    if found is None:
        raise NotFound(f"There is no archive {slug[:80]}.")
    return found.scope


def archives_to_define_for(asker: Asker) -> list[Archive]:
    """Archives for which the asker may define sockets, by title."""
    rows = listed_archives(asker).select_related("scope").order_by("title", "pk")
    return [row for row in rows if may_define(asker, row.scope_id)]


def _table(slug: str) -> LookUpTable | None:
    if not slug:
        return None
    found = LookUpTable.objects.filter(slug=slug.replace("\0", "")).first()
    if found is None:
        known = ", ".join(LookUpTable.objects.order_by("slug").values_list("slug", flat=True)[:20])
        problem = Problem("look_up_table", f"There is no look-up table {slug[:80]}.", remedy=f"Such as {known}.")
        raise Invalid("The look-up table cannot be used.", problems=[problem])
    return found
