"""Uploading files into one socket of an item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.archives.access import require_uploader
from medtheca.domains.sockets.queries import usable_sockets
from medtheca.domains.storage.open_ended import whole_uploads
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.archives.item import open_item
from medtheca.interfaces.web.people import signed_in
from medtheca.toolkit.sockets.kinds import SuperKind
from medtheca.workflows.archiving.sending import SentFile, put_sent_files, put_uploads

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.models import Archive, Item
    from medtheca.domains.sockets.models import Socket

_MOST_FILES = 2000
_PLACES = {f"values.0{rest}": "file" for rest in ("", ".user_upload", ".user_uploads", ".image")}


class _ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class _FilesField(forms.FileField):
    """Several files, each as Django checks one."""

    widget = _ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[bytes]]:
        given = data if isinstance(data, list | tuple) else [data] if data else []
        if self.required and not given:
            raise forms.ValidationError("Choose a file.", code="required")
        return [super(_FilesField, self).clean(one, initial) for one in given]


class PutForm(forms.Form):
    """Which socket, and the files of its value."""

    socket = forms.ChoiceField(help_text="What is in it now is replaced; its history is kept.")
    file = _FilesField(
        label="Files",
        max_length=255,
        help_text=(
            "For an image: all the files of one image, such as the slices of a series, an .mhd with its .raw, or a ZIP "
            "of them. For other kinds: one file."
        ),
    )

    def __init__(self, *args: Any, sockets: list[Socket], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["socket"]
        assert isinstance(field, forms.ChoiceField)
        choices: list[Any] = [("", "Choose")]
        for label, kind in (("Images", SuperKind.IMAGE), ("Files", SuperKind.FILE)):
            if group := [(one.slug, _label(one)) for one in sockets if one.super_kind == kind]:
                choices.append((label, group))
        field.choices = choices


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_item_upload(request: HttpRequest, slug: str, item_id: UUID) -> HttpResponse:
    """Ask for a socket and its files. With scripts the bytes go by the byte plane, in parts; the form names them."""
    user = signed_in(request)
    archive, _, item = open_item(request, slug, item_id)
    require_uploader(user, archive, to="change items")
    sockets = [
        one
        for one in usable_sockets(user, scope=archive.scope_id)
        if one.super_kind in (SuperKind.IMAGE, SuperKind.FILE)
    ]
    initial = {"socket": request.GET.get("socket", "")}
    form = PutForm(request.POST or None, request.FILES or None, sockets=sockets, initial=initial)
    sent = whole_uploads(owner_id=user.pk, upload_ids=_named(request))
    # What the script sent needs not be chosen.
    form.fields["file"].required = not sent
    if form.is_valid():
        chosen = next(one for one in sockets if one.slug == form.cleaned_data["socket"])
        if _is_put(form, user, item, chosen, [one.pk for one in sent]):
            on_its_way = chosen.super_kind == SuperKind.IMAGE
            messages.success(request, f"{chosen.title} is {'on its way and being read' if on_its_way else 'there'}.")
            return redirect("archive_item", archive.slug, item.pk)
    return render(request, "pages/archives/put.html", _page(archive, item, form) | {"sent": sent})


def _is_put(form: PutForm, user: User, item: Item, socket: Socket, sent: list[UUID]) -> bool:
    """Whether the files are in the socket or on their way; else the form says why not."""
    files = form.cleaned_data["file"]
    count = len(files) or len(sent)
    if count > 1 and socket.super_kind == SuperKind.FILE:
        form.add_error("file", f"{socket.title} takes one file; {count:,} are chosen.")
    elif count > _MOST_FILES:
        form.add_error("file", f"{count:,} files are chosen; {_MOST_FILES:,} is the most. Put them into a ZIP.")
    else:
        try:
            if files:
                given = [SentFile(one.name or "file", one.size or 0, one.chunks()) for one in files]
                put_sent_files(item=item, user=user, socket=socket, files=given)
            else:
                put_uploads(item=item, user=user, socket=socket, uploads=sent)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal, **_PLACES, **{socket.slug: "file", f"values.0.{socket.slug}": "file"})
        else:
            return True
    return False


def _named(request: HttpRequest) -> list[UUID]:
    """Uploads that the script sent before, by their keys; what is none is passed over."""
    found = []
    for one in request.POST.getlist("upload")[: _MOST_FILES + 1]:
        try:
            found.append(UUID(one))
        except ValueError:
            continue
    return found


def _page(archive: Archive, item: Item, form: PutForm) -> dict[str, Any]:
    url = reverse("archive_item", args=[archive.slug, item.pk])
    label = item.title or f"Item {item.number}"
    return {
        "form": form,
        "heading": f"Upload into {label}",
        "lead": "A file of a socket's kind is there at once. An image is read first; the item says how far that is.",
        "action": "Upload",
        "cancel_url": url,
        "limit": settings.ENVIRONMENT.max_upload,
        "crumbs": [
            {"label": archive.title, "url": reverse("archive_items", args=[archive.slug])},
            {"label": label, "url": url},
            {"label": "Upload", "url": None},
        ],
    }


def _label(socket: Socket) -> str:
    kind = socket.kind_details
    return f"{socket.title} ({kind.label}{f', {kind.extension}' if kind.extension else ''})"
