"""Relicense, remove a field, purge, merge, convert again: each a preview, then a button that names the number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.domains.ledger.queries import latest_events
from medtheca.domains.provenance.access import require_to_know_of_staff_pages
from medtheca.domains.provenance.licensing import plan_relicense, relicense
from medtheca.domains.provenance.merging import merge_contributors, plan_contributor_merge
from medtheca.domains.provenance.purging import plan_purge, purge
from medtheca.domains.provenance.selecting import find_one_contributor, select_named
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.planned import Planned, planned
from medtheca.interfaces.web.staff.forms import MergeForm, OfForm, PurgeForm, RelicenseForm, RemoveFieldForm
from medtheca.interfaces.web.templatetags.medtheca import plural
from medtheca.workflows.reconvert import begin_reconversion, plan_reconversion
from medtheca.workflows.remove_field import plan_field_removal, remove_field

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

_IMAGES = "image,images"
_TOOLS = (
    ("staff_relicense", "scale", "Change licences", "Of a cohort, a contributor or single images."),
    (
        "staff_remove_field",
        "tag",
        "Remove a metadata field",
        "From every image of a cohort, as a version with a reason.",
    ),
    ("staff_purge", "trash-2", "Remove images for good", "Images that were never published, with their bytes."),
    ("staff_merge", "users", "Merge contributors", "Cohorts, people, patients and lesions of two become those of one."),
    ("staff_reconvert", "refresh-cw", "Convert again", "Renditions and hashes anew from the originals."),
    ("staff_pins", "pin", "Pinned images", "What collections show first, and in which order."),
    ("staff_archives", "inbox", "Archives that wait", "Agree to archives, where the instance asks that."),
    ("staff_people", "user-round", "People", "Find a user, disable or enable them; who reviews what."),
)


def staff_user(request: HttpRequest) -> User:
    """The person, who is of the staff. For everybody else there is no such page: raises `NotFound`."""
    return require_to_know_of_staff_pages(signed_in(request))


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The tools, and what they did lately."""
    staff_user(request)
    tools = [
        {"url": reverse(name), "icon": icon, "title": title, "words": words} for name, icon, title, words in _TOOLS
    ]
    return render(request, "pages/staff/index.html", {"tools": tools})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def relicense_tool(request: HttpRequest) -> HttpResponseBase:
    """Another licence for a cohort, a contributor or single images."""
    user = staff_user(request)

    def given(form: RelicenseForm) -> dict[str, Any]:
        return {"selection": _selection(user, form), "licence": form.cleaned_data["licence"], "actor": user}

    def change(form: RelicenseForm, expected: int) -> HttpResponse:
        chosen = form.cleaned_data
        plan = relicense(**given(form), reason=chosen["reason"], expected=expected, default=chosen["default"])
        return _done(request, f"{plural(plan.number, _IMAGES)} got the licence {chosen['licence']}.")

    page = Planned(
        heading="Change licences",
        lead="Images that are or were published only get a more permissive licence; those never published, or"
        " withdrawn, get any. What may not change is left alone and listed.",
        look=lambda form: plan_relicense(**given(form)),
        change=change,
        verb=lambda plan: f"Change the licence of {plural(plan.number, _IMAGES)}",
        context=_context("Change licences"),
    )
    return planned(request, RelicenseForm(request.POST or None, initial=_initial(request)), page)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove_field_tool(request: HttpRequest) -> HttpResponseBase:
    """A metadata field goes, as a version of each description."""
    user = staff_user(request)

    def given(form: RemoveFieldForm) -> dict[str, Any]:
        return {"selection": _selection(user, form), "field": form.cleaned_data["field"].strip(), "actor": user}

    def change(form: RemoveFieldForm, expected: int) -> HttpResponse:
        plan = remove_field(**given(form), reason=form.cleaned_data["reason"], expected=expected)
        return _done(request, f"{form.cleaned_data['field']} was removed from {plural(plan.number, _IMAGES)}.")

    page = Planned(
        heading="Remove a metadata field",
        lead="Each image gets a new version of its metadata without the field, with your reason. Earlier versions"
        " stay in its history, for its people. Unpublished images are reviewed anew.",
        look=lambda form: plan_field_removal(**given(form)),
        change=change,
        verb=lambda plan: f"Remove the field from {plural(plan.number, _IMAGES)}",
        context=_context("Remove a metadata field"),
    )
    return planned(request, RemoveFieldForm(request.POST or None, initial=_initial(request)), page)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def purge_tool(request: HttpRequest) -> HttpResponseBase:
    """Images that were never published go for good."""
    user = staff_user(request)

    def change(form: PurgeForm, expected: int) -> HttpResponse:
        plan = purge(
            selection=_selection(user, form), reason=form.cleaned_data["reason"], actor=user, expected=expected
        )
        return _done(request, f"{plural(plan.number, _IMAGES)} removed for good.")

    page = Planned(
        heading="Remove images for good",
        lead="Only images that were never published. Image, metadata and reviews go at once, the bytes a week later;"
        " nothing of it comes back. Uploaders read your reason in the verdicts of their upload.",
        look=lambda form: plan_purge(selection=_selection(user, form), actor=user),
        change=change,
        verb=lambda plan: f"Remove {plural(plan.number, _IMAGES)} for good",
        dangerous=True,
        context=_context("Remove images for good"),
    )
    return planned(request, PurgeForm(request.POST or None, initial=_initial(request)), page)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def merge_tool(request: HttpRequest) -> HttpResponseBase:
    """Two contributors become one."""
    user = staff_user(request)

    def given(form: MergeForm) -> dict[str, Any]:
        return {
            "source": find_one_contributor(user, form.cleaned_data["source"], field="source"),
            "target": find_one_contributor(user, form.cleaned_data["target"], field="target"),
            "unite": form.cleaned_data["unite"],
            "actor": user,
        }

    def change(form: MergeForm, expected: int) -> HttpResponse:
        chosen = given(form)
        merge_contributors(**chosen, expected=expected)
        messages.success(request, f"{chosen['source'].institution_name} is part of this contributor now.")
        return redirect("contributor", chosen["target"].pk)

    page = Planned(
        heading="Merge contributors",
        lead="Cohorts, people, patients and lesions of the one go to the other, and the one is gone then. Its people"
        " see the images of both. That cannot be undone. Public ids of images stay.",
        look=lambda form: plan_contributor_merge(**given(form)),
        change=change,
        verb=lambda plan: f"Merge the contributors: {plural(plan.number, 'change,changes')}",
        dangerous=True,
        context=_context("Merge contributors"),
    )
    initial = {"source": request.GET.get("source", "")[:255]}
    return planned(request, MergeForm(request.POST or None, initial=initial), page)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def reconvert_tool(request: HttpRequest) -> HttpResponseBase:
    """Images are made again from their originals, by jobs."""
    user = staff_user(request)

    def change(form: OfForm, expected: int) -> HttpResponse:
        plan = begin_reconversion(selection=_selection(user, form), actor=user, expected=expected)
        words = f"{plural(plan.number, _IMAGES)} will be made again. This page tells what came of it."
        messages.success(request, words)
        return redirect("staff_reconvert")

    page = Planned(
        heading="Convert again",
        lead="Thumbnails, web pictures, public copies and hashes are made anew from the originals, by the present"
        " recipe. An image whose pixels would be others is left alone and told.",
        look=lambda form: plan_reconversion(selection=_selection(user, form), actor=user),
        change=change,
        verb=lambda plan: f"Convert {plural(plan.number, _IMAGES)} again",
        context=_context("Convert again") | {"runs": _runs()},
        template="pages/staff/reconvert.html",
    )
    return planned(request, OfForm(request.POST or None, initial=_initial(request)), page)


def _runs() -> list[dict[str, Any]]:
    return [
        {
            "at": event.at,
            "made": len(event.details.get("made", [])),
            "different": event.details.get("different", []),
            "failed": event.details.get("failed", []),
        }
        for event in latest_events("accessions", "accessions.reconverted", limit=20)
    ]


def _selection(user: User, form: OfForm) -> Any:
    return select_named(user=user, kind=form.cleaned_data["kind"], given=form.cleaned_data["given"])


def _initial(request: HttpRequest) -> dict[str, str]:
    """A link may fill in which images are meant: `?cohort=17`."""
    for kind in ("cohort", "contributor"):
        if request.GET.get(kind):
            return {"kind": kind, "given": request.GET[kind][:255]}
    return {}


def _done(request: HttpRequest, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("staff")


def _context(label: str) -> dict[str, Any]:
    crumbs: list[dict[str, Any]] = [{"label": "Staff tools", "url": reverse("staff")}, {"label": label, "url": None}]
    return {"crumbs": crumbs, "cancel_url": reverse("staff")}
