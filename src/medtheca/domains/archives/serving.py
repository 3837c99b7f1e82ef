"""What the byte plane has to know of a file of an item before it sends a byte of it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Membership
from medtheca.domains.access.queries import Viewer
from medtheca.domains.archives.models import ItemValue


@dataclass(frozen=True, slots=True)
class ServedValue:
    """A file of an item: SHA-256 in hexadecimal, bytes, and what it is called. `takeable`: or to be looked at only."""

    digest: str
    size: int
    name: str
    media_type: str
    takeable: bool


def find_served_value(viewer: Viewer, item_id: UUID, value_id: int) -> ServedValue | None:
    """The file of a value that an item has now, for the archive's people; None for what is absent or not theirs."""
    rows = ItemValue.objects.filter(item=item_id, item__trashed__isnull=True, value=value_id, value__blob__isnull=False)
    columns = ("value__blob__sha256", "value__blob__size", "value__filename", "value__media_type")
    found = rows.values_list(*columns, "item__archive__scope").first()
    if found is None:
        return None
    digest, size, name, media_type, scope = found
    role = None
    if not viewer.is_staff:
        mine = Membership.objects.filter(scope=scope, user=viewer.user_id)
        role = mine.values_list("role", flat=True).first()
        if role is None:
            if scope not in viewer.links:
                return None
            role = Role.ONLOOKER
    return ServedValue(digest, size, name, media_type, takeable=role != Role.ONLOOKER)
