"""Mail about what ended: one for all that came due in a moment, sent by a job, whatever the mail server does.

Work never waits for mail and never fails with it: a notification is a row, and its mail a column of that row.
"""

from __future__ import annotations

import logging
from smtplib import SMTPException, SMTPRecipientsRefused

from allauth.account.models import EmailAddress
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend

from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.mailing import note_failed, note_sent, note_unneeded, recipients_due, take_due
from medtheca.domains.ledger.models import Notification
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import visible_cohorts
from medtheca.workflows.mail_words import compose

log = logging.getLogger(__name__)
_PERMANENT = 500


class _ServerAway(Exception):
    """The mail server, not the address, is the reason; others need not be tried now."""


def send_due_mail() -> int:
    """Send what is due, one mail a person; return how many went out. Call outside of a transaction."""
    sent = 0
    connection = get_connection(fail_silently=False)
    try:
        for recipient_id in recipients_due():
            if rows := take_due(recipient_id):
                sent += _send(recipient_id, rows, connection)
    except _ServerAway:
        log.info("The mail server does not answer; mail waits.")
    finally:
        _close(connection)
    return sent


def _send(recipient_id: int, rows: list[Notification], connection: BaseEmailBackend) -> bool:
    user = User.objects.filter(pk=recipient_id, is_active=True).first()
    if user is None or not _confirmed(user):
        note_unneeded(rows, why="The account has no confirmed address.")
        return False
    rows = _still_theirs(user, rows)
    if not rows:
        return False
    try:
        connection.send_messages([compose(user, rows, connection)])
    except (SMTPException, OSError) as error:
        _note_failure(user, rows, error)
        _close(connection)
        if not isinstance(error, SMTPRecipientsRefused):
            raise _ServerAway from error
        return False
    note_sent(rows)
    return True


def _confirmed(user: User) -> bool:
    # An address that nobody confirmed may be a stranger's.
    return bool(EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists())


def _still_theirs(user: User, rows: list[Notification]) -> list[Notification]:
    """Without what concerns cohorts that the person has lost sight of since they were told."""
    wanted = {row.cohort_id for row in rows if row.cohort_id is not None}
    seen = set(visible_cohorts(user).filter(pk__in=wanted).values_list("pk", flat=True))
    lost = [row for row in rows if row.cohort_id is not None and row.cohort_id not in seen]
    if lost:
        note_unneeded(lost, why="The cohort is not visible to the person any more.")
    return [row for row in rows if row not in lost]


def _note_failure(user: User, rows: list[Notification], error: Exception) -> None:
    # The error's own text may repeat the address or what a server said of it; its class is enough.
    why = f"{type(error).__name__}{_code_of(error)}"
    if note_failed(rows, why=why, final=_is_final(error)):
        log.warning("Mail to user %s about %s was given up: %s.", user.pk, rows[0].kind, why)
        record(
            actor_id=None,
            verb="mail.given_up",
            subject_type="user",
            subject_id=user.pk,
            details={"notifications": [row.pk for row in rows], "why": why},
        )
    else:
        log.info("Mail to user %s is tried again: %s.", user.pk, why)


def _codes(error: Exception) -> list[int]:
    if isinstance(error, SMTPRecipientsRefused):
        return [code for code, _words in error.recipients.values()]
    code = getattr(error, "smtp_code", None)
    return [code] if isinstance(code, int) else []


def _code_of(error: Exception) -> str:
    return "".join(f" {code}" for code in _codes(error)[:1])


def _is_final(error: Exception) -> bool:
    """Whether the server said for good that it does not take mail to this address."""
    return isinstance(error, SMTPRecipientsRefused) and all(code >= _PERMANENT for code in _codes(error))


def _close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except (SMTPException, OSError):
        log.debug("The mail server did not say goodbye.")
