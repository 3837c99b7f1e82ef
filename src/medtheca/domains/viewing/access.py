"""Who sees what says how items are shown, and who changes it.

Everybody sees all of it: nothing in it is of a patient. Whoever can log in makes some and changes their own; the staff
changes all, and alone registers viewers.
"""

from __future__ import annotations

from typing import TypeVar

from django.contrib.auth.models import AnonymousUser

from medtheca.base.errors import NotAllowed
from medtheca.domains.accounts.models import User
from medtheca.domains.sockets.models import LookUpTable
from medtheca.domains.viewing.models import HangingProtocol, Viewer, ViewerConfiguration, WindowPreset

Asker = User | AnonymousUser | None
Setting = HangingProtocol | ViewerConfiguration | WindowPreset | LookUpTable | Viewer
AnySetting = TypeVar("AnySetting", HangingProtocol, ViewerConfiguration, WindowPreset, LookUpTable, Viewer)


def person_of(asker: Asker) -> User | None:
    """The active person who asks, or nobody."""
    return asker if isinstance(asker, User) and asker.is_active else None


def may_create(asker: Asker, kind: type[Setting]) -> bool:
    """Whether the person may make one of a kind: viewers, the staff; the others, whoever can log in."""
    user = person_of(asker)
    return user is not None and (user.is_staff or kind is not Viewer)


def may_register_viewers(asker: Asker) -> bool:
    """Whether the person may register viewers elsewhere: the staff."""
    return may_create(asker, Viewer)


def require_registering(asker: Asker) -> None:
    """Raise `NotAllowed` unless the person may register viewers."""
    require_creating(asker, Viewer)


def may_change(asker: Asker, row: Setting) -> bool:
    """Whether the person may change and delete one: its creator and the staff; viewers, the staff."""
    user = person_of(asker)
    if user is None:
        return False
    return user.is_staff or (row.creator_id == user.pk and not isinstance(row, Viewer))


def require_creating(asker: Asker, kind: type[Setting]) -> User:
    """The person; raises `NotAllowed` unless they may make one."""
    user = person_of(asker)
    if user is None or not may_create(user, kind):
        who = "Only staff" if kind is Viewer else "Only people who can log in"
        raise NotAllowed(f"{who} may make {plural_of(kind)}.", remedy="Ask the staff." if kind is Viewer else "Log in.")
    return user


def require_changing(asker: Asker, row: Setting, *, to: str) -> User:
    """The person; raises `NotAllowed` unless they may change it; `to` says what they wanted to do."""
    user = person_of(asker)
    if user is None or not may_change(user, row):
        who = "staff" if isinstance(row, Viewer) or row.creator_id is None else "its creator and staff"
        raise NotAllowed(f"Only {who} may {to}.", remedy="" if isinstance(row, Viewer) else "Make a copy of your own.")
    return user


def plural_of(kind: type[Setting]) -> str:
    """What people call several of a kind.

    >>> plural_of(HangingProtocol)
    'hanging protocols'
    """
    return str(kind._meta.verbose_name_plural)
