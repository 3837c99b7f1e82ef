"""Near-duplicates of a cohort, group by group, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from medtheca.domains.provenance.access import may_review, visible_accessions
from medtheca.domains.provenance.queries import cohort_for
from medtheca.domains.search.duplicates import Member, compare, groups_of_cohort, with_same_pixels
from medtheca.interfaces.web.paging import address, cut_list
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.tiles import tiles_of

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.imaging.models import Image
    from medtheca.domains.provenance.models import Accession, Cohort

_PAGE = 20
_MOST_SHOWN = 24


@login_required
@require_safe
def cohort_duplicates(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """The groups in which an image of the cohort is, as far as the person sees their images."""
    user = signed_in(request)
    cohort = cohort_for(user, cohort_id)
    groups = groups_of_cohort(user, cohort.pk)
    exact = request.GET.get("only") == "exact"
    if exact:
        groups = with_same_pixels(groups)
    page = cut_list(request, groups, size=_PAGE)
    views = [("All", None, not exact), ("Same pixels", "exact", exact)]
    context = {
        "cohort": {"name": cohort.name, "url": reverse("cohort", args=[cohort.pk])},
        "review_url": reverse("review_cohort", args=[cohort.pk]) if may_review(user, cohort) else None,
        "views": [
            {"label": label, "url": address(request, only=only, page=None), "is_chosen": chosen}
            for label, only, chosen in views
        ],
        "number": len(groups),
        "groups": _shown(user, cohort, compare(page.rows)),
        **page.links(),
    }
    return render(request, "pages/review/duplicates.html", context)


def duplicates_url(image: Image) -> str:
    """The gallery with an image's group."""
    query = urlencode({"q": f"duplicate_group:{image.public_id or image.key}"})
    return f"{reverse('gallery')}?{query}"


def _shown(user: User, cohort: Cohort, groups: list[list[Member]]) -> list[dict[str, Any]]:
    images = [row.image for group in groups for row in group[:_MOST_SHOWN]]
    tiles = dict(zip((image.pk for image in images), tiles_of(images, asker=user), strict=True))
    # Whoever sees an image need not know of its submission.
    known = visible_accessions(user).filter(image__in=tiles).select_related("cohort")
    accessions = {row.image_id: row for row in known}
    return [
        {
            "members": [
                _member(row, tiles[row.image.pk], accessions.get(row.image.pk), cohort, is_first=row is group[0])
                for row in group[:_MOST_SHOWN]
            ],
            "number": len(group),
            "more": max(0, len(group) - _MOST_SHOWN),
            "is_exact": all(row.same_pixels for row in group),
            "gallery_url": duplicates_url(group[0].image),
        }
        for group in groups
    ]


def _member(
    row: Member, tile: dict[str, Any], accession: Accession | None, cohort: Cohort, *, is_first: bool
) -> dict[str, Any]:
    words = "same pixels" if row.same_pixels else f"{row.distance} of 64 bits differ"
    return {
        "tile": tile | ({"url": reverse("accession", args=[accession.pk])} if accession else {}),
        "words": "the others are compared with it" if is_first else words,
        "cohort": accession.cohort.name if accession and accession.cohort_id != cohort.pk else "",
    }
