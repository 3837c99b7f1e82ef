"""The de-identified DICOM of a submission: asked for, told of, taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from medtheca.domains.provenance.copies import ask_for_copy, copy_of, file_of_copy
from medtheca.interfaces.http.copies import send_copy
from medtheca.interfaces.web.people import signed_in

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Accession

_MOST_ACTIONS = 400


@login_required
@require_POST
def ask(request: HttpRequest, accession_id: int) -> HttpResponse:
    """Have the copy made; back to the submission, which says how far it is."""
    ask_for_copy(accession_id=accession_id, actor=signed_in(request))
    return redirect("accession", accession_id=accession_id)


@login_required
@require_safe
def download(request: HttpRequest, accession_id: int) -> HttpResponseBase:
    """The copy that was made, as a file."""
    return send_copy(file_of_copy(signed_in(request), accession_id))


def copy_for_page(accession: Accession) -> dict[str, Any]:
    """What the submission's page tells of the copy; who may see it was asked."""
    copy = copy_of(accession)
    actions = copy.report.get("actions", []) if copy is not None else []
    return {
        "state": copy.state if copy is not None else "",
        "asked": copy.asked if copy is not None else None,
        "made": copy.made if copy is not None else None,
        "refusal": copy.refusal if copy is not None else "",
        "remedy": copy.remedy if copy is not None else "",
        "text_suspected": copy.report.get("text_suspected", "") if copy is not None else "",
        "actions": [
            {"place": place, "keyword": keyword, "action": action, "count": count}
            for place, keyword, action, count in actions[:_MOST_ACTIONS]
        ],
        "more_actions": max(0, len(actions) - _MOST_ACTIONS),
        "ask_url": reverse("accession_copy", args=[accession.pk]),
        "file_url": reverse("accession_copy_file", args=[accession.pk]),
    }
