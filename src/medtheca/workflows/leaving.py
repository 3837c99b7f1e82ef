"""Deleting an account, over all domains: what stands in the way, what goes, what stays, and doing it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import transaction

from medtheca.base.jobs import enqueue
from medtheca.domains.access.leaving import circles_owned_alone, leave_all_circles, lock_owners
from medtheca.domains.access.models import Membership, Scope
from medtheca.domains.accounts.credentials import sessions_of
from medtheca.domains.accounts.deleting import anonymise, begin_deletion, due_deletions
from medtheca.domains.accounts.errors import LastOwner
from medtheca.domains.accounts.factors import factors_of
from medtheca.domains.accounts.models import AccountDeletion, ApiToken, User
from medtheca.domains.collections.leaving import collections_that_go, leave_collections
from medtheca.domains.ledger.models import Event
from medtheca.domains.provenance.access import require_staff
from medtheca.domains.provenance.models import Accession, Contributor, Review
from medtheca.domains.search.operations import forget_saved_searches
from medtheca.domains.search.saved import saved_searches_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Preview:
    """What the deletion of an account would do; counts, and names of what stands in the way."""

    sole_owner_of: tuple[str, ...]
    sessions: int
    tokens: int
    factors: int
    memberships: int
    collections: int
    saved_searches: int
    accessions: int
    reviews: int
    events: int

    @property
    def possible(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.sole_owner_of


def preview_deletion(*, user: User) -> Preview:
    """Say what goes and what stays. Changes nothing."""
    factors = factors_of(user)
    return Preview(
        sole_owner_of=_names(list(circles_owned_alone(user))),
        sessions=sessions_of(user).count(),
        tokens=ApiToken.objects.filter(user=user, revoked__isnull=True).count(),
        factors=factors.app + factors.passkeys,
        memberships=Membership.objects.filter(user=user).count(),
        collections=collections_that_go(user).count(),
        saved_searches=len(saved_searches_of(user)),
        accessions=Accession.objects.filter(creator=user).count(),
        reviews=Review.objects.filter(reviewer=user).count(),
        events=Event.objects.filter(actor_id=user.pk).count(),
    )


def request_deletion(*, user: User) -> AccountDeletion:
    """A person asks for their own account to be deleted after the days of grace. Raises `LastOwner`."""
    with transaction.atomic():
        _refuse_last_owner(user)
        return begin_deletion(user=user, actor_id=user.pk, at_once=False)


def delete_user(*, user: User, staff: User | None, at_once: bool) -> AccountDeletion:
    """Staff, or the operator on the command line (`staff` is None), delete an account.

    Raises `NotAllowed` and `LastOwner`. At once means by a job that begins now.
    """
    if staff is not None:
        require_staff(staff, to="delete an account")
    with transaction.atomic():
        _refuse_last_owner(user)
        deletion = begin_deletion(user=user, actor_id=staff.pk if staff else None, at_once=at_once)
        if at_once:
            enqueue("accounts.delete", queueing_lock="accounts.delete")
    return deletion


def delete_due_accounts() -> int:
    """Delete the accounts whose grace is over; return how many. Repeating it, or breaking it off, does no harm.

    Who became the last owner of something meanwhile stays until somebody else owns it too.
    """
    done = 0
    for deletion in due_deletions():
        try:
            done += _delete(deletion)
        except LastOwner as refusal:
            log.warning("The account %s cannot be deleted yet: it is the last owner.", deletion.user.hash_id)
            log.debug("%s", refusal)
    return done


def _delete(deletion: AccountDeletion) -> bool:
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=deletion.user_id)
        still_wanted = due_deletions().filter(pk=deletion.pk).exists()
        if not still_wanted:
            # Taken back between the reading of the list and now.
            return False
        _refuse_last_owner(user)
        leave_collections(user)
        forget_saved_searches(user)
        leave_all_circles(user)
        return anonymise(user=user, actor_id=deletion.by_id)


def _refuse_last_owner(user: User) -> None:
    lock_owners(user)
    if names := _names(list(circles_owned_alone(user))):
        raise LastOwner(names)


def _names(scopes: list[Scope]) -> tuple[str, ...]:
    """What pages call these circles: a contributor's name, the archive's or the group's."""
    contributors = dict(
        Contributor.objects.filter(scope__in=[scope.pk for scope in scopes]).values_list("scope_id", "institution_name")
    )
    return tuple(contributors.get(scope.pk) or f"the {scope.kind} {scope.name}" for scope in scopes)
