"""One image: its page, and taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.base.errors import Invalid, NotFound
from medtheca.domains.access.queries import end_of_embargo, tombstone_of, viewer_of, visibility_of, withheld_among
from medtheca.domains.archives.queries import items_with_image
from medtheca.domains.collections.pins import is_pinned
from medtheca.domains.collections.queries import containing
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.queries import files_of, is_redacted
from medtheca.domains.provenance.access import may_edit, may_own, require_owner
from medtheca.domains.provenance.queries import accession_for, accessions_of_images
from medtheca.domains.search.changes import Change, changes_of
from medtheca.domains.search.errors import SearchTooSlow
from medtheca.domains.search.queries import Cursor, find_page, image_for
from medtheca.interfaces.http.file_urls import file_url
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.facts import history, owner_group, private_group, public_groups
from medtheca.interfaces.web.people import person, signed_in
from medtheca.interfaces.web.previews import chip_of, size_of, stage_of
from medtheca.interfaces.web.publish_forms import UnpublishForm, WithdrawForm
from medtheca.interfaces.web.searching import Search, read_search
from medtheca.interfaces.web.tiles import SYNTHETIC, image_url, label_of, named_for, short_diagnosis, structured_of
from medtheca.toolkit.schemas import DERMATOLOGY
from medtheca.workflows.finding import listings
from medtheca.workflows.publish import unpublish_image, withdraw

if TYPE_CHECKING:
    from medtheca.domains.imaging.models import Image
    from medtheca.domains.provenance.models import Accession

_CHANGE_ICONS = {
    "published": "globe",
    "made_private": "lock",
    "withdrawn": "eye-off",
    "licence": "scale",
    "file_replaced": "refresh-cw",
    "redacted": "eraser",
}
_MOST_COLLECTIONS = 20
"""And items of archives that are named."""

_LABELS = {name: column.label for name, column in DERMATOLOGY.columns.items()} | {
    item.name: item.label for item in DERMATOLOGY.fields
}


@require_safe
def image(request: HttpRequest, ref: str) -> HttpResponse:
    """The picture, what is known of it, and for its owners how it came in."""
    try:
        found = image_for(request.user, ref)
    except NotFound:
        return _tombstone(request, ref)
    accession, user = accessions_of_images([found.pk]).get(found.pk), person(request.user)
    search = read_search(request)
    takeable = not withheld_among(viewer_of(request.user), [found.pk])
    context = {
        "image": _facts(found, accession, takeable=takeable, named=bool(named_for(request.user, [found]))),
        "groups": public_groups(accession),
        "api_url": f"/api/v2/images/{found.public_id or found.key}/",
        "changes": [_change(change) for change in changes_of(found, accession)],
        "items": [
            {
                "label": item.title or f"Item {item.number}",
                "archive": item.archive.title,
                "url": reverse("archive_item", args=[item.archive.slug, item.pk]),
            }
            for item in items_with_image(request.user, found.pk)[:_MOST_COLLECTIONS]
        ],
        "collections": [
            {"name": row.name, "url": reverse("collection", args=[row.pk])}
            for row in containing(found, request.user)[:_MOST_COLLECTIONS]
        ],
        "add_url": f"{reverse('collection_add')}?{urlencode({'image': found.public_id or found.key})}"
        if request.user.is_authenticated
        else None,
        "pinned": is_pinned(found) if user is not None and user.is_staff else None,
        **_neighbours(found, search),
        **_for_members(request, found, accession),
    }
    return render(request, "pages/image.html", context)


def _tombstone(request: HttpRequest, ref: str) -> HttpResponse:
    """What is left of an image that the public once knew, for those who cite it; anything else is not there."""
    tombstone = tombstone_of(ref)
    if tombstone is None:
        raise NotFound(f"There is no image {ref}.")
    return render(request, "pages/tombstone.html", {"tombstone": tombstone}, status=410)


def _change(change: Change) -> dict[str, Any]:
    return {
        "at": change.at,
        "icon": _CHANGE_ICONS.get(change.kind, "pencil"),
        "words": change.words,
        "reason": change.reason,
        "values": [
            {"label": _LABELS.get(name, name), "before": _words(before), "after": _words(after)}
            for name, (before, after) in change.changes.items()
        ],
    }


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None else str(value).replace(":", ", ")


def _facts(found: Image, accession: Accession | None, *, takeable: bool, named: bool) -> dict[str, Any]:
    files = files_of([found.pk])[found.pk]
    public, values = files[FileKind.PUBLIC], structured_of(accession)
    label = label_of(found, accession if named else None)
    diagnosis = short_diagnosis(values)
    opens = end_of_embargo(found.pk)
    return {
        "id": label,
        "alt": f"Image {label}" + (f", {diagnosis}" if diagnosis else ""),
        "web_url": file_url(found, FileKind.WEB, media_type=files[FileKind.WEB].media_type),
        "full_url": file_url(found, FileKind.PUBLIC, media_type=public.media_type) if takeable else None,
        "stage": stage_of(found, files, takeable=takeable),
        "chip": chip_of(found),
        "width": found.width,
        "height": found.height,
        "pixels": size_of(found),
        "format": found.format.upper(),
        "size": public.blob.size,
        "sha256": public.blob.sha256,
        "pixel_hash": found.pixel_hash,
        "licence": accession.licence if accession else "",
        "attribution": accession.attribution if accession else "",
        "visibility": "embargoed" if opens else visibility_of([found.pk])[found.pk].value,
        "opens": opens,
        "synthetic": values.get("image_manipulation") == SYNTHETIC,
        "redacted": is_redacted(found.stripped),
        "published": accession.published if accession else None,
    }


def _neighbours(found: Image, search: Search) -> dict[str, str | None]:
    """The images before and after in the search that led here; none where looking for them takes too long."""
    urls: dict[str, str | None] = {}
    for name, backwards in (("previous_url", True), ("next_url", False)):
        place = Cursor(found.created, found.pk, backwards=backwards)
        try:
            beside = find_page(
                search.tree,
                asker=search.asker,
                limit=1,
                cursor=place,
                newest_first=search.newest_first,
                listings=listings,
            ).images
        except SearchTooSlow:
            return {}
        urls[name] = image_url(beside[0], query=search.query) if beside else None
    return urls


def _for_members(request: HttpRequest, found: Image, accession: Accession | None) -> dict[str, Any]:
    """What only people of the image's cohort and staff see; nothing for all others."""
    user = person(request.user)
    if user is None or accession is None:
        return {}
    try:
        accession_for(user, accession.pk)
    except NotFound:
        return {}
    withdrawal = getattr(found, "withdrawal", None)
    ref = found.public_id or str(found.key)
    may_take_back = accession.published is not None and withdrawal is None and may_own(user, accession.cohort)
    private = private_group(accession)
    return {
        "cohort": {"name": accession.cohort.name, "url": reverse("cohort", args=[accession.cohort_id])},
        "member_groups": [group for group in (private, owner_group(user, accession)) if group],
        "versions": history(accession),
        "withdrawn": {"reason": withdrawal.reason, "time": withdrawal.at, "was_public": withdrawal.was_public}
        if withdrawal
        else None,
        "submission_url": reverse("accession", args=[accession.pk]),
        "replace_url": reverse("accession_replace", args=[accession.pk])
        if withdrawal is None and may_edit(user, accession.cohort)
        else None,
        "correct_url": reverse("image_correct", args=[ref]) if may_edit(user, accession.cohort) else None,
        "withdraw_url": reverse("image_withdraw", args=[ref]) if may_take_back else None,
        "unpublish_url": reverse("image_unpublish", args=[ref]) if may_take_back else None,
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def image_withdraw(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask for a reason and for the id, then withdraw for good."""
    return _take_back(request, ref, withdraw_it=True)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def image_unpublish(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask for a reason, then make the image private again."""
    return _take_back(request, ref, withdraw_it=False)


def _take_back(request: HttpRequest, ref: str, *, withdraw_it: bool) -> HttpResponse:
    user = signed_in(request)
    found = image_for(user, ref)
    accession = accessions_of_images([found.pk])[found.pk]
    require_owner(user, accession.cohort, to="take back its images")
    label = label_of(found, accession)
    data = request.POST if request.method == "POST" else None
    form = WithdrawForm(data, label=label) if withdraw_it else UnpublishForm(data)
    if form.is_valid():
        try:
            (withdraw if withdraw_it else unpublish_image)(user=user, image_ref=ref, reason=form.cleaned_data["reason"])
        except Invalid as refusal:
            show_refusal(form, refusal)
        else:
            done = "was withdrawn" if withdraw_it else "is private again"
            messages.success(request, f"{label} {done}. Pages, files and APIs refuse it within a minute.")
            return redirect(image_url(found))
    context = {"form": form, "label": label, "withdraw_it": withdraw_it, "cancel_url": image_url(found)}
    return render(request, "pages/take_back.html", context)
