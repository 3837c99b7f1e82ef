"""Who finds an archive, who sees what is in it, and who may change it: in terms of its scope.

By Grand Challenge's roles: editors settle everything, uploaders bring images and change items, users look. Staff may.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from medtheca.base.errors import NotAllowed, NotFound
from medtheca.domains.access.access import holds_role, scopes_joined
from medtheca.domains.access.enums import Role
from medtheca.domains.access.queries import links_of
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.models import Archive

Asker = User | AnonymousUser | None
INSIDE = (Role.EDITOR, Role.UPLOADER, Role.VIEWER, Role.ONLOOKER)


def person_of(asker: Asker) -> User | None:
    """The active person who asks, or nobody."""
    return asker if isinstance(asker, User) and asker.is_active else None


def listed_archives(asker: Asker) -> QuerySet[Archive]:
    """Archives that lists and searches show the asker: public ones, and those that they are in; all for staff."""
    user = person_of(asker)
    shown = Archive.objects.filter(Q(public=True, approved=True) | Q(scope__in=links_of(asker)))
    if user is None:
        return shown
    if user.is_staff:
        return Archive.objects.all()
    mine = Q(scope__in=scopes_joined(user).values("scope")) | Q(creator=user, approved=False)
    return shown | Archive.objects.filter(mine)


def findable_archives(asker: Asker) -> QuerySet[Archive]:
    """Archives whose page answers when somebody has its address: private ones too, unless they are hidden.

    Of what is not listed for them, people learn the title, and that they may ask. Whoever is not signed in does not.
    """
    user = person_of(asker)
    if user is None or user.is_staff:
        return listed_archives(asker)
    listed = listed_archives(asker).values("pk")
    return Archive.objects.filter(Q(pk__in=listed) | Q(hidden=False, approved=True))


def inside_archives(asker: Asker) -> QuerySet[Archive]:
    """Archives whose items the asker sees: those that they are in, or look into by a link; all for staff."""
    user, by_link = person_of(asker), Q(scope__in=links_of(asker))
    if user is None:
        return Archive.objects.filter(by_link)
    if user.is_staff:
        return Archive.objects.all()
    return Archive.objects.filter(by_link | Q(scope__in=scopes_joined(user).values("scope")))


def uploadable_archives(asker: Asker) -> QuerySet[Archive]:
    """Archives into which the asker may bring images: as uploader or editor."""
    return _held(asker, [Role.EDITOR, Role.UPLOADER])


def editable_archives(asker: Asker) -> QuerySet[Archive]:
    """Archives that the asker may settle: as editor."""
    return _held(asker, [Role.EDITOR])


def _held(asker: Asker, roles: list[Role]) -> QuerySet[Archive]:
    user = person_of(asker)
    if user is None:
        return Archive.objects.none()
    if user.is_staff:
        return Archive.objects.all()
    return Archive.objects.filter(scope__in=scopes_joined(user).filter(role__in=roles).values("scope"))


def role_in(asker: Asker, archive: Archive) -> Role | None:
    """What the person is in the archive, an onlooker by a link; nothing for staff who are not in it."""
    user = person_of(asker)
    mine = scopes_joined(user).filter(scope=archive.scope_id) if user else None
    role = mine.values_list("role", flat=True).first() if mine is not None else None
    if role is None:
        return Role.ONLOOKER if archive.scope_id in links_of(asker) else None
    return Role(role)


def roles_in(asker: Asker, archives: Iterable[Archive]) -> dict[UUID, Role]:
    """What the person is in each of the archives that they are in, by the archive's key: one query for all."""
    user = person_of(asker)
    scopes = {archive.scope_id: archive.pk for archive in archives}
    rows = scopes_joined(user).filter(scope__in=list(scopes)).values_list("scope", "role") if user else ()
    return {scopes[scope]: Role(role) for scope, role in rows}


def may_see_items(asker: Asker, archive: Archive) -> bool:
    """Whether the person sees the items: editors, uploaders, users, staff, and whoever looks by a link."""
    return archive.scope_id in links_of(asker) or _may(asker, archive, INSIDE)


def may_upload(asker: Asker, archive: Archive) -> bool:
    """Whether the person may bring images and change items: editors, uploaders, staff."""
    return _may(asker, archive, (Role.EDITOR, Role.UPLOADER))


def may_edit(asker: Asker, archive: Archive) -> bool:
    """Whether the person may settle the archive, its people and its trash: editors, staff."""
    return _may(asker, archive, (Role.EDITOR,))


def may_take_away(asker: Asker, archive: Archive) -> bool:
    """Whether the person may take files and values away: all inside but onlookers."""
    return _may(asker, archive, (Role.EDITOR, Role.UPLOADER, Role.VIEWER))


def _may(asker: Asker, archive: Archive, roles: tuple[Role, ...]) -> bool:
    user = person_of(asker)
    return user is not None and (user.is_staff or holds_role(user, [archive.scope_id], roles))


@dataclass(frozen=True, slots=True)
class Standing:
    """What one person may in one archive, asked once for a whole page."""

    role: Role | None
    is_staff: bool

    @property
    def sees_items(self) -> bool:
        """As `may_see_items`."""
        return self.is_staff or self.role in INSIDE

    @property
    def uploads(self) -> bool:
        """As `may_upload`."""
        return self.is_staff or self.role in (Role.EDITOR, Role.UPLOADER)

    @property
    def edits(self) -> bool:
        """As `may_edit`."""
        return self.is_staff or self.role == Role.EDITOR

    @property
    def takes_away(self) -> bool:
        """As `may_take_away`."""
        return self.is_staff or self.role in (Role.EDITOR, Role.UPLOADER, Role.VIEWER)


def standing_in(asker: Asker, archive: Archive) -> Standing:
    """What the asker may in the archive."""
    user = person_of(asker)
    return Standing(role_in(asker, archive), user is not None and user.is_staff)


def require_seeing_items(asker: Asker, archive: Archive) -> Standing:
    """What somebody may who sees the items. Raises `NotAllowed`; `NotFound` where they know of no such archive."""
    standing = standing_in(asker, archive)
    if not standing.sees_items:
        if not findable_archives(asker).filter(pk=archive.pk).exists():
            raise NotFound("There is no such archive.")
        raise NotAllowed("Only people of the archive see its items.", remedy="Ask to see it, on its page.")
    return standing


def require_taking_away(asker: Asker, archive: Archive) -> Standing:
    """As `require_seeing_items`, of who may take files and values away."""
    standing = require_seeing_items(asker, archive)
    if not standing.takes_away:
        raise NotAllowed("You may look at this archive, and take nothing away.", remedy="Ask one of its editors.")
    return standing


def require_uploader(user: User, archive: Archive, *, to: str) -> None:
    """Raise unless the person may bring images and change items; `to` says what they wanted to do."""
    if not may_upload(user, archive):
        _refuse(user, archive, "editors and uploaders", to)


def require_editor(user: User, archive: Archive, *, to: str) -> None:
    """Raise unless the person may settle the archive; `to` says what they wanted to do."""
    if not may_edit(user, archive):
        _refuse(user, archive, "editors", to)


def _refuse(user: User, archive: Archive, who: str, to: str) -> None:
    if not findable_archives(user).filter(pk=archive.pk).exists():
        raise NotFound("There is no such archive.")
    raise NotAllowed(f"Only {who} of the archive may {to}.", remedy="Ask one of its editors.")
