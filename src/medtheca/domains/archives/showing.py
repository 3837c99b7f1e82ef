"""How items are shown: viewer, configuration, hanging protocols, and what goes into which viewport."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_editor
from medtheca.domains.archives.models import Archive, ItemValue
from medtheca.domains.ledger.operations import record
from medtheca.domains.sockets.models import Socket
from medtheca.domains.sockets.queries import usable_sockets
from medtheca.domains.viewing.checking import as_problems
from medtheca.domains.viewing.models import HangingProtocol, Viewer, ViewerConfiguration
from medtheca.toolkit.viewing.contents import content_faults


@dataclass(frozen=True, slots=True)
class Showing:
    """What an editor chooses. Nothing at all is a choice too: each item arranges itself."""

    viewer: Viewer | None = None
    configuration: ViewerConfiguration | None = None
    hanging_protocol: HangingProtocol | None = None
    optional_protocols: Sequence[HangingProtocol] = ()
    view_content: dict[str, list[str]] = field(default_factory=dict)


def sockets_to_show(actor: User, archive: Archive) -> QuerySet[Socket]:
    """Sockets of which items have values, and those that are offered for new ones; by title."""
    used = ItemValue.objects.filter(item__archive=archive, item__trashed__isnull=True).values("socket")
    offered = usable_sockets(actor, scope=archive.scope_id).values("pk")
    return Socket.objects.filter(pk__in=used.union(offered)).order_by("title", "pk")


def change_showing(*, archive: Archive, actor: User, showing: Showing) -> None:
    """Settle how items are shown. Raises `NotAllowed`, or `Invalid` where the content does not fit the protocol."""
    require_editor(actor, archive, to="change how its items are shown")
    protocol = showing.hanging_protocol.json if showing.hanging_protocol else None
    named = {slug for slugs in showing.view_content.values() for slug in slugs}
    kinds = dict(sockets_to_show(actor, archive).values_list("slug", "kind"))
    problems: list[Problem] = [
        Problem("view_content", f"There is no socket {slug} here.", remedy="Choose one of the catalogue.")
        for slug in sorted(named - set(kinds))
    ]
    # Without a protocol or without content there is nothing that has to fit.
    fits = showing.view_content and not problems
    if fits:
        problems += as_problems("view_content", content_faults(showing.view_content, protocol=protocol, kinds=kinds))
    if problems:
        raise Invalid("Items cannot be shown so.", problems=problems)
    with transaction.atomic():
        locked = Archive.objects.select_for_update(no_key=True, of=("self",)).get(pk=archive.pk)
        values: dict[str, Any] = {
            "viewer": showing.viewer,
            "configuration": showing.configuration,
            "hanging_protocol": showing.hanging_protocol,
            "view_content": showing.view_content,
        }
        Archive.objects.filter(pk=locked.pk).update(**values)
        locked.optional_protocols.set(showing.optional_protocols)
        record(
            actor_id=actor.pk,
            verb="archive.changed",
            subject_type="archive",
            subject_id=archive.pk,
            cohort_id=archive.cohort_id,
            details={"fields": ["viewing settings"]},
        )
