"""What every page of an archive has in common: its head and its tabs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from medtheca.domains.access.enums import Role
from medtheca.domains.archives.access import Standing, standing_in
from medtheca.domains.archives.queries import archive_of_slug
from medtheca.domains.archives.requests import count_waiting

if TYPE_CHECKING:
    from medtheca.domains.archives.models import Archive

ROLES = {
    Role.EDITOR: "You are an editor",
    Role.UPLOADER: "You are an uploader",
    Role.VIEWER: "You are a user",
    Role.ONLOOKER: "You may look, and take nothing away",
}


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: the name of its address (which takes the slug), its word and icon, and who is shown it."""

    name: str
    label: str
    icon: str
    shown_to: str = "all"  # or sees_items, uploads, edits: a property of `Standing`


TABS = (
    Tab("archive", "Information", "info"),
    Tab("archive_items", "Items", "images", "sees_items"),
    Tab("archive_uploads", "Uploads", "upload", "uploads"),
    Tab("archive_people", "People", "users", "edits"),
    Tab("archive_requests", "Requests", "mail", "edits"),
    Tab("archive_export", "Export", "download", "takes_away"),
    Tab("archive_activity", "Activity", "clock", "edits"),
    Tab("archive_settings", "Settings", "settings", "edits"),
)
"""In their order. One whose address does not exist in `urls.py` is left out."""


def open_archive(request: HttpRequest, slug: str) -> tuple[Archive, Standing]:
    """The archive at an address and what the person may in it. Raises `NotFound`."""
    found = archive_of_slug(request.user, slug)
    return found, standing_in(request.user, found)


def frame(
    archive: Archive, standing: Standing, current: str, *, counts: dict[str, int] | None = None
) -> dict[str, Any]:
    """What `pages/archives/base.html` needs. `current` is a name of `TABS`; `counts` stand beside tabs, by name.

    Editors see on every tab how many requests wait for them.
    """
    shown = {"archive_requests": count_waiting(archive) if standing.edits else 0, **(counts or {})}
    return {
        "archive": archive,
        "standing": standing,
        "role_words": ROLES.get(standing.role, "") if standing.role else "",
        "logo_url": logo_url(archive),
        "logo_form_url": url_of("archive_logo_choose", archive.slug) if standing.edits else "",
        "tabs": [
            {
                "label": tab.label,
                "icon": tab.icon,
                "url": url,
                "current": tab.name == current,
                "count": shown.get(tab.name, 0),
            }
            for tab in TABS
            if (tab.shown_to == "all" or getattr(standing, tab.shown_to)) and (url := url_of(tab.name, archive.slug))
        ],
    }


def url_of(name: str, *args: object) -> str:
    """An address by its name, or nothing where there is no such page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def logo_url(archive: Archive, *, small: bool = True) -> str:
    """Where its logo is: its own, or one that is drawn from its title."""
    address = url_of("archive_logo", archive.slug)
    return f"{address}?size=small" if address and small else address
