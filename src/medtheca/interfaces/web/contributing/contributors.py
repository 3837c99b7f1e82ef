"""Contributors: the list, one of them, what is said of it, and the agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.provenance.access import may_edit, may_own, require_owner
from medtheca.domains.provenance.agreements import (
    AGREEMENT_VERSION,
    accept_agreement,
    agreement_is_current,
    agreement_text,
    agreements_of,
)
from medtheca.domains.provenance.contributors import attest, edit_contributor
from medtheca.domains.provenance.overviews import contributors_for, count_images_of
from medtheca.domains.provenance.people import members_of
from medtheca.domains.provenance.queries import cohort_for, contributor_for
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.forms import ContributorForm
from medtheca.interfaces.web.paging import slice_of
from medtheca.interfaces.web.people import signed_in

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Contributor

_FIELDS = (
    "institution_name",
    "institution_url",
    "legal_contact_info",
    "default_licence",
    "default_attribution",
)


@login_required
@require_safe
def contributors(request: HttpRequest) -> HttpResponse:
    """The person's contributors; all for staff."""
    user = signed_in(request)
    found = slice_of(request, contributors_for(user), size=50)
    rows = [
        {
            "name": row.institution_name,
            "url": reverse("contributor", args=[row.pk]),
            "cohorts": row.cohort_number,
            "licence": row.default_licence,
        }
        for row in found.rows
    ]
    context = {"contributors": rows, "create_url": reverse("contributor_create"), **found.links()}
    return render(request, "pages/contributors.html", context)


@login_required
@require_safe
def contributor(request: HttpRequest, contributor_id: int) -> HttpResponse:
    """What is said of a contributor, its cohorts and people."""
    user = signed_in(request)
    found = contributor_for(user, contributor_id)
    owns = may_own(user, found)
    cohorts = list(found.cohorts.order_by("name", "pk"))
    counts = count_images_of(cohorts)
    context = {
        "contributor": shown(found, with_contact=may_edit(user, found)),
        "may_own": owns,
        "agreed": agreement_is_current(found),
        "agreements": agreements_of(found)[:5],
        "agreement_url": reverse("contributor_agreement", args=[found.pk]),
        "cohorts": [
            {
                "name": row.name,
                "url": reverse("cohort", args=[row.pk]),
                "licence": row.licence,
                "images": counts[row.pk].images,
                "published": counts[row.pk].published,
            }
            for row in cohorts
        ],
        "members": members_of(found),
        "people_url": reverse("contributor_people", args=[found.pk]),
        "edit_url": reverse("contributor_edit", args=[found.pk]) if owns else None,
        "cohort_create_url": f"{reverse('cohort_create')}?contributor={found.pk}" if owns else None,
        "merge_url": f"{reverse('staff_merge')}?source={found.pk}" if user.is_staff else None,
    }
    return render(request, "pages/contributor.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def contributor_edit(request: HttpRequest, contributor_id: int) -> HttpResponse:
    """Change what is said of a contributor."""
    user = signed_in(request)
    found = contributor_for(user, contributor_id)
    require_owner(user, found, to="change the contributor")
    form = ContributorForm(request.POST or None, initial={name: getattr(found, name) for name in _FIELDS})
    if form.is_valid():
        try:
            edit_contributor(contributor=found, actor=user, **form.cleaned_data)
        except Invalid as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "The contributor was saved.")
            return redirect("contributor", found.pk)
    context = {
        "form": form,
        "contributor": shown(found, with_contact=True),
        "cancel_url": reverse("contributor", args=[found.pk]),
    }
    return render(request, "pages/contributor_form.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def agreement(request: HttpRequest, contributor_id: int) -> HttpResponse:
    """The contributor agreement, to read; and to accept, for owners."""
    user = signed_in(request)
    found = contributor_for(user, contributor_id)
    error = ""
    if request.method == "POST":
        try:
            accept_agreement(contributor=found, actor=user, version=request.POST.get("version", ""))
        except Conflict as refusal:
            error = f"{refusal.message} {refusal.remedy}"
        else:
            messages.success(request, f"The agreement was accepted for {found.institution_name}.")
            return redirect("contributor", found.pk)
    context = {
        "contributor": shown(found, with_contact=False),
        "version": AGREEMENT_VERSION,
        "parts": _parts(agreement_text()),
        "accepted": agreements_of(found).filter(version=AGREEMENT_VERSION).first(),
        "may_own": may_own(user, found),
        "error": error,
    }
    return render(request, "pages/contributor_agreement.html", context, status=409 if error else 200)


@login_required
@require_POST
def attestation(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """Say that one may give the images of a cohort."""
    user = signed_in(request)
    found = cohort_for(user, cohort_id)
    attest(cohort=found, actor=user)
    messages.success(request, "Your word was noted, with the time.")
    return redirect("cohort", found.pk)


def shown(contributor: Contributor, *, with_contact: bool) -> dict[str, Any]:
    """A contributor as templates name it; the contact is for its editors."""
    return {
        "id": contributor.pk,
        "name": contributor.institution_name,
        "url": reverse("contributor", args=[contributor.pk]),
        "web": contributor.institution_url,
        "contact": contributor.legal_contact_info if with_contact else "",
        "licence": contributor.default_licence,
        "attribution": contributor.default_attribution,
        "created": contributor.created,
    }


def _parts(text: str) -> list[dict[str, str]]:
    """Headings and paragraphs of a text."""
    blocks = [block.strip() for block in text.split("\n\n") if block.strip()]
    return [
        {"kind": "heading" if block.startswith("## ") else "paragraph", "text": block.removeprefix("## ")}
        for block in blocks
    ]
