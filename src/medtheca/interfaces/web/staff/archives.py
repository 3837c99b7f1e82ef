"""Archives that wait for the staff's agreement."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.archives.approving import judge, proposals
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.paging import slice_of
from medtheca.interfaces.web.staff.tools import staff_user


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archives(request: HttpRequest) -> HttpResponse:
    """Agree to archives, or decline them with a reason."""
    staff = staff_user(request)
    error = ""
    if request.method == "POST":
        agree = request.POST.get("action") == "agree"
        try:
            judged = judge(
                archive_id=request.POST.get("archive", ""),
                staff=staff,
                agree=agree,
                reason=request.POST.get("reason", ""),
            )
        except (Conflict, Invalid) as refusal:
            error = in_words(refusal)
        else:
            words = "can be found now" if agree else "was declined; whoever made it is told why"
            messages.success(request, f"{judged.title} {words}.")
            return redirect("staff_archives")
    page = slice_of(request, proposals(), size=25)
    context = {
        "proposals": page.rows,
        "error": error,
        "crumbs": [{"label": "Staff tools", "url": reverse("staff")}, {"label": "Archives", "url": None}],
        **page.links(),
    }
    return render(request, "pages/staff/archives.html", context, status=409 if error else 200)
