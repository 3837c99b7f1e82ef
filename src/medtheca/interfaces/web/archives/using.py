"""What the items of an archive may be used for, and what uses them, on its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse

from medtheca.domains.archives.enums import Service
from medtheca.domains.archives.services import OFFERS
from medtheca.interfaces.web.archives.frame import url_of
from medtheca.workflows.archive_services import used_in

if TYPE_CHECKING:
    from medtheca.domains.archives.access import Asker, Standing
    from medtheca.domains.archives.models import Archive
    from medtheca.domains.archives.services import Offer
    from medtheca.workflows.archive_services import Used

_ICONS = {
    Service.COLLECTION: "folder-plus",
    Service.READER_STUDY: "users",
    Service.ALGORITHM: "code",
    Service.CHALLENGE_PHASE: "flag",
}


def uses_shown(archive: Archive, standing: Standing, asker: Asker) -> dict[str, Any]:
    """What `pages/archives/uses.html` needs. What is coming is told to those who will be permitted."""
    offers = [offer for offer in OFFERS if offer.is_open_to(standing)]
    return {
        "offers": [_offer(offer, archive) for offer in offers],
        "uses": [_use(one) for one in used_in(archive, asker, standing)],
    }


def _offer(offer: Offer, archive: Archive) -> dict[str, Any]:
    return {
        "title": offer.title,
        "words": offer.words,
        "needs": offer.needs,
        "icon": _ICONS[offer.service],
        "comes_with": offer.comes_with,
        "url": url_of("archive_collect", archive.slug) if offer.service is Service.COLLECTION else "",
    }


def _use(used: Used) -> dict[str, Any]:
    is_shown = bool(used.name)
    return {
        "what": used.service.label,
        "name": used.name,
        "url": reverse("collection", args=[used.target]) if is_shown and used.service is Service.COLLECTION else "",
        "items": used.items,
        "whole": used.whole,
        "by": used.by,
        "at": used.at,
    }
