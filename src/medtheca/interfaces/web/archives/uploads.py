"""Bringing images into an archive: the drop zone, how they become items, and what became of each upload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.base.errors import Invalid
from medtheca.domains.archives.access import require_editor, require_uploader
from medtheca.domains.archives.images import images_of_intakes
from medtheca.domains.archives.intakes import OPEN, change_grouping, grouping_of, intake_for, intakes_in
from medtheca.domains.archives.uploaded import names_of_intakes
from medtheca.domains.sockets.queries import usable_sockets
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.archives.becoming import items_shown
from medtheca.interfaces.web.archives.frame import frame, open_archive
from medtheca.interfaces.web.paging import slice_of
from medtheca.interfaces.web.people import signed_in
from medtheca.toolkit.sockets.kinds import SuperKind

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.access import Standing
    from medtheca.domains.archives.models import Archive, Intake
    from medtheca.toolkit.grouping import Rule

_WAYS = (
    ("each", "Every image is an item of its own"),
    ("folder", "What lies in one folder is one item, called like the folder"),
    ("pattern", "Files whose names are alike are one item"),
)


class GroupingForm(forms.Form):
    """How images that are uploaded become items."""

    by = forms.ChoiceField(label="Items", choices=_WAYS, widget=forms.RadioSelect)
    depth = forms.IntegerField(
        min_value=0,
        max_value=32,
        required=False,
        label="Folders that name an item",
        help_text="With folders: 1 takes the topmost, 0 the whole path. A folder that all files lie in does not count.",
    )
    pattern = forms.CharField(
        required=False,
        max_length=200,
        label="Pattern of names",
        help_text="With names that are alike, such as *_t1.nii.gz: what the star stands for is the title.",
    )
    socket = forms.ChoiceField(label="Socket", help_text="Where an image goes that no line below fits.")
    sockets = forms.CharField(
        required=False,
        label="Other sockets by name",
        help_text=(
            "A line each: a pattern of names or paths, an equals sign, and the socket's name, which the list above "
            "has in brackets. Such as: *mask* = lesion-mask"
        ),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, offered: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["socket"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = offered

    def rule(self) -> dict[str, Any]:
        """The rule as `toolkit.grouping` reads it. Raises `Invalid` for a line that is none."""
        said = self.cleaned_data
        return {
            "by": said["by"],
            "depth": said["depth"] or 0,
            "pattern": said["pattern"] if said["by"] == "pattern" else "",
            "sockets": dict(_line(line) for line in said["sockets"].splitlines() if line.strip()),
        }


def _line(line: str) -> tuple[str, str]:
    pattern, equals, slug = line.rpartition("=")
    if not equals:
        raise Invalid(f"The line “{line.strip()[:80]}” has no equals sign.", remedy="Write *mask* = lesion-mask.")
    return pattern.strip(), slug.strip()


@login_required
@require_safe
def archive_uploads(request: HttpRequest, slug: str) -> HttpResponse:
    """The drop zone, and what was uploaded: one's own, and for editors everybody's."""
    user = signed_in(request)
    archive, standing = _open(request, slug)
    found = slice_of(request, intakes_in(user, archive), size=50)
    rule, socket = grouping_of(archive)
    context = {
        **frame(archive, standing, "archive_uploads"),
        "cohorts": [_cohort(archive)],
        "cohort": archive.cohort_id,
        "only_cohort": True,
        "endpoint": "/uploads/tus/",
        "page_pattern": "/uploads/{id}/",
        "person": user.hash_id,
        "limits": {"size": settings.ENVIRONMENT.max_upload, "files": settings.ENVIRONMENT.max_members},
        "together": rule.by != "each",
        "rule": _rule_words(user, archive, rule, socket),
        "rule_url": reverse("archive_grouping", args=[slug]) if standing.edits else "",
        "intakes": _rows(user, archive, found.rows),
        **found.links(),
    }
    return render(request, "pages/archives/uploads.html", context)


@login_required
@require_safe
def archive_upload(request: HttpRequest, slug: str, intake_id: UUID) -> HttpResponse:
    """What became of one upload; its files' verdicts are a page of their own."""
    user = signed_in(request)
    archive, standing = _open(request, slug)
    intake = intake_for(user, intake_id)
    if intake.archive_id != archive.pk:
        return redirect("archive_upload", intake.archive.slug, intake.pk)
    context = {
        **frame(archive, standing, "archive_uploads"),
        "intake": _rows(user, archive, [intake])[0],
        "became": {
            **items_shown(user, intake),
            "words": intake.words,
            "failed": intake.state == "failed",
            "items_url": reverse("archive_items", args=[slug]),
            "files_url": reverse("upload_verdicts", args=[intake.delivery_id]) if intake.delivery_id else "",
        },
        "running": intake.state in OPEN,
    }
    return render(request, "pages/archives/upload.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_grouping(request: HttpRequest, slug: str) -> HttpResponse:
    """How images that are uploaded become items."""
    user = signed_in(request)
    archive, standing = _open(request, slug)
    require_editor(user, archive, to="change how uploads become items")
    rule, socket = grouping_of(archive)
    initial = {
        "by": rule.by,
        "depth": rule.depth,
        "pattern": rule.pattern,
        "socket": socket,
        "sockets": "\n".join(f"{pattern} = {slug}" for pattern, slug in rule.sockets.items()),
    }
    form = GroupingForm(request.POST or None, initial=initial, offered=_offered(user, archive))
    if form.is_valid():
        try:
            change_grouping(archive=archive, actor=user, rule=form.rule(), socket=form.cleaned_data["socket"])
        except Invalid as refusal:
            show_refusal(form, refusal, rule="by")
        else:
            messages.success(request, "Uploads become items so from now on.")
            return redirect("archive_uploads", slug)
    sockets_url = reverse("archive_sockets", args=[slug])
    context = {**frame(archive, standing, "archive_uploads"), "form": form, "sockets_url": sockets_url}
    return render(request, "pages/archives/grouping.html", context)


def _open(request: HttpRequest, slug: str) -> tuple[Archive, Standing]:
    archive, standing = open_archive(request, slug)
    require_uploader(signed_in(request), archive, to="upload")
    return archive, standing


def _offered(user: User, archive: Archive) -> list[tuple[str, str]]:
    sockets = usable_sockets(user, scope=archive.scope_id)
    return [(one.slug, f"{one.title} ({one.slug})") for one in sockets if one.super_kind == SuperKind.IMAGE]


def _cohort(archive: Archive) -> dict[str, Any]:
    cohort = archive.cohort
    return {"id": cohort.pk, "name": archive.title, "contributor": "", "licence": cohort.licence}


def _rule_words(user: User, archive: Archive, rule: Rule, socket: str) -> str:
    titles = {one.slug: one.title for one in usable_sockets(user, scope=archive.scope_id)}
    others = "".join(f"; {pattern} to {titles.get(slug, slug)}" for pattern, slug in rule.sockets.items())
    return f"{dict(_WAYS)[rule.by]}. Images go to the socket {titles.get(socket, socket)}{others}."


def _rows(user: User, archive: Archive, intakes: list[Intake]) -> list[dict[str, Any]]:
    images, names = images_of_intakes(user, intakes), names_of_intakes(intakes)
    return [
        {
            "url": reverse("archive_upload", args=[archive.slug, intake.pk]),
            "name": names.get(intake.pk, "Upload"),
            "state": intake.state,
            "words": intake.words,
            "images": len(images[intake.pk]),
            "item_url": reverse("archive_item", args=[archive.slug, intake.item_id]) if intake.item_id else "",
            "by": intake.creator.full_name or intake.creator.email,
            "created": intake.created,
        }
        for intake in intakes
    ]
