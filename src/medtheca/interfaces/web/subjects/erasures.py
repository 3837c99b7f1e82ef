"""Erasing a patient: asking for it, confirming it, following it, the receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from medtheca.base.errors import Conflict, Invalid, NotFound
from medtheca.domains.provenance.enums import ErasureReason, ErasureStage, ErasureState
from medtheca.domains.provenance.erasing import (
    confirm_erasure,
    decline_erasure,
    erasure_for,
    erasures_for,
    may_confirm,
    request_erasure,
)
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.paging import slice_of
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.subjects.forms import ConfirmForm, DeclineForm, ErasureForm
from medtheca.interfaces.web.tiles import tiles_of
from medtheca.workflows.erase.finding import KINDS
from medtheca.workflows.erase.previewing import Preview, preview_erasure, preview_of_erasure

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Erasure

_PAGE = 50
_SHOWN = 60
_STATES = {
    ErasureState.REQUESTED: ("requested", "Waits for a second person"),
    ErasureState.ERASING: ("running", "Being erased"),
    ErasureState.DONE: ("done", "Erased"),
    ErasureState.DECLINED: ("rejected", "Declined"),
}
_STEPS = (
    (ErasureStage.PLANNED, "Find everything, and hide it"),
    (ErasureStage.ROWS, "Remove it from the database"),
    (ErasureStage.BYTES, "Remove the stored files"),
    (ErasureStage.WORDS, "Take private words out of everything else"),
    (ErasureStage.VERIFIED, "Look for leftovers"),
)


@login_required
@require_safe
def erasures(request: HttpRequest) -> HttpResponse:
    """Erasures of the contributors that the person owns; all for staff."""
    found = slice_of(request, erasures_for(signed_in(request)), size=_PAGE)
    rows = [
        {**_shown(row), "contributor": row.contributor.institution_name, "url": reverse("erasure", args=[row.pk])}
        for row in found.rows
    ]
    return render(request, "pages/erasures.html", {"erasures": rows, **found.links()})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def erasure_new(request: HttpRequest) -> HttpResponse:
    """What would be removed, and the form that asks for it."""
    user = signed_in(request)
    public_id = request.GET.get("patient", "")
    if not public_id:
        raise NotFound("Begin at the patient's page.")
    preview = preview_erasure(user=user, patient_public_id=public_id)
    form = ErasureForm(request.POST or None)
    if form.is_valid():
        try:
            made = request_erasure(user=user, patient_public_id=public_id, **form.cleaned_data)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "You asked for the erasure. A second person has to confirm it.")
            return redirect("erasure", erasure_id=made.pk)
    context = {
        "form": form,
        "patient": _patient(preview),
        "preview": _previewed(preview, user),
        "cancel_url": reverse("patient", args=[public_id]),
    }
    return render(request, "pages/erasure_new.html", context)


@login_required
@require_safe
def erasure(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """One erasure: what it would remove, how far it has come, its receipt."""
    return _show(request, erasure_for(signed_in(request), erasure_id))


@login_required
@require_POST
def erasure_confirm(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """Confirm it as the second person; the patient's id was typed."""
    user = signed_in(request)
    found = erasure_for(user, erasure_id)
    form = ConfirmForm(request.POST, public_id=found.patient_public_id)
    if form.is_valid():
        try:
            confirm_erasure(user=user, erasure_id=erasure_id, typed=form.cleaned_data["patient"])
        except Invalid as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "Confirmed. The patient is being erased; this page says how far it has come.")
            return redirect("erasure", erasure_id=erasure_id)
    return _show(request, found, confirm_form=form)


