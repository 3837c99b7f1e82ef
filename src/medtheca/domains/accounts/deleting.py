"""Deleting accounts: a wish, days of grace in which logging in takes it back, then a row with nothing but a pseudonym.

The row itself stays, because what people did to images points at it. What else has to go, and what stands in the way,
the workflow `leaving` knows.
"""

from __future__ import annotations

from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.domains.accounts.applications import applications_of
from medtheca.domains.accounts.connections import end_all_connections, end_programs
from medtheca.domains.accounts.credentials import end_sessions
from medtheca.domains.accounts.models import AccountDeletion, ApiToken, DataExport, TermsAcceptance, User
from medtheca.domains.ledger.inbox import forget_recipient
from medtheca.domains.ledger.operations import record

GRACE = timedelta(days=14)


def open_deletion(user: User) -> AccountDeletion | None:
    """The wish that a user be deleted, while it may be taken back."""
    return _open().filter(user=user).first()


def due_deletions() -> QuerySet[AccountDeletion]:
    """Wishes whose grace is over."""
    return _open().filter(due__lte=now()).select_related("user").order_by("due", "pk")


def begin_deletion(*, user: User, actor_id: int | None, at_once: bool) -> AccountDeletion:
    """Note the wish; log the user out everywhere, end their tokens and disconnect applications.

    A second wish changes only the day, to earlier. The caller has checked that nothing stands in the way.
    """
    due = now() if at_once else now() + GRACE
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        deletion, fresh = _open().get_or_create(user=user, defaults={"due": due, "by_id": actor_id})
        if due < deletion.due:
            deletion.due = due
            deletion.save(update_fields=["due"])
        if fresh:
            record(
                actor_id=actor_id,
                verb="user.deletion_requested",
                subject_type="user",
                subject_id=user.pk,
                details={"due": deletion.due.isoformat(), "at_once": at_once},
            )
        end_programs(user=user, because="deletion", actor_id=actor_id)
        end_sessions(user=user)
    return deletion


def cancel_deletion(*, user: User, actor_id: int | None) -> bool:
    """Take the wish back; return whether there was one."""
    with transaction.atomic():
        cancelled = _open().filter(user=user).update(cancelled=now())
        if cancelled:
            record(actor_id=actor_id, verb="user.deletion_cancelled", subject_type="user", subject_id=user.pk)
    return bool(cancelled)


def anonymise(*, user: User, actor_id: int | None) -> bool:
    """Leave nothing of a user but the pseudonym; return False where that was done before.

    Names, address, keys, sessions, acceptances and exports go. Nobody can log in as the row that is left.
    """
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=user.pk)
        if row.deleted is not None:
            return False
        # Ended one by one: the session itself must go too, and whoever remembers it hears of it.
        end_sessions(user=row)
        for model in (EmailAddress, Authenticator, SocialAccount, UserSession, ApiToken, DataExport, TermsAcceptance):
            model.objects.filter(user=row).delete()
        end_all_connections(user=row, because="deletion", actor_id=actor_id)
        applications_of(row).delete()
        row.email = f"deleted-{row.hash_id}@deleted.invalid".lower()
        row.first_name = row.last_name = row.affiliation = row.orcid = row.country = ""
        row.is_active = row.is_staff = row.is_superuser = False
        row.accepted_terms, row.accepted_version, row.last_login = None, "", None
        row.deleted = now()
        row.set_unusable_password()
        row.save()
        row.groups.clear()
        row.user_permissions.clear()
        AccountDeletion.objects.filter(user=row, done__isnull=True, cancelled__isnull=True).update(done=row.deleted)
        forget_recipient(row.pk)
        record(actor_id=actor_id, verb="user.deleted", subject_type="user", subject_id=row.pk)
    return True


def _open() -> QuerySet[AccountDeletion]:
    return AccountDeletion.objects.filter(cancelled__isnull=True, done__isnull=True)
