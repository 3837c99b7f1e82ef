"""What one person was told, and how they want to be told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import Invalid, Problem
from medtheca.domains.ledger.enums import Channel, MailState
from medtheca.domains.ledger.kinds import KINDS, Kind, kind_of, known
from medtheca.domains.ledger.models import Notification, Preference
from medtheca.domains.ledger.operations import record
from medtheca.toolkit.suggest import did_you_mean

_MOST_SHOWN = 100
KEPT_FOR = timedelta(days=400)
"""How long a notification is kept, read or not."""


def notifications_of(recipient_id: int, *, unread: bool = False, section: str = "") -> QuerySet[Notification]:
    """What somebody was told, the latest first; only what is unread, or of one section of `KINDS`, where asked."""
    rows = Notification.objects.filter(recipient_id=recipient_id)
    if unread:
        rows = rows.filter(read_at=None)
    if section:
        rows = rows.filter(kind__in=[kind.name for kind in KINDS if kind.section == section])
    return rows.order_by("-at", "-pk")


def count_unread(recipient_id: int) -> int:
    """How many notifications wait to be read; a hundred stands for a hundred and more."""
    return Notification.objects.filter(recipient_id=recipient_id, read_at=None)[:_MOST_SHOWN].count()


def mark_read(*, recipient_id: int, ids: Collection[int] | None = None, read: bool = True) -> int:
    """Mark notifications of somebody as read, or as unread again; all where none are named. Return how many."""
    rows = Notification.objects.filter(recipient_id=recipient_id, read_at__isnull=read)
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    return rows.update(read_at=now() if read else None)


def preferences_of(recipient_id: int, *, staff: bool = True) -> list[tuple[Kind, Channel]]:
    """Every kind, and how this person hears of it; without what is for staff alone where `staff` is false."""
    chosen = dict(Preference.objects.filter(recipient_id=recipient_id).values_list("kind", "channel"))
    return [(kind, Channel(chosen.get(kind.name, kind.default))) for kind in KINDS if staff or not kind.staff]


def choose_channels(*, recipient_id: int, channels: Mapping[str, str]) -> None:
    """Choose how somebody hears of the kinds named. Raises `Invalid` naming every kind and way that is none."""
    problems = [problem for name, channel in channels.items() if (problem := _problem(name, channel))]
    if problems:
        raise Invalid("These choices cannot be kept.", problems=problems)
    with transaction.atomic():
        for name, channel in channels.items():
            Preference.objects.update_or_create(
                recipient_id=recipient_id, kind=name, defaults={"channel": Channel(channel)}
            )
        record(
            actor_id=recipient_id,
            verb="notifications.chosen",
            subject_type="user",
            subject_id=recipient_id,
            details={"channels": dict(channels)},
        )


def stop_mail(*, recipient_id: int, kinds: Collection[str]) -> None:
    """Tell somebody of these kinds on the page only; mail that waits is not sent. What they turned off stays off."""
    wanted = {name for name in kinds if known(name)}
    mailed = {
        kind.name: Channel.PAGE
        for kind, channel in preferences_of(recipient_id)
        if kind.name in wanted and channel in {Channel.MAIL, Channel.DIGEST}
    }
    with transaction.atomic():
        if mailed:
            choose_channels(recipient_id=recipient_id, channels=mailed)
        waiting = Notification.objects.filter(recipient_id=recipient_id, kind__in=kinds, mail_state=MailState.DUE)
        waiting.update(mail_state=MailState.NONE)


def forget_recipient(recipient_id: int) -> None:
    """Delete everything that somebody was told, and their choices: the account is no more."""
    Notification.objects.filter(recipient_id=recipient_id).delete()
    Preference.objects.filter(recipient_id=recipient_id).delete()


def forget_old(*, older_than: timedelta = KEPT_FOR) -> int:
    """Delete what was told so long ago and is not waiting to be mailed; return how many."""
    old = Notification.objects.filter(at__lt=now() - older_than).exclude(mail_state=MailState.DUE)
    return old.delete()[0]


def _problem(name: str, channel: str) -> Problem | None:
    if not known(name):
        remedy = did_you_mean(name, [kind.name for kind in KINDS]) or "Look at the list of all kinds."
        return Problem(name, f"{name} is no kind of notification.", code="unknown_kind", remedy=remedy)
    if channel not in Channel.values:
        return Problem(name, f"{channel} is no way of telling.", remedy=f"One of {', '.join(Channel.values)}.")
    if kind_of(name).must and channel == Channel.NONE:
        return Problem(
            name,
            f"“{kind_of(name).title}” cannot be turned off altogether: it is how you would notice that somebody else "
            "uses your account.",
            code="needed",
            remedy="Choose the page alone.",
        )
    return None
