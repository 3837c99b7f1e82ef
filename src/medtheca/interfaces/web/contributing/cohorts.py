"""Changing a cohort: what is said of it, where its images are, and under which licence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.provenance import moving
from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.contributors import edit_cohort
from medtheca.domains.provenance.licensing import plan_relicense, relicense
from medtheca.domains.provenance.overviews import sister_cohorts
from medtheca.domains.provenance.queries import cohort_for
from medtheca.domains.provenance.selecting import accessions_listed, select
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.contributing.forms import CohortEditForm, LicenceForm, MoveForm, TargetForm
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.planned import Planned, planned
from medtheca.interfaces.web.templatetags.medtheca import plural
from medtheca.workflows import merging

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Cohort

_FIELDS = ("name", "description", "consent_basis", "licence", "attribution", "readers")
_IMAGES = "image,images"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cohort_edit(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """Change what is said of a cohort."""
    user = signed_in(request)
    found = cohort_for(user, cohort_id)
    require_owner(user, found, to="change the cohort")
    initial = {name: getattr(found, name) for name in _FIELDS}
    form = CohortEditForm(request.POST or None, by_staff=user.is_staff, initial=initial)
    if form.is_valid():
        try:
            edit_cohort(cohort=found, actor=user, **form.cleaned_data)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "The cohort was saved.")
            return redirect("cohort", found.pk)
    context = {
        "form": form,
        "cohort": {"name": found.name},
        "cancel_url": reverse("cohort", args=[found.pk]),
        "crumbs": _crumbs(found, "Edit"),
    }
    return render(request, "pages/cohort_form.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cohort_move(request: HttpRequest, cohort_id: int) -> HttpResponseBase:
    """Images go to another cohort of the same contributor, after a preview."""
    user = signed_in(request)
    found = cohort_for(user, cohort_id)
    require_owner(user, found, to="move its images")
    others = list(sister_cohorts(found, user))

    def given(form: MoveForm) -> dict[str, Any]:
        return {
            "source": found,
            "target": cohort_for(user, form.cleaned_data["target"]),
            "accession_ids": accessions_listed(found, form.names()),
            "actor": user,
        }

    def change(form: MoveForm, expected: int) -> HttpResponse:
        plan = moving.move_accessions(**given(form), expected=expected)
        messages.success(request, f"{plural(plan.number, _IMAGES)} moved.")
        return redirect("cohort", form.cleaned_data["target"])

    page = Planned(
        heading="Move images to another cohort",
        lead="Ids, licences and who sees them in public stay. The people of the other cohort see them from then on,"
        " and those of this cohort alone no longer do. They can be moved back.",
        look=lambda form: moving.plan_move(**given(form)),
        change=change,
        verb=lambda plan: f"Move {plural(plan.number, _IMAGES)}",
        context=_context(found, "Move images", others),
    )
    return planned(request, MoveForm(request.POST or None, cohorts=others), page)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cohort_merge(request: HttpRequest, cohort_id: int) -> HttpResponseBase:
    """A cohort becomes part of another of the same contributor, after a preview."""
    user = signed_in(request)
    found = cohort_for(user, cohort_id)
    require_owner(user, found, to="merge it")
    others = list(sister_cohorts(found, user))

    def given(form: TargetForm) -> dict[str, Any]:
        return {"source": found, "target": cohort_for(user, form.cleaned_data["target"]), "actor": user}

    def change(form: TargetForm, expected: int) -> HttpResponse:
        merging.merge_cohorts(**given(form), expected=expected)
        messages.success(request, f"{found.name} is part of this cohort now.")
        return redirect("cohort", form.cleaned_data["target"])

    page = Planned(
        heading=f"Merge {found.name} into another cohort",
        lead="Its images, uploads, spreadsheets and people go to the other cohort, and this one is gone then."
        " That cannot be undone, though images can be moved to a new cohort. Ids and licences stay.",
        look=lambda form: merging.plan_cohort_merge(**given(form)),
        change=change,
        verb=lambda plan: f"Merge the cohort with {plural(plan.number - 1, _IMAGES)}",
        dangerous=True,
        context=_context(found, "Merge", others),
    )
    return planned(request, TargetForm(request.POST or None, cohorts=others), page)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cohort_licence(request: HttpRequest, cohort_id: int) -> HttpResponseBase:
    """Images get another licence, after a preview."""
    user = signed_in(request)
    found = cohort_for(user, cohort_id)
    require_owner(user, found, to="change its licence")

    def given(form: LicenceForm) -> dict[str, Any]:
        ids = accessions_listed(found, form.names())
        selection = select(user=user, cohort_id=found.pk) if ids is None else select(user=user, accession_ids=ids)
        return {"selection": selection, "licence": form.cleaned_data["licence"], "actor": user}

    def change(form: LicenceForm, expected: int) -> HttpResponse:
        plan = relicense(**given(form), reason=form.cleaned_data["reason"], expected=expected)
        messages.success(request, f"{plural(plan.number, _IMAGES)} got the licence {form.cleaned_data['licence']}.")
        return redirect("cohort", found.pk)

    page = Planned(
        heading="Change the licence of images",
        lead="Images that are or were published can only get a more permissive licence: what was given cannot be"
        " taken back. Those never published, or withdrawn, can get any. Images to come keep the cohort's own.",
        look=lambda form: plan_relicense(**given(form)),
        change=change,
        verb=lambda plan: f"Change the licence of {plural(plan.number, _IMAGES)}",
        context=_context(found, "Licence"),
    )
    initial = {"licence": found.licence}
    if request.GET.get("listed"):
        initial |= {"which": "listed", "listed": request.GET["listed"][:10_000]}
    return planned(request, LicenceForm(request.POST or None, initial=initial), page)


def _context(cohort: Cohort, label: str, others: list[Cohort] | None = None) -> dict[str, Any]:
    return {
        "crumbs": _crumbs(cohort, label),
        "cancel_url": reverse("cohort", args=[cohort.pk]),
        "missing": "The contributor has no other cohort. Make one first." if others == [] else "",
        "missing_url": f"{reverse('cohort_create')}?contributor={cohort.contributor_id}",
        "missing_action": "Make a cohort",
    }


def _crumbs(cohort: Cohort, label: str) -> list[dict[str, Any]]:
    return [
        {"label": "Cohorts", "url": reverse("cohorts")},
        {"label": cohort.name, "url": reverse("cohort", args=[cohort.pk])},
        {"label": label, "url": None},
    ]
