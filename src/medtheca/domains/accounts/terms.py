"""The terms of use and the privacy notice, and who accepted which version of the terms.

The texts are the package's, or an instance's own (MEDTHECA_TERMS, MEDTHECA_PRIVACY). The privacy notice informs; it is
not accepted.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.domains.accounts.models import TermsAcceptance, User
from medtheca.domains.ledger.operations import record
from medtheca.toolkit.prose import Prose, read_prose


def current_terms() -> Prose:
    """The terms of use as they are now."""
    return _text("terms.txt", settings.TERMS_FILE)


def current_privacy() -> Prose:
    """The privacy notice as it is now."""
    return _text("privacy.txt", settings.PRIVACY_FILE)


def must_accept(user: User) -> bool:
    """Whether the user has yet to accept the terms as they are now. Demo logins are nobody who could."""
    return not user.is_demo and user.accepted_version != current_terms().version


def accept_terms(*, user: User) -> User:
    """Note that a person accepts the terms of use as they are now; the time of the first time stays."""
    version = current_terms().version
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        _, fresh = TermsAcceptance.objects.get_or_create(user=user, version=version)
        if locked.accepted_terms is None:
            locked.accepted_terms = now()
        locked.accepted_version = version
        locked.save(update_fields=["accepted_terms", "accepted_version"])
        if fresh:
            record(
                actor_id=user.pk,
                verb="user.accepted_terms",
                subject_type="user",
                subject_id=user.pk,
                details={"version": version},
            )
    user.refresh_from_db(fields=["accepted_terms", "accepted_version"])
    return user


def acceptances_of(user: User) -> QuerySet[TermsAcceptance]:
    """Versions that the user accepted, newest first."""
    return TermsAcceptance.objects.filter(user=user).order_by("-at", "-pk")


def _text(name: str, own: Path | None) -> Prose:
    if own is None:
        return _packaged(name)
    return _read_file(own, own.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _packaged(name: str) -> Prose:
    return read_prose(files("medtheca.domains.accounts").joinpath("texts", name).read_text(encoding="utf-8"))


@lru_cache(maxsize=4)
def _read_file(path: Path, changed: int) -> Prose:
    return read_prose(path.read_text(encoding="utf-8"))
