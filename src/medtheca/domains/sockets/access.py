"""Who sees sockets, who defines and changes them, and what is offered to whom."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from medtheca.base.errors import NotAllowed
from medtheca.domains.access.access import holds_role, scopes_joined
from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Scope
from medtheca.domains.accounts.models import User
from medtheca.domains.sockets.models import Socket

Asker = User | AnonymousUser | None


def person_of(asker: Asker) -> User | None:
    """The active person who asks, or nobody."""
    return asker if isinstance(asker, User) and asker.is_active else None


def visible_sockets(asker: Asker) -> QuerySet[Socket]:
    """Everybody's sockets, and those of archives that the person is in; all for staff.

    Reserved ones are among them, since values of them can be read; `queries.usable_sockets` leaves them out.
    """
    user = person_of(asker)
    if user is None:
        return Socket.objects.filter(scope__isnull=True)
    if user.is_staff:
        return Socket.objects.all()
    return Socket.objects.filter(Q(scope__isnull=True) | Q(scope__in=scopes_joined(user).values("scope")))


def may_define(asker: Asker, scope: Scope | int | None) -> bool:
    """Whether the person may define and change sockets of a scope: its editors; all of them, the staff."""
    user = person_of(asker)
    if user is None:
        return False
    return user.is_staff or (scope is not None and holds_role(user, [scope], [Role.OWNER, Role.EDITOR]))


def may_change(asker: Asker, socket: Socket) -> bool:
    """Whether the person may change a socket; see `may_define`."""
    return may_define(asker, socket.scope_id)


def require_defining(asker: Asker, scope: Scope | int | None, *, to: str) -> User:
    """The person; raises `NotAllowed` unless they may define and change sockets there; `to` says what they wanted."""
    user = person_of(asker)
    if user is None or not may_define(user, scope):
        if scope is None:
            raise NotAllowed(
                f"Only staff may {to} that is everybody's.", remedy="Define one for an archive of which you are editor."
            )
        raise NotAllowed(f"Only editors of the archive may {to} of it.", remedy="Ask an editor of the archive.")
    return user
