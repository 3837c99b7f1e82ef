"""Reading inspections."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from medtheca.base.clock import now
from medtheca.base.errors import NotFound
from medtheca.domains.trials.enums import INSPECTION_OVER
from medtheca.domains.trials.models import Inspection

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User


def inspection_for(user: User | None, inspection_id: UUID | str) -> Inspection:
    """An inspection of the person's own, or one that nobody owns: its random id is what opens it. Raises `NotFound`."""
    found = Inspection.objects.filter(pk=inspection_id, expires__gt=now()).first()
    if found is None or (found.owner_id is not None and (user is None or found.owner_id != user.pk)):
        raise NotFound("There is no such dry run. Reports are kept for an hour.")
    return found


def open_inspections(owner_id: int | None) -> int:
    """How many of a person's inspections, or of all people who are not signed in, are waiting or running."""
    return Inspection.objects.filter(owner=owner_id, expires__gt=now()).exclude(state__in=INSPECTION_OVER).count()
