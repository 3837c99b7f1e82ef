"""The logo of an archive: the square that an editor chose, or none, and then one is drawn from its title."""

from __future__ import annotations

from django.db import transaction

from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_editor
from medtheca.domains.archives.models import Archive
from medtheca.domains.ledger.operations import record
from medtheca.domains.storage.letting_go import mark_let_go
from medtheca.domains.storage.models import Blob

_TO = "change its logo"


def require_logo_editor(actor: User, archive: Archive) -> None:
    """Raise `NotAllowed` or `NotFound` unless the person may choose the archive's logo."""
    require_editor(actor, archive, to=_TO)


def set_logo(*, archive: Archive, actor: User, logo: Blob, small: Blob) -> Archive:
    """Have an archive shown by these PNG files, of 640 and of 128 pixels; what it had before is let go of.

    Call inside `keeping_blobs`. Raises `NotAllowed` or `NotFound`.
    """
    return _change(archive, actor, verb="archive.logo_chosen", logo=logo, small=small)


def remove_logo(*, archive: Archive, actor: User) -> Archive:
    """Have an archive shown by the logo that is drawn from its title. Raises `NotAllowed` or `NotFound`."""
    return _change(archive, actor, verb="archive.logo_removed", logo=None, small=None)


def _change(archive: Archive, actor: User, *, verb: str, logo: Blob | None, small: Blob | None) -> Archive:
    require_logo_editor(actor, archive)
    with transaction.atomic():
        locked = Archive.objects.select_for_update(no_key=True, of=("self",)).get(pk=archive.pk)
        before = {locked.logo_id, locked.logo_small_id}
        after = {logo.pk if logo else None, small.pk if small else None}
        if before != after:
            Archive.objects.filter(pk=locked.pk).update(logo=logo, logo_small=small)
            mark_let_go(pk for pk in before - after if pk is not None)
            record(
                actor_id=actor.pk,
                verb=verb,
                subject_type="archive",
                subject_id=locked.pk,
                cohort_id=locked.cohort_id,
            )
    return Archive.objects.get(pk=archive.pk)
