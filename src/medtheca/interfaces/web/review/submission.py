"""One submission: its file, its picture, its verdict, what was said of it, and its versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from medtheca.domains.access.queries import visibility_of
from medtheca.domains.imaging.enums import FileKind, ImageKind
from medtheca.domains.provenance.access import may_edit, may_review, visible_accessions
from medtheca.domains.provenance.copies import may_have_copy
from medtheca.domains.provenance.enums import VersionState
from medtheca.domains.provenance.overviews import verdict_of
from medtheca.domains.provenance.queries import accession_for, original_files
from medtheca.domains.provenance.review_queue import may_read_reviews, review_states_for, reviews_for
from medtheca.domains.provenance.versions import file_versions_of
from medtheca.domains.search.duplicates import group_named
from medtheca.interfaces.http.file_urls import file_url
from medtheca.interfaces.web.facts import history, owner_group, private_group, public_groups
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.review.copies import copy_for_page
from medtheca.interfaces.web.review.duplicates import duplicates_url
from medtheca.interfaces.web.review.shown import STATE_WORDS, review_row
from medtheca.interfaces.web.tiles import image_url, label_of

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Accession, FileVersion

_MOST_FILES = 500


@login_required
@require_safe
def accession(request: HttpRequest, accession_id: int) -> HttpResponse:
    """The page of a submission, for the people of its cohort and staff."""
    user = signed_in(request)
    pk = accession_for(user, accession_id).pk
    rows = visible_accessions(user).select_related("image", "cohort__contributor", "original", "description", "creator")
    found = rows.select_related("patient", "lesion", "delivery").get(pk=pk)
    private, original, verdict = private_group(found), original_files(found), verdict_of(found)
    may_work, may_judge = may_edit(user, found.cohort), may_review(user, found.cohort)
    context = {
        "accession": found,
        "label": found.name if found.image is None else label_of(found.image, found),
        "cohort": {"name": found.cohort.name, "url": reverse("cohort", args=[found.cohort_id])},
        "picture": _picture(found),
        "state": found.state,
        "review": STATE_WORDS[review_states_for(user, [found])[found.pk]],
        "reviews": [review_row(row) for row in reviews_for(user, found)],
        "is_blind": not may_read_reviews(user, found),
        "file_versions": [_version(row, found, may_look=may_work or may_judge) for row in file_versions_of(found)],
        "groups": [owner_group(user, found), *public_groups(found), *([private] if private else [])],
        "versions": history(found),
        "actions": _actions(found, may_work=may_work, may_judge=may_judge),
        "size": sum(part.blob.size for part in original) or None,
        "original": [
            {"name": part.path, "size": part.blob.size, "sha256": part.blob.sha256} for part in original[:_MOST_FILES]
        ],
        "more_files": max(0, len(original) - _MOST_FILES),
        "note": verdict.note if verdict else "",
        "duplicates": _duplicates(request, found),
        "copy": copy_for_page(found) if may_have_copy(user, found) else None,
    }
    return render(request, "pages/review/submission.html", context)


def _picture(found: Accession) -> dict[str, Any] | None:
    image = found.image
    if image is None:
        return None
    return {
        "web_url": file_url(image, FileKind.WEB),
        "full_url": file_url(image, FileKind.PUBLIC),
        "width": image.width,
        "height": image.height,
        "depth": image.depth,
        "text_suspected": image.text_suspected,
        "format": image.format.upper(),
        "url": image_url(image),
        "visibility": visibility_of([image.pk])[image.pk].value,
        "is_withdrawn": getattr(image, "withdrawal", None) is not None,
    }


def _duplicates(request: HttpRequest, found: Accession) -> dict[str, Any] | None:
    """How many other images that the person sees are in the group of this one; None for none."""
    number = len(group_named(request.user, str(found.image.key))) - 1 if found.image else 0
    if number < 1 or found.image is None:
        return None
    return {
        "number": number,
        "url": duplicates_url(found.image),
        "cohort_url": reverse("cohort_duplicates", args=[found.cohort_id]),
    }


def _version(row: FileVersion, found: Accession, *, may_look: bool) -> dict[str, Any]:
    pictures = {
        name: reverse("accession_version_file", args=[found.pk, row.number, name])
        if may_look and _has_files(row)
        else ""
        for name in ("web", "thumbnail")
    }
    return {
        "web_url": pictures["web"],
        "thumbnail_url": pictures["thumbnail"],
        "number": row.number,
        "kind": row.get_kind_display(),
        "state": row.state,
        "name": row.name,
        "by": row.creator.shown_name,
        "created": row.created,
        "reason": row.reason,
        "refusal": row.refusal,
        "remedy": row.remedy,
        "boxes": len(row.redactions),
        "is_current": row.number == found.file_version,
    }


def _has_files(row: FileVersion) -> bool:
    return row.state not in {VersionState.WAITING, VersionState.REFUSED}


def _actions(found: Accession, *, may_work: bool, may_judge: bool) -> list[dict[str, str]]:
    """What the person may do with it, as links."""
    image = found.image
    if image is None or getattr(image, "withdrawal", None) is not None:
        return []
    actions = []
    if may_judge:
        at = f"{reverse('review_cohort', args=[found.cohort_id])}?view=all&after={found.pk - 1}&at={found.pk}"
        actions.append({"url": at, "icon": "check", "words": "Judge it"})
    # Boxes are drawn on a picture; a volume has as many as slices, and a slide is larger than any page.
    if (may_work or may_judge) and image.kind == ImageKind.PICTURE:
        actions.append(_action("accession_redact", found, "eraser", "Redact"))
    if may_work:
        actions.append(_action("accession_replace", found, "refresh-cw", "Replace the file"))
    return [action for action in actions if action["url"]]


def _action(name: str, found: Accession, icon: str, words: str) -> dict[str, str]:
    try:
        url = reverse(name, args=[found.pk])
    except NoReverseMatch:  # A page of another area that this release may lack.
        url = ""
    return {"url": url, "icon": icon, "words": words}
