"""Values as people say them: typed, or an image by its name; and the same value in many items."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_uploader
from medtheca.domains.archives.items import put_values
from medtheca.domains.archives.models import Archive, Item
from medtheca.domains.archives.queries import items_of
from medtheca.domains.archives.sharing import may_share_into
from medtheca.domains.imaging.models import Image
from medtheca.domains.search.queries import image_for
from medtheca.domains.sockets.models import Socket
from medtheca.domains.sockets.operations import create_value
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.cells import read_cell
from medtheca.toolkit.sockets.kinds import SuperKind

MOST_AT_ONCE = 1000
"""Items that one request may change; a spreadsheet changes more."""


def set_values(*, archive: Archive, actor: User, item_ids: Iterable[UUID], socket: Socket, text: str) -> int:
    """Give items of the archive the same value, as it is typed; how many. Raises `Invalid` or `NotAllowed`."""
    require_uploader(actor, archive, to="change items")
    ids = list(dict.fromkeys(item_ids))
    if len(ids) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE:,} items are changed at once.", remedy="Import a spreadsheet instead.")
    value = typed_value(socket, text)
    with transaction.atomic():
        items = list(items_of(archive).filter(pk__in=ids).select_related("archive"))
        for item in items:
            # A value of its own for each: who sees one item must not learn of another by its number.
            made = create_value(socket=socket, creator=actor, value=value)
            put_values(item=item, actor=actor, values=[made])
    return len(items)


def image_to_put(*, item: Item, actor: User, socket: Socket, ref: str) -> Image:
    """An image that is there already, by public id or key, which the actor may put into the item.

    Raises `NotFound` for one that the actor does not see, `Invalid` for one that they may not pass on, or `NotAllowed`.
    """
    require_uploader(actor, item.archive, to="change items")
    image = image_for(actor, ref.strip())
    if not may_share_into(actor, item.archive, image):
        remedy = "Ask an owner or editor of its cohort to put it here."
        problem = Problem(socket.slug, "You see this image, and may not pass it on to this archive.", remedy=remedy)
        raise Invalid("The image is not yours to share.", problems=[problem])
    return image


def typed_value(socket: Socket, text: str) -> object:
    """What somebody typed for a socket of values. Raises `Invalid`; whether it obeys the schema is not asked here."""
    if socket.super_kind != SuperKind.VALUE:
        message = f"{socket.title} takes {socket.kind_details.label}, which is not typed."
        raise Invalid(message, problems=[Problem(socket.slug, message, remedy="Upload it instead.")])
    try:
        return read_cell(socket.kind, text)
    except Refused as refused:
        problem = Problem(socket.slug, refused.message, code=refused.code, remedy=refused.remedy)
        raise Invalid(f"{socket.title}: {refused.message}", problems=[problem]) from None
