"""What a mail about notifications says, as plain text and as HTML; and how one gets no more of them."""

from __future__ import annotations

import hashlib
from email.utils import parseaddr
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string

from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.kinds import kind_of
from medtheca.domains.ledger.models import Notification
from medtheca.workflows.unsubscribing import link_path


def compose(user: User, rows: list[Notification], connection: BaseEmailBackend) -> EmailMultiAlternatives:
    """One mail to somebody about everything in `rows`."""
    kinds = list(dict.fromkeys(row.kind for row in rows))
    stop = _address(link_path(recipient_id=user.pk, kinds=kinds))
    context: dict[str, Any] = {
        "instance": settings.INSTANCE_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "subject": _subject(rows),
        "items": [
            {"title": kind_of(row.kind).title, "words": row.words, "at": row.at, "link": _address(row.url)}
            for row in rows
        ],
        "kinds": [kind_of(name).title for name in kinds],
        "all_link": _address("/notifications/"),
        "preferences_link": _address("/account/notifications/"),
        "stop_link": stop,
    }
    mail = EmailMultiAlternatives(
        subject=f"{settings.INSTANCE_NAME}: {context['subject']}",
        body=render_to_string("ledger/mail/notifications.txt", context),
        to=[user.email],
        headers={
            "Message-ID": _message_id(user, rows),
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
        connection=connection,
    )
    mail.attach_alternative(render_to_string("ledger/mail/notifications.html", context), "text/html")
    return mail


def _subject(rows: list[Notification]) -> str:
    if len(rows) == 1:
        return kind_of(rows[0].kind).title
    titles = {kind_of(row.kind).title for row in rows}
    return f"{titles.pop()} ({len(rows)} times)" if len(titles) == 1 else f"{len(rows)} things have happened"


def _address(path: str) -> str:
    # By the public address always: a Host header is the visitor's to choose, and this mail has no visitor.
    return urljoin(settings.PUBLIC_URL + "/", path.lstrip("/"))


def _message_id(user: User, rows: list[Notification]) -> str:
    """The same for the same notifications told as often, so that a mail sent twice is shown once."""
    told = hashlib.sha256(",".join(f"{row.pk}/{row.times}" for row in rows).encode()).hexdigest()[:20]
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or urlsplit(settings.PUBLIC_URL).hostname
    return f"<notifications.{user.pk}.{told}@{domain}>"
