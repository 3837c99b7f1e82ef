"""Telling people: one summary when long work ends, never one per file."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from medtheca.base.clock import now
from medtheca.domains.ledger.enums import Channel, MailState
from medtheca.domains.ledger.kinds import kind_of, known
from medtheca.domains.ledger.models import Notification, Preference

log = logging.getLogger(__name__)

SAME_WITHIN = timedelta(minutes=30)
"""The same kind about the same thing, unread and so young, is told again by changing what was told."""

GATHERED_FOR = timedelta(minutes=2)
"""Mail "at once" waits so long for others, so that ten things that end together make one mail."""

DIGEST_HOUR = 6
"""The hour (UTC) at which daily summaries go out."""


def notify(
    *,
    recipient_ids: Collection[int | None],
    kind: str,
    words: str,
    url: str,
    subject_type: str = "",
    subject_id: object = "",
    cohort_id: int | None = None,
) -> None:
    """Tell people something in the present transaction; those who want mail get it after it is committed.

    Args:
        recipient_ids: users' ids; twice the same is once, None is nobody.
        kind: one of `kinds.KINDS`.
        words: one or two sentences that may stand in a mail: no file names, private ids or metadata.
        url: path of the page where the matter stands, beginning with a slash.
        subject_type: with `subject_id` what it is about; told again within half an hour it is one notification.
        subject_id: see `subject_type`.
        cohort_id: the cohort it concerns; mail goes out only to who may see it then.
    """
    if not known(kind):
        # A test refuses it; here the work that ended matters more than how it is told.
        log.warning("The kind of notification %s is not declared in domains/ledger/kinds.py.", kind)
    wanted = {pk for pk in recipient_ids if pk is not None}
    channels = {pk: channel for pk, channel in channels_of(wanted, kind).items() if channel is not Channel.NONE}
    told = Notification(
        kind=kind, words=words, url=url, subject_type=subject_type, subject_id=str(subject_id), cohort_id=cohort_id
    )
    knowing = _tell_again(channels, told)
    Notification.objects.bulk_create(
        Notification(
            recipient_id=pk,
            kind=kind,
            words=words,
            url=url,
            subject_type=subject_type,
            subject_id=told.subject_id,
            cohort_id=cohort_id,
            **_mail(channel),
        )
        for pk, channel in sorted(channels.items())
        if pk not in knowing
    )


def channels_of(recipient_ids: Collection[int], kind: str) -> dict[int, Channel]:
    """How each of these people wants to hear of a kind."""
    chosen = Preference.objects.filter(recipient_id__in=recipient_ids, kind=kind)
    default = kind_of(kind).default
    channels: dict[int, Channel] = dict.fromkeys(recipient_ids, default)
    channels.update({row.recipient_id: Channel(row.channel) for row in chosen})
    return channels


def _tell_again(channels: Mapping[int, Channel], told: Notification) -> set[int]:
    """Change what was told a moment ago about the same subject; return who has it now."""
    if not told.subject_type:
        return set()
    moment = now()
    same = Notification.objects.select_for_update().filter(
        recipient_id__in=channels,
        kind=told.kind,
        subject_type=told.subject_type,
        subject_id=told.subject_id,
        read_at=None,
        at__gte=moment - SAME_WITHIN,
    )
    knowing = set()
    for row in same.order_by("pk"):
        mail = _mail(channels[row.recipient_id]) if row.mail_state != MailState.DUE else {}
        Notification.objects.filter(pk=row.pk).update(
            words=told.words, url=told.url, at=moment, times=F("times") + 1, **mail
        )
        knowing.add(row.recipient_id)
    return knowing


def _mail(channel: Channel) -> dict[str, Any]:
    """When a mail is due by this channel, as columns."""
    moment = now()
    if channel == Channel.MAIL:
        return {"mail_state": MailState.DUE, "mail_at": moment + GATHERED_FOR}
    if channel == Channel.DIGEST:
        return {"mail_state": MailState.DUE, "mail_at": next_digest(moment)}
    return {}


def next_digest(moment: datetime) -> datetime:
    """The next time that daily summaries go out.

    >>> from datetime import UTC
    >>> next_digest(datetime(2026, 5, 1, 6, 0, tzinfo=UTC)).isoformat()
    '2026-05-02T06:00:00+00:00'
    """
    today = moment.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    return today if today > moment else today + timedelta(days=1)
