"""Public ids that were erased: which they are, and what may still be said of them."""

from __future__ import annotations

from collections.abc import Iterable

from medtheca.base.errors import Erased
from medtheca.domains.storage.models import ErasedId


def erased_among(public_ids: Iterable[str]) -> set[str]:
    """Those of the ids that were erased; they are never given again."""
    return set(ErasedId.objects.filter(public_id__in=list(public_ids)).values_list("public_id", flat=True))


def raise_if_erased(public_id: str) -> None:
    """Raise `Erased` where this was the public id of something that was erased."""
    found = ErasedId.objects.filter(public_id=public_id).first()
    if found is not None:
        raise Erased(f"{found.public_id} was erased on {found.at:%-d %B %Y}.")


def note_erased(public_ids: Iterable[str]) -> None:
    """Let these ids be taken for ever. Call in the transaction in which their rows go."""
    ErasedId.objects.bulk_create([ErasedId(public_id=public_id) for public_id in public_ids], ignore_conflicts=True)
