"""Contributors and cohorts."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.metadata.queries import metadata_files_of
from medtheca.domains.provenance.access import may_edit, may_own, may_review, visible_contributors
from medtheca.domains.provenance.agreements import agreement_is_current
from medtheca.domains.provenance.operations import create_cohort, create_contributor
from medtheca.domains.provenance.overviews import cohorts_for, count_images_of, deliveries_of, owned_contributors
from medtheca.domains.provenance.queries import cohort_for, contributor_for, counts_of_cohort
from medtheca.domains.search.filters import Filters
from medtheca.domains.search.queries import decode_cursor, find_page
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.deliveries import metadata_rows, upload_rows
from medtheca.interfaces.web.forms import CohortForm, ContributorForm
from medtheca.interfaces.web.paging import address, slice_of
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.tiles import tiles_of

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Cohort

_PAGE = 60
_LATEST = 5


@login_required
@require_safe
def cohorts(request: HttpRequest) -> HttpResponse:
    """The person's cohorts; all for staff."""
    found = slice_of(request, cohorts_for(signed_in(request)), size=50)
    counts = count_images_of(found.rows)
    rows = [
        {
            "name": cohort.name,
            "url": reverse("cohort", args=[cohort.pk]),
            "contributor": cohort.contributor.institution_name,
            "licence": cohort.licence,
            "images": counts[cohort.pk].images,
            "published": counts[cohort.pk].published,
        }
        for cohort in found.rows
    ]
    return render(
        request,
        "pages/cohorts.html",
        {
            "cohorts": rows,
            "create_url": reverse("cohort_create"),
            "contributors_url": reverse("contributors"),
            "guide_url": reverse("guide"),
            **found.links(),
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def contributor_create(request: HttpRequest) -> HttpResponse:
    """A new contributor, whose first owner is the person."""
    form = ContributorForm(request.POST or None)
    if form.is_valid():
        try:
            contributor = create_contributor(creator=signed_in(request), **form.cleaned_data)
        except Invalid as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{contributor.institution_name} was added. Now its first cohort.")
            return redirect(f"{reverse('cohort_create')}?contributor={contributor.pk}")
    return render(request, "pages/contributor_form.html", {"form": form, "cancel_url": reverse("cohorts")})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cohort_create(request: HttpRequest) -> HttpResponse:
    """A new cohort of one of the person's contributors; without a contributor, that comes first."""
    user = signed_in(request)
    contributors = list(owned_contributors(user))
    if not contributors:
        messages.info(request, "First, who answers for the images: the contributor of your cohorts.")
        return redirect("contributor_create")
    chosen = next((row for row in contributors if str(row.pk) == request.GET.get("contributor")), contributors[0])
    initial = {
        "contributor": chosen.pk,
        "licence": chosen.default_licence or "CC-BY-4.0",
        "attribution": chosen.default_attribution or chosen.institution_name[:200],
    }
    form = CohortForm(request.POST or None, contributors=contributors, initial=initial)
    if form.is_valid():
        given = form.cleaned_data
        contributor = contributor_for(user, given.pop("contributor"))
        try:
            cohort = create_cohort(creator=user, contributor=contributor, **given)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"The cohort {cohort.name} is there. Upload its images next.")
            return redirect("cohort", cohort.pk)
    context = {
        "form": form,
        "cancel_url": reverse("cohorts"),
        "contributor_create_url": reverse("contributor_create"),
    }
    return render(request, "pages/cohort_form.html", context)


@login_required
@require_safe
def cohort(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """Counts, deliveries, metadata files and images of a cohort."""
    user = signed_in(request)
    found = cohort_for(user, cohort_id)
    owns = may_own(user, found)
    edits = owns or may_edit(user, found)
    cursor = decode_cursor(request.GET["cursor"]) if request.GET.get("cursor") else None
    images = find_page(Filters(cohort=found.pk), asker=user, limit=_PAGE, cursor=cursor, newest_first=True)
    context = {
        "cohort": _shown(found) | {"contributor": _contributor(found, user)},
        "counts": _counts(found),
        "images": tiles_of(images.images, asker=user, query=f"cohort={found.pk}"),
        "next_url": address(request, cursor=images.next.encode()) if images.next else None,
        "previous_url": address(request, cursor=images.previous.encode()) if images.previous else None,
        "gallery_url": f"{reverse('gallery')}?cohort={found.pk}",
        "may_edit": edits,
        "may_own": owns,
        "agreed": agreement_is_current(found.contributor),
        "agreement_url": reverse("contributor_agreement", args=[found.contributor_id]),
        "links": _links(found, user, edits=edits, owns=owns),
        "uploads": upload_rows(deliveries_of(found)[:_LATEST]),
        "metadata_files": metadata_rows(metadata_files_of(found)[:_LATEST]),
    }
    if edits:
        context |= {
            "upload_url": f"{reverse('upload')}?cohort={found.pk}",
            "metadata_url": reverse("metadata_upload", args=[found.pk]),
            "publish_url": reverse("publish", args=[found.pk]),
        }
    return render(request, "pages/cohort.html", context)


def _links(cohort: Cohort, user: User, *, edits: bool, owns: bool) -> list[dict[str, str]]:
    """What else can be done with a cohort, by what the person may; addresses that are not there are left out."""
    wanted = [
        ("review_cohort", "eye", "Review", may_review(user, cohort)),
        ("cohort_people", "users", "People", True),
        ("cohort_edit", "pencil", "Edit", owns),
        ("cohort_licence", "scale", "Licence", owns),
        ("cohort_move", "arrow-right", "Move images", owns),
        ("cohort_merge", "folder-plus", "Merge", owns),
        ("cohort_patients", "user-round", "Patients", edits),
        ("cohort_duplicates", "copy", "Near-duplicates", True),
        ("cohort_activity", "clock", "Activity", True),
    ]
    found = []
    for name, icon, words, may in wanted:
        if may:
            with contextlib.suppress(NoReverseMatch):
                found.append({"url": reverse(name, args=[cohort.pk]), "icon": icon, "words": words})
    return found


def _shown(cohort: Cohort) -> dict[str, object]:
    return {
        "id": cohort.pk,
        "name": cohort.name,
        "url": reverse("cohort", args=[cohort.pk]),
        "description": cohort.description,
        "contributor": {"name": cohort.contributor.institution_name},
        "consent_basis": cohort.consent_basis,
        "attested": cohort.attested,
        "attested_by": cohort.attested_by.shown_name if cohort.attested_by else "",
        "attest_url": reverse("cohort_attest", args=[cohort.pk]),
        "readers": cohort.readers,
        "licence": cohort.licence,
        "attribution": cohort.attribution,
        "created": cohort.created,
    }


def _contributor(cohort: Cohort, user: User) -> dict[str, str]:
    """The contributor of a cohort, with its page for those who belong to it too."""
    seen = visible_contributors(user).filter(pk=cohort.contributor_id).exists()
    url = reverse("contributor", args=[cohort.contributor_id]) if seen else ""
    return {"name": cohort.contributor.institution_name, "url": url}


def _counts(cohort: Cohort) -> dict[str, int]:
    counts = counts_of_cohort(cohort)
    images, published = counts["converted"], counts["published"]
    return {
        "images": images,
        "published": published,
        "unpublished": images - published,
        "waiting": counts["received"],
        "refused": counts["refused"],
    }
