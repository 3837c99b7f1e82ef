"""A file that takes the place of another, and looking at its versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.queries import withdrawn_among
from medtheca.domains.provenance.access import may_edit, may_review, require_editor
from medtheca.domains.provenance.queries import accession_for
from medtheca.domains.provenance.versions import file_of_version, require_replaceable
from medtheca.interfaces.http.file_urls import NAMES
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.publish_forms import ReplaceForm
from medtheca.interfaces.web.tiles import tiles_of
from medtheca.workflows.replace import replace_with_file

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Accession

_SHOWN = ("thumbnail", "web")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def replace(request: HttpRequest, accession_id: int) -> HttpResponse:
    """Ask for a file and a reason. With scripts the bytes go by the byte plane, which takes files of any size."""
    user = signed_in(request)
    accession = accession_for(user, accession_id)
    require_editor(user, accession.cohort, to="replace its files")
    form = ReplaceForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            return _sent(request, user, accession, form.cleaned_data["file"], form.cleaned_data["reason"])
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
    try:
        require_replaceable(accession)
        obstacle = ""
    except Conflict as refusal:
        obstacle = f"{refusal.message} {refusal.remedy}".strip()
    context = {
        "form": form,
        "name": accession.name,
        "accession": accession.pk,
        "tile": tiles_of([accession.image], asker=user)[0] if accession.image else None,
        "is_published": accession.published is not None,
        "obstacle": obstacle,
        "limit": settings.ENVIRONMENT.max_upload,
        "person": user.hash_id,
        "cancel_url": reverse("accession", args=[accession.pk]),
    }
    return render(request, "pages/replace.html", context)


def _sent(
    request: HttpRequest, user: User, accession: Accession, file: UploadedFile[bytes], reason: str
) -> HttpResponse:
    upload = replace_with_file(
        user=user,
        accession_id=accession.pk,
        filename=file.name or "file",
        size=file.size or 0,
        chunks=file.chunks(),
        reason=reason,
    )
    messages.success(request, "The file is here and is being read.")
    return redirect("upload_verdicts", upload.pk)


@login_required
@require_safe
def version_file(request: HttpRequest, accession_id: int, number: int, name: str) -> HttpResponse:
    """Thumbnail or web picture of a version of the file: for those who work on the images or judge them."""
    user = signed_in(request)
    accession = accession_for(user, accession_id)
    if not may_edit(user, accession.cohort) and not may_review(user, accession.cohort):
        raise NotAllowed("Only those who work on the images or judge them see their versions.")
    withdrawn = accession.image_id is not None and bool(withdrawn_among([accession.image_id]))
    if name not in _SHOWN or (withdrawn and not may_edit(user, accession.cohort)):
        raise NotFound("There is no such file.")
    media_type, content = file_of_version(accession, number, NAMES[name])
    response = HttpResponse(content, content_type=media_type)
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
