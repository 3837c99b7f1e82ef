"""Addresses of what people are told: notifications, how they come, activity."""

from __future__ import annotations

from django.urls import URLPattern, path

from medtheca.interfaces.web import activity, notifications
from medtheca.interfaces.web.errors import View, page


def _page(route: str, view: View, name: str) -> URLPattern:
    return path(route, page(view), name=name)


urlpatterns: list[URLPattern] = [
    _page("notifications/", notifications.notifications, "notifications"),
    _page("notifications/bell/", notifications.notifications_bell, "notifications_bell"),
    _page("notifications/read/", notifications.notifications_read, "notifications_read"),
    _page("notifications/under-way/", notifications.notifications_under_way, "notifications_under_way"),
    _page("notifications/<int:notification_id>/", notifications.notification_open, "notification_open"),
    _page("account/notifications/", notifications.notification_preferences, "notification_preferences"),
    _page("activity/", activity.all_events, "activity"),
    _page("cohorts/<int:cohort_id>/activity/", activity.cohort_events, "cohort_activity"),
    _page("images/<str:ref>/activity/", activity.image_events, "image_activity"),
    # Not through `_page`: that would hide from Django that mail programs may post here.
    path("unsubscribe/<str:token>/", notifications.unsubscribe_page, name="unsubscribe"),
]
