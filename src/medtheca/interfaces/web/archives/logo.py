"""The logo of an archive: seeing it, choosing a square of a picture for it, and removing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.archives.logos import remove_logo, require_logo_editor
from medtheca.domains.archives.queries import archive_of_slug
from medtheca.interfaces.http.logos import send_logo
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.archives.frame import frame, logo_url, open_archive
from medtheca.interfaces.web.people import signed_in
from medtheca.toolkit.images.square import LEAST, Square
from medtheca.workflows.archiving.logo import MOST_BYTES, choose_logo

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.models import Archive

_LARGEST = 10**9
_EDGES = ("x", "y", "size")


def _pixels(label: str) -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=0, max_value=_LARGEST, label=label)


class LogoForm(forms.Form):
    """A picture, and which square of it. Without one the largest in the middle is taken."""

    file = forms.FileField(
        label="Picture",
        max_length=255,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
        error_messages={"required": "Choose a PNG or JPEG.", "empty": "The file is empty. Choose a PNG or JPEG."},
    )
    x = _pixels("Left edge")
    y = _pixels("Upper edge")
    size = _pixels("Side")

    def clean(self) -> dict[str, Any]:
        """A square has three numbers, or none."""
        cleaned: dict[str, Any] = super().clean() or {}
        said = [name for name in _EDGES if cleaned.get(name) is not None]
        if said and len(said) < len(_EDGES) and not any(name in self.errors for name in _EDGES):
            missing = next(name for name in _EDGES if name not in said)
            self.add_error(missing, "Say all three, or none: then the largest square in the middle is taken.")
        return cleaned

    def square(self) -> Square | None:
        """Which square was said."""
        x, y, size = (self.cleaned_data[name] for name in _EDGES)
        return None if size is None else Square(x, y, size)


@require_safe
def archive_logo(request: HttpRequest, slug: str) -> HttpResponse:
    """The picture, of 640 pixels or with `?size=small` of 128, for everybody who finds the archive's page."""
    archive = archive_of_slug(request.user, slug)
    return send_logo(request, archive, small=request.GET.get("size") == "small")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_logo_choose(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose a square of a picture, or remove what was chosen."""
    user = signed_in(request)
    archive, standing = open_archive(request, slug)
    require_logo_editor(user, archive)
    form = LogoForm()
    if request.method == "POST":
        if request.POST.get("action") == "remove":
            remove_logo(archive=archive, actor=user)
            messages.success(request, "The logo was removed. It is drawn from the title again.")
            return redirect("archive_logo_choose", slug)
        form = LogoForm(request.POST, request.FILES)
        if form.is_valid() and _is_chosen(form, archive, user):
            messages.success(request, "This is the logo now.")
            return redirect("archive_logo_choose", slug)
    context = {
        **frame(archive, standing, "archive_settings"),
        "form": form,
        "large_url": logo_url(archive, small=False),
        "is_own": archive.logo_id is not None,
        "least": LEAST,
        "most_bytes": MOST_BYTES,
        "archive_url": reverse("archive", args=[slug]),
        "settings_url": reverse("archive_settings", args=[slug]),
    }
    return render(request, "pages/archives/logo.html", context)


def _is_chosen(form: LogoForm, archive: Archive, user: User) -> bool:
    """Whether the picture is the logo now; else the form says why not."""
    file = form.cleaned_data["file"]
    try:
        choose_logo(archive=archive, actor=user, size=file.size or 0, chunks=file.chunks(), square=form.square())
    except (Conflict, Invalid) as refusal:
        show_refusal(form, refusal, crop="size")
        return False
    return True
