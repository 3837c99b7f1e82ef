"""Taking one's data away."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from medtheca.domains.accounts.taking import MOST_A_DAY, export_for, exports_of, request_export
from medtheca.interfaces.web.accounts.again import ask_again
from medtheca.interfaces.web.people import signed_in


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
@ask_again
def exports(request: HttpRequest) -> HttpResponse:
    """The exports of a day, and a new one."""
    user = signed_in(request)
    if request.method == "POST":
        request_export(user=user)
        messages.success(request, "Your data are being put together. This takes a minute at most.")
        return redirect("exports")
    found = list(exports_of(user))
    waiting = any(export.ready is None for export in found)
    return render(request, "pages/exports.html", {"exports": found, "waiting": waiting, "most": MOST_A_DAY})


@never_cache
@login_required
@require_GET
def export_file(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """The ZIP, for the person it is about and nobody else."""
    user = signed_in(request)
    export = export_for(user, export_id)
    response = HttpResponse(bytes(export.content or b""), content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="my-data-{export.requested:%Y-%m-%d}.zip"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