@login_required
@require_POST
def erasure_decline(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """Decline it, or take one's own request back."""
    user = signed_in(request)
    found = erasure_for(user, erasure_id)
    form = DeclineForm(request.POST)
    if form.is_valid():
        decline_erasure(user=user, erasure_id=erasure_id, because=form.cleaned_data["because"])
        messages.success(request, "Declined. Nothing was removed.")
        return redirect("erasure", erasure_id=erasure_id)
    return _show(request, found, decline_form=form)


@login_required
@require_safe
def erasure_receipt(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """The receipt as JSON, as it is signed into the ledger."""
    found = erasure_for(signed_in(request), erasure_id)
    if not found.receipt:
        raise NotFound("There is no receipt yet.")
    response = JsonResponse(found.receipt, json_dumps_params={"indent": 1, "sort_keys": True})
    response.headers["Content-Disposition"] = f'attachment; filename="erasure-{found.patient_public_id}.json"'
    return response


def _show(
    request: HttpRequest,
    found: Erasure,
    *,
    confirm_form: forms.Form | None = None,
    decline_form: forms.Form | None = None,
) -> HttpResponse:
    user = signed_in(request)
    waits = found.state == ErasureState.REQUESTED
    preview = preview_of_erasure(user=user, erasure=found)
    public_id = found.patient_public_id
    context: dict[str, Any] = {
        "erasure": _shown(found),
        "preview": _previewed(preview, user) if preview else None,
        "patient": {"id": public_id, "url": reverse("patient", args=[public_id]) if preview else None},
        "running": found.state == ErasureState.ERASING,
        "steps": _steps(found),
        "receipt": found.receipt or None,
        "removed": _amounts(found.receipt.get("removed", {})),
        "receipt_url": reverse("erasure_receipt", args=[found.pk]),
        "confirm_form": (confirm_form or ConfirmForm(public_id=public_id)) if may_confirm(user, found) else None,
        "confirm_url": reverse("erasure_confirm", args=[found.pk]),
        "decline_form": (decline_form or DeclineForm()) if waits else None,
        "decline_url": reverse("erasure_decline", args=[found.pk]),
        "mine": found.requester_id == user.pk,
        "why_not": _why_not(user, found) if waits else "",
    }
    return render(request, "pages/erasure.html", context)


def _why_not(user: User, found: Erasure) -> str:
    if found.requester_id == user.pk:
        return "You asked for it, so somebody else has to confirm it."
    return "" if may_confirm(user, found) else "An owner asked for it, so one of the staff has to confirm it."


def _shown(row: Erasure) -> dict[str, Any]:
    chip, label = _STATES[ErasureState(row.state)]
    return {
        "patient": row.patient_public_id,
        "reason": ErasureReason(row.reason).label,
        "words": row.words,
        "state": chip,
        "label": label,
        "trouble": row.trouble,
        "requested": row.requested,
        "requester": row.requester.shown_name if row.requester else "",
        "decided": row.decided,
        "decider": row.decider.shown_name if row.decider else "",
        "declined_because": row.declined_because,
        "finished": row.finished,
        "replayed": row.replayed,
    }


def _steps(found: Erasure) -> list[dict[str, Any]]:
    order = [stage.value for stage, _ in _STEPS]
    done = order.index(found.stage) + 1 if found.stage in order else 0
    return [{"words": words, "done": number < done, "now": number == done} for number, (_, words) in enumerate(_STEPS)]


def _patient(preview: Preview) -> dict[str, str]:
    return {
        "id": preview.patient.public_id,
        "private_id": preview.patient.private_id,
        "contributor": preview.patient.contributor.institution_name,
        "url": reverse("patient", args=[preview.patient.public_id]),
    }


def _previewed(preview: Preview, user: User) -> dict[str, Any]:
    doubts = preview.doubts
    return {
        "removed": _amounts(preview.counts),
        "tiles": tiles_of(preview.images[:_SHOWN], asker=user),
        "more": max(0, len(preview.images) - _SHOWN),
        "alike": [{"name": row.name, "url": reverse("accession", args=[row.pk])} for row in doubts.alike],
        "same": [{"name": row.name, "url": reverse("accession", args=[row.pk])} for row in doubts.same_bytes],
        "elsewhere": doubts.elsewhere,
        "backups": preview.backups,
    }


def _amounts(counts: dict[str, int]) -> list[dict[str, Any]]:
    """What was removed, images first; PostgreSQL keeps the keys of JSON in an order of its own."""
    known = [name for name in KINDS if counts.get(name)]
    names = known + sorted(name for name in counts if counts[name] and name not in KINDS)
    return [{"name": name, "number": counts[name], "is_size": name == "bytes"} for name in names]
