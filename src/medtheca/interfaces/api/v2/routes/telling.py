"""Activity, work under way, notifications and how they come."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja import Query, Router

from medtheca.domains.ledger.inbox import choose_channels, count_unread, mark_read, notifications_of, preferences_of
from medtheca.domains.ledger.kinds import kind_of
from medtheca.interfaces.api.v2.calling import page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut
from medtheca.interfaces.api.v2.shapes.telling import (
    EventOut,
    EventQuery,
    NotificationOut,
    NotificationQuery,
    PreferencesIn,
    PreferencesOut,
    ReadIn,
    ReadOut,
    WorkListOut,
)
from medtheca.interfaces.http.api_auth import somebody
from medtheca.workflows.activity import cohort_activity, image_activity, in_words, narrowed
from medtheca.workflows.under_way import work_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from medtheca.domains.accounts.models import User
    from medtheca.domains.ledger.models import Event, Notification

router = Router(tags=["activity and notifications"], auth=somebody)


@router.get("/cohorts/{int:cohort_id}/events/", response=PageOut[EventOut], url_name="cohort_events")
def list_cohort_events(request: HttpRequest, cohort_id: int, page: Query[EventQuery]) -> Any:
    """Who did what in a cohort, the latest first. For people of the cohort and staff."""
    _, events = cohort_activity(user_of(request), cohort_id)
    return _events(request, events, page)


@router.get("/images/{isic_id}/events/", response=PageOut[EventOut], url_name="image_events")
def list_image_events(request: HttpRequest, isic_id: str, page: Query[EventQuery]) -> Any:
    """Who did what to an image, the latest first. For people of its cohort and staff."""
    _, _, events = image_activity(user_of(request), isic_id)
    return _events(request, events, page)


@router.get("/under-way/", response=WorkListOut, url_name="under_way")
def list_work(request: HttpRequest) -> Any:
    """What the caller set going and what has not ended, with how far it has come. Ask again to follow it."""
    return {"results": [asdict(work) for work in work_of(user_of(request))]}


@router.get("/notifications/", response=PageOut[NotificationOut], url_name="notifications")
def list_notifications(request: HttpRequest, page: Query[NotificationQuery]) -> Any:
    """What the caller was told, the latest first."""
    rows = notifications_of(user_of(request).pk, unread=page.unread, section=page.section)
    return page_of(request, rows, page, order=("at", "pk"), shape=_shown, descending=True)


@router.patch("/notifications/", response=ReadOut, url_name="notifications")
def mark_notifications(request: HttpRequest, given: ReadIn) -> Any:
    """Mark notifications as read, or as unread again. Numbers that are not the caller's change nothing."""
    user = user_of(request)
    changed = mark_read(recipient_id=user.pk, ids=given.ids, read=given.read)
    return {"changed": changed, "unread": count_unread(user.pk)}


@router.get("/notifications/preferences/", response=PreferencesOut, url_name="notification_preferences")
def show_preferences(request: HttpRequest) -> Any:
    """Every kind of notification, and how the caller hears of it."""
    return _preferences(user_of(request))


@router.patch("/notifications/preferences/", response=PreferencesOut, url_name="notification_preferences")
def change_preferences(request: HttpRequest, given: PreferencesIn) -> Any:
    """Choose how the caller hears of the kinds named."""
    user = user_of(request)
    choose_channels(recipient_id=user.pk, channels=given.channels)
    return _preferences(user)


def _events(request: HttpRequest, events: QuerySet[Event], page: EventQuery) -> dict[str, Any]:
    rows = narrowed(events, section=page.section, person=page.person)
    return page_of(request, rows, page, order=("pk",), shape=_told, descending=True)


def _told(rows: list[Event]) -> list[dict[str, Any]]:
    return [asdict(entry) for entry in in_words(rows)]


def _shown(rows: list[Notification]) -> list[dict[str, Any]]:
    return [
        {
            "id": row.pk,
            "kind": row.kind,
            "title": kind_of(row.kind).title,
            "words": row.words,
            "url": row.url,
            "at": row.at,
            "times": row.times,
            "read": row.read_at,
            "mail": row.mail_state,
        }
        for row in rows
    ]


def _preferences(user: User) -> dict[str, Any]:
    return {
        "results": [
            {
                "kind": kind.name,
                "title": kind.title,
                "audience": kind.audience,
                "section": kind.section,
                "channel": channel.value,
                "default": kind.default.value,
                "can_be_turned_off": not kind.must,
            }
            for kind, channel in preferences_of(user.pk, staff=user.is_staff)
        ]
    }
