"""Mail that is due: taken under a lease, sent, tried again, given up after a day.

A lease is a due time in the future, so that no transaction stays open while a mail server thinks. A process that dies
between sending and noting it sends once more; the Message-ID is the same, so that mail programs show it once.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.domains.ledger.enums import MailState
from medtheca.domains.ledger.kinds import kind_of
from medtheca.domains.ledger.models import Notification
from medtheca.domains.ledger.notifying import GATHERED_FOR

MOST_IN_ONE = 200
_LEASE = timedelta(minutes=10)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=2), timedelta(hours=2)
_GIVEN_UP_AFTER = timedelta(days=1)


def recipients_due(*, limit: int = 500) -> list[int]:
    """People for whom mail is due, those who wait longest first."""
    due = Notification.objects.filter(mail_state=MailState.DUE, mail_at__lte=now()).order_by("mail_at")
    return list(dict.fromkeys(due.values_list("recipient_id", flat=True)[: limit * 10]))[:limit]


def take_due(recipient_id: int) -> list[Notification]:
    """What one mail to somebody tells, oldest first; nobody else takes it for ten minutes.

    What comes due in a moment goes with it. What was read on the page meanwhile needs no mail, unless it is of an
    account's safety: whoever broke into an account could read it there.
    """
    moment = now()
    with transaction.atomic():
        rows = Notification.objects.select_for_update(skip_locked=True).filter(
            recipient_id=recipient_id, mail_state=MailState.DUE, mail_at__lte=moment + GATHERED_FOR
        )
        due = list(rows.order_by("pk")[:MOST_IN_ONE])
        read = {row.pk for row in due if row.read_at is not None and not kind_of(row.kind).must}
        Notification.objects.filter(pk__in=read).update(mail_state=MailState.NONE)
        taken = [row for row in due if row.pk not in read]
        Notification.objects.filter(pk__in=[row.pk for row in taken]).update(mail_at=moment + _LEASE)
    return taken


def note_sent(rows: list[Notification]) -> None:
    """The mail server has taken the mail."""
    _rows(rows).update(mail_state=MailState.SENT, mail_note="")


def note_unneeded(rows: list[Notification], *, why: str) -> None:
    """No mail goes out, for a reason that is no failure."""
    _rows(rows).update(mail_state=MailState.NONE, mail_note=why[:200])


def note_failed(rows: list[Notification], *, why: str, final: bool = False) -> bool:
    """Try again later; give up where that is in vain or a day has passed. Return whether it was given up."""
    tries = max(row.mail_tries for row in rows) + 1
    given_up = final or tried_for(tries) >= _GIVEN_UP_AFTER
    state = MailState.GIVEN_UP if given_up else MailState.DUE
    _rows(rows).update(mail_state=state, mail_at=now() + wait_after(tries), mail_tries=tries, mail_note=why[:200])
    return given_up


def wait_after(tries: int) -> timedelta:
    """How long to wait after so many tries that failed.

    >>> [wait_after(tries).seconds // 60 for tries in (1, 2, 3, 7, 60)]
    [2, 4, 8, 120, 120]
    """
    return min(_FIRST_WAIT * (1 << min(tries - 1, 10)), _LONGEST_WAIT)


def tried_for(tries: int) -> timedelta:
    """How long the waits after so many tries are together."""
    return sum((wait_after(number) for number in range(1, tries + 1)), timedelta())


def _rows(rows: list[Notification]) -> QuerySet[Notification]:
    return Notification.objects.filter(pk__in=[row.pk for row in rows])
