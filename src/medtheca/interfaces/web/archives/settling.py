"""Making an archive, and settling what one says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.archives.access import require_editor
from medtheca.domains.archives.fields import questions_of
from medtheca.domains.archives.operations import change_archive
from medtheca.domains.provenance.overviews import owned_contributors
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.archives.describing import (
    NEW,
    ArchiveForm,
    NewArchiveForm,
    grouped,
    initial_of,
)
from medtheca.interfaces.web.archives.frame import frame, open_archive, url_of
from medtheca.interfaces.web.people import signed_in
from medtheca.workflows.archiving.making import make_archive

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.models import Archive


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_create(request: HttpRequest) -> HttpResponse:
    """A form for a new archive, of one's own contributor or of one that is made on the spot."""
    user = signed_in(request)
    form = NewArchiveForm(request.POST or None, contributors=owned_contributors(user), name=user.full_name)
    if form.is_valid():
        try:
            made = _make(form, user)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal, institution_name="contributor_name", public="shown", hidden="shown")
        else:
            words = "Bring images into it, and say who sees them." if made.approved else "The staff look at it first."
            messages.success(request, f"{made.title} is there. {words}")
            return redirect("archive", made.slug)
    context = {"form": form, "groups": grouped(form), "cancel_url": reverse("archives")}
    return render(request, "pages/archives/create.html", context)


def _make(form: NewArchiveForm, user: User) -> Archive:
    chosen = form.cleaned_data["contributor"]
    return make_archive(
        user=user,
        contributor_id=None if chosen == NEW else int(chosen),
        institution_name=form.cleaned_data["contributor_name"],
        **form.said(),
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """The tab of settings, for editors."""
    user = signed_in(request)
    archive, standing = open_archive(request, slug)
    require_editor(user, archive, to="change its settings")
    form = ArchiveForm(request.POST or None, initial=initial_of(archive))
    if form.is_valid():
        said = form.said()
        said["request_form"] = questions_of(form.cleaned_data["request_form"], archive.request_form)
        try:
            change_archive(archive=archive, actor=user, **said)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal, public="shown", hidden="shown")
        else:
            messages.success(request, "The archive was changed.")
            return redirect("archive_settings", archive.slug)
    context = {
        **frame(archive, standing, "archive_settings"),
        "form": form,
        "groups": grouped(form),
        "more": [
            {"label": label, "url": url}
            for label, name in (("Viewer and hanging protocol", "archive_viewing"), ("Sockets", "archive_sockets"))
            if (url := url_of(name, archive.slug))
        ],
    }
    return render(request, "pages/archives/settings.html", context)
