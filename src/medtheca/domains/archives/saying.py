"""Items as programs say them: their values by the slugs of sockets, in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from medtheca.base.errors import Invalid, NotFound, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_uploader
from medtheca.domains.archives.bulk import image_to_put
from medtheca.domains.archives.items import create_item, put_values, remove_values, rename_item
from medtheca.domains.archives.models import Archive, Item, ItemValue
from medtheca.domains.sockets.models import Socket, Value
from medtheca.domains.sockets.operations import create_value
from medtheca.domains.sockets.queries import usable_sockets
from medtheca.toolkit.sockets.kinds import SuperKind
from medtheca.toolkit.suggest import did_you_mean


def create_said(*, archive: Archive, actor: User, title: str, values: Mapping[str, Any]) -> Item:
    """Make an item with values, or nothing. `values` as `change_said` takes them."""
    with transaction.atomic():
        item = create_item(archive=archive, creator=actor, title=title)
        change_said(item=item, actor=actor, values=values)
    return item


def change_said(*, item: Item, actor: User, title: str | None = None, values: Mapping[str, Any] | None = None) -> None:
    """Rename an item, and put in what is said, all or nothing.

    `values` maps slugs of sockets to JSON, or for images to a public id or key; null takes out what is there.
    Raises `Invalid` with a problem for each value that is wrong, `NotFound`, `NotAllowed` or `Conflict`.
    """
    require_uploader(actor, item.archive, to="change items")
    said = dict(values or {})
    with transaction.atomic():
        if title is not None:
            rename_item(item=item, actor=actor, title=title)
        usable = {one.slug: one for one in usable_sockets(actor, scope=item.archive.scope_id)}
        there = {row.socket_id: row.value for row in ItemValue.objects.filter(item=item).select_related("value")}
        made, gone, problems = [], [], []
        for slug, content in said.items():
            socket = usable.get(slug)
            if socket is None:
                problems.append(Problem(slug, f"There is no socket {slug}.", remedy=did_you_mean(slug, list(usable))))
            elif content is None:
                gone.append(socket)
            else:
                try:
                    made.append(_made(item, actor, socket, content, there.get(socket.pk)))
                except (Invalid, NotFound) as refusal:
                    found = refusal.problems if isinstance(refusal, Invalid) else ()
                    problems += found or [Problem(slug, refusal.message, remedy=refusal.remedy)]
        if problems:
            raise Invalid("The item cannot be filled so.", problems=problems)
        put_values(item=item, actor=actor, values=made)
        if gone:
            remove_values(item=item, actor=actor, sockets=gone)


def _made(item: Item, actor: User, socket: Socket, content: Any, before: Value | None) -> Value:
    if socket.super_kind == SuperKind.IMAGE:
        image = image_to_put(item=item, actor=actor, socket=socket, ref=str(content))
        return create_value(socket=socket, creator=actor, image=image, instead_of=before)
    if socket.super_kind == SuperKind.FILE:
        message = f"{socket.title} takes a file, which is uploaded."
        raise Invalid(message, problems=[Problem(socket.slug, message, remedy="Upload it to the archive.")])
    return create_value(socket=socket, creator=actor, value=content, instead_of=before)
