"""Asking for publication: who will see which images, and what that would show, looked at before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.groups import groups_for
from medtheca.domains.provenance.access import may_own, require_editor
from medtheca.domains.provenance.overviews import pending_request
from medtheca.domains.provenance.publication import askable_accessions, request_publication
from medtheca.domains.provenance.queries import cohort_for
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.publish_forms import PublishForm
from medtheca.interfaces.web.tiles import tiles_of
from medtheca.toolkit.anonymity import K
from medtheca.toolkit.schemas import DERMATOLOGY
from medtheca.workflows.previewing import Preview, preview_publication

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Cohort

MOST_TO_CHOOSE = 200
_MOST_RARE = 20
_LABELS = {name: column.label for name, column in DERMATOLOGY.columns.items()}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """An owner or editor says which images are to be visible, for whom and from when; `check` only looks."""
    user = signed_in(request)
    cohort = cohort_for(user, cohort_id)
    require_editor(user, cohort, to="ask for the publication of its images")
    ready = askable_accessions(cohort, Visibility.PUBLIC).select_related("image")
    listed = list(ready[:MOST_TO_CHOOSE])
    form = PublishForm(request.POST or None, accession_ids=[row.pk for row in listed], groups=groups_for(user))
    preview = None
    if form.is_valid():
        try:
            if "check" in request.POST:
                preview = _shown(preview_publication(cohort=cohort, user=user, **form.wanted()))
            else:
                return _asked(request, user, cohort, form)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
    pending: Any = pending_request(cohort)
    context = {
        "form": form,
        "cohort": {
            "name": cohort.name,
            "url": reverse("cohort", args=[cohort.pk]),
            "licence": cohort.licence,
            "attribution": cohort.attribution,
        },
        "ready": ready.count(),
        "most": MOST_TO_CHOOSE,
        "tiles": tiles_of([row.image for row in listed if row.image is not None], asker=request.user),
        "chosen": set(request.POST.getlist("accessions")),
        "pending": {"count": pending.number, "created": pending.created} if pending else None,
        "cancel_url": reverse("cohort", args=[cohort.pk]),
        "preview": preview,
        "take_back_url": reverse("take_back", args=[cohort.pk]) if may_own(user, cohort) else None,
    }
    return render(request, "pages/publish.html", context)


def _asked(request: HttpRequest, user: User, cohort: Cohort, form: PublishForm) -> HttpResponse:
    made = request_publication(cohort=cohort, requester=user, **form.wanted())
    messages.success(request, "You asked for publication. A reviewer looks at the images and decides.")
    return redirect("publish_request", made.pk)


def _shown(found: Preview) -> dict[str, Any]:
    return {
        "number": found.number,
        "for_whom": words_for(found.visibility, found.groups),
        "opens": found.opens,
        "left_out": [{"reason": reason, "number": number} for reason, number in found.left_out.items()],
        "awaiting": found.awaiting,
        "readers": found.readers,
        "licences": list(found.licences.items()),
        "attributions": list(found.attributions.items())[:5],
        "undescribed": found.undescribed,
        "without_patient": found.without_patient,
        "example": [
            {"label": _LABELS.get(name, name.replace("_", " ").capitalize()), "value": value}
            for values in found.example.values()
            for name, value in values.items()
        ],
        "rare": found.rare[:_MOST_RARE],
        "more_rare": max(0, len(found.rare) - _MOST_RARE),
        "k": K,
    }


def words_for(visibility: str, groups: list[str]) -> str:
    """For whom images become visible, as the end of a sentence."""
    if visibility == Visibility.PUBLIC:
        return "everybody"
    if visibility == Visibility.SIGNED_IN:
        return "everybody who is logged in"
    named = ", ".join(groups) or "no group"
    return f"the people of {named}"
