"""What an archive says of itself, and who may see what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from medtheca.domains.archives.access import listed_archives
from medtheca.domains.archives.enums import AccessHandling
from medtheca.domains.archives.listing import count_items
from medtheca.domains.archives.requests import situation_of
from medtheca.interfaces.web.archives.frame import frame, open_archive, url_of
from medtheca.interfaces.web.archives.using import uses_shown
from medtheca.interfaces.web.people import person
from medtheca.toolkit.markdown import to_html

if TYPE_CHECKING:
    from medtheca.domains.archives.models import Archive

_CLASSES = {
    "a": "text-link breakable",
    "ul": "grid list-disc gap-2 pl-5",
    "ol": "grid list-decimal gap-2 pl-5",
    "h2": "mt-3",
    "h3": "mt-3",
    "h4": "mt-3",
    "blockquote": "grid gap-3 border-l border-base-300 pl-4 text-muted",
    "code": "font-mono breakable",
    "table": "data-table",
}
_HANDLING = {
    AccessHandling.MANUAL_REVIEW: "An editor decides on each request.",
    AccessHandling.ACCEPT_VERIFIED_USERS: "Verified people are let in at once; an editor decides on others.",
    AccessHandling.ACCEPT_ALL: "Everybody who asks is let in at once.",
}


@require_safe
def archive(request: HttpRequest, slug: str) -> HttpResponse:
    """The first tab. Of an archive that is not listed for them, people read its title and that they may ask."""
    found, standing = open_archive(request, slug)
    is_listed = standing.sees_items or listed_archives(request.user).filter(pk=found.pk).exists()
    user = person(request.user)
    asks = not standing.sees_items and found.approved
    items = count_items(request.user, [found]).get(found.pk, 0)
    context = {
        **frame(found, standing, "archive"),
        "is_listed": is_listed,
        "information": to_html(found.information, classes=_CLASSES) if is_listed and found.information else "",
        "items": items,
        "next_steps": _next_steps(found) if standing.edits and not items else [],
        "handling": _HANDLING[AccessHandling(found.access_requests)],
        "seen_by": _seen_by(found),
        "taken_by": _taken_by(found),
        "publications": [{"doi": doi, "url": f"https://doi.org/{doi}"} for doi in found.publications],
        "request_url": url_of("archive_request", found.slug) if asks else "",
        "is_signed_in": user is not None,
        **(_situation(request, found) if asks else {}),
        "citation": found.citation,
        "address": request.build_absolute_uri(request.path),
        **uses_shown(found, standing, request.user),
    }
    return render(request, "pages/archives/information.html", context)


def _situation(request: HttpRequest, archive: Archive) -> dict[str, Any]:
    """How far the person's request is: what `situation.html` says."""
    found = situation_of(request.user, archive)
    return {
        "asking": found.asking.value,
        "asked": found.request,
        "again": found.again,
        "verifies_in": found.verifies_in,
    }


def _next_steps(archive: Archive) -> list[dict[str, str]]:
    steps = (
        ("Upload images", "upload", "archive_uploads"),
        ("Let people in", "users", "archive_people"),
        ("Describe it, say who finds it", "settings", "archive_settings"),
    )
    return [{"label": label, "icon": icon, "url": url_of(name, archive.slug)} for label, icon, name in steps]


def _seen_by(archive: Archive) -> str:
    if archive.public:
        return "Everybody finds this page. Its images and items are seen by the people of the archive."
    if archive.hidden:
        return "Only the people of the archive find it; for others there is nothing at this address."
    return "It is not listed. Whoever is signed in and has its address reads its title, and may ask to see it."


def _taken_by(archive: Archive) -> str:
    if archive.downloads:
        return "Editors, uploaders and users may take files and values away."
    return "Editors and uploaders may take files and values away; users look at them here."
