"""The terms of use, which a person accepts once."""

from __future__ import annotations

from django.db import transaction

from medtheca.base.clock import now
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record


def accept_terms(*, user: User) -> User:
    """Note that a person accepts the terms of use; the time of the first time stays."""
    with transaction.atomic():
        if User.objects.filter(pk=user.pk, accepted_terms__isnull=True).update(accepted_terms=now()):
            record(actor_id=user.pk, verb="user.accepted_terms", subject_type="user", subject_id=user.pk)
    user.refresh_from_db(fields=["accepted_terms"])
    return user
