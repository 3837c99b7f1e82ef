"""Dry runs: what would become of files, before anything is stored. For people who are not logged in, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.base.errors import Conflict, Invalid, TooLarge
from medtheca.domains.trials.enums import INSPECTION_OVER, InspectionState
from medtheca.domains.trials.queries import inspection_for
from medtheca.interfaces.http.limits import seconds_to_wait_for_inspection
from medtheca.interfaces.http.spreadsheets import csv_answer
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.paging import address
from medtheca.interfaces.web.people import person
from medtheca.interfaces.web.templatetags.chips import state_chip
from medtheca.toolkit.inspection.tables import csv_rows
from medtheca.workflows.inspect import Given, begin_inspection, limits_for

if TYPE_CHECKING:
    from medtheca.domains.trials.models import Inspection

_ROWS = 100
_MOST_AT_ONCE = 100
_ORDER = ("refused", "duplicate", "skipped", "linked", "accepted")


class _ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class _FilesField(forms.FileField):
    """Any number of files, spreadsheets among them."""

    widget = _ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        given = data if isinstance(data, list | tuple) else [data]
        # An empty file is a verdict here, and no mistake of the form.
        found = [file for file in given if file]
        if self.required and not found:
            raise forms.ValidationError("Choose images, a ZIP of them, or a spreadsheet.", code="required")
        return found


class InspectForm(forms.Form):
    """Files to try. What ends in .csv, .tsv or .xlsx is taken for the spreadsheet."""

    # Named as the form's own attribute, which it does not hide: Django takes fields out of the class.
    files = _FilesField(label="Files to try")  # type: ignore[assignment]  # a field here, a dict on the form itself

    def given(self) -> Sequence[Given]:
        """The files as the workflow takes them."""
        return [Given(file.name or "file", file.size or 0, file.chunks()) for file in self.cleaned_data["files"]]


@require_http_methods(["GET", "HEAD", "POST"])
def inspect(request: HttpRequest) -> HttpResponse:
    """Give files for a dry run."""
    user = person(request.user)
    wait = 0
    form = InspectForm()
    if request.method == "POST":
        form = InspectForm(request.POST, request.FILES)
        wait = seconds_to_wait_for_inspection(request, user.pk if user else None)
        if wait:
            minutes = max(1, round(wait / 60))
            form.add_error(None, f"Those were many dry runs within the hour. Try again in {minutes} minutes.")
        elif form.is_valid():
            try:
                return redirect("inspect_result", begin_inspection(user=user, given=form.given()).pk)
            except (Conflict, Invalid, TooLarge) as refusal:
                show_refusal(form, refusal)
    limits = limits_for(user)
    context = {
        "form": form,
        "limits": {"size": limits.size, "files": limits.files, "rows": limits.rows, "at_once": _MOST_AT_ONCE},
        "signed_in": user is not None,
        "template_url": reverse("metadata_template"),
    }
    response = render(request, "pages/inspect.html", context, status=429 if wait else 200)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response


@require_safe
def inspect_result(request: HttpRequest, inspection_id: UUID) -> HttpResponse:
    """How far a dry run has come, then what it found. The page renews itself until then."""
    found = inspection_for(person(request.user), inspection_id)
    context = {
        "inspection": _shown(found),
        "running": found.state not in INSPECTION_OVER,
        "failed": found.words if found.state == InspectionState.FAILED else "",
        "again_url": reverse("inspect"),
    }
    if found.report is not None:
        context |= _told(request, found.report) | {"csv_url": reverse("inspect_csv", args=[found.pk])}
    return render(request, "pages/inspect_result.html", context)


@require_safe
def inspect_csv(request: HttpRequest, inspection_id: UUID) -> HttpResponse | StreamingHttpResponse:
    """The verdict of every file as CSV."""
    found = inspection_for(person(request.user), inspection_id)
    if found.report is None:
        raise Conflict("The dry run has no report yet.", remedy="Wait until it has ended.")
    return csv_answer(csv_rows(found.report), name=f"dry-run-{found.pk}.csv")


def _shown(inspection: Inspection) -> dict[str, Any]:
    names = [row["name"] for row in inspection.given]
    return {
        "id": str(inspection.pk),
        "name": names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1:,} more",
        "size": inspection.size,
        "state": inspection.state,
        "created": inspection.created,
        "expires": inspection.expires,
        "done": inspection.done,
        "total": inspection.total,
        "waiting": inspection.state == InspectionState.WAITING,
    }


def _told(request: HttpRequest, report: dict[str, Any]) -> dict[str, Any]:
    outcome = request.GET.get("outcome", "")
    files = [file for file in report["files"] if not outcome or file["outcome"] == outcome]
    start = min(_number(request.GET.get("from", "")), len(files))
    shown = files[start : start + _ROWS]
    told = [image for image in report.get("images", ()) if image["kind"] != "picture" or image["notes"]]
    return {
        "clean": report["clean"],
        "any_files": bool(report["files"] or report["refused"]),
        "counts": _counts(request, report, outcome),
        "refused": report["refused"],
        "files": shown,
        "previous_url": address(request, **{"from": max(0, start - _ROWS) or None}) if start else None,
        "next_url": address(request, **{"from": start + _ROWS}) if start + _ROWS < len(files) else None,
        "images": [_image(image) for image in told[:_ROWS]],
        "more_images": max(0, len(told) - _ROWS),
        "told_by_exif": _tally(report, "exif"),
        "removed": _tally(report, "removed"),
        "alike": [file for file in report["files"] if file["alike"]][:_ROWS],
        "sheet": report["metadata"],
    }


def _image(image: dict[str, Any]) -> dict[str, Any]:
    """An image as the page tells of it: what is said of it in words, each with its title."""
    facts = image["facts"]
    spacing = [(axis, length) for axis, length in (image["spacing"] or {}).items() if length is not None]
    factor, unit = (1000, "µm") if image["kind"] == "slide" else (1, "mm")
    said = {
        "modality": facts.get("modality", ""),
        "body part": _meanings(facts.get("body_part")),
        "laterality": facts.get("laterality", ""),
        "stain": _meanings(facts.get("stain")),
        "device": " ".join(str(facts[key]) for key in ("manufacturer", "model") if facts.get(key)),
        "device as stated (not public)": "; ".join(map(str, facts.get("stated", ()))),
        "windows": ", ".join(f"{window['centre']:g} ± {window['width'] / 2:g}" for window in image["windows"][:4]),
    }
    return {
        **image,
        "first": image["files"][0],
        "file_count": len(image["files"]),
        "spacing_words": ", ".join(f"{axis} {factor * length:.4g}" for axis, length in spacing) + f" {unit}"
        if spacing
        else "",
        "said": [(title, words) for title, words in said.items() if words],
    }


def _meanings(codes: dict[str, str] | list[dict[str, str]] | None) -> str:
    each = [codes] if isinstance(codes, dict) else codes or []
    return ", ".join(code["meaning"] for code in each)


def _counts(request: HttpRequest, report: dict[str, Any], chosen: str) -> list[dict[str, Any]]:
    if not report["files"]:
        return []
    numbers = report["counts"]
    choices = [("", "All", len(report["files"]))]
    choices += [(name, state_chip(name).label, numbers[name]) for name in _ORDER if numbers.get(name)]
    return [
        {
            "state": name,
            "label": label,
            "count": number,
            "url": address(request, outcome=name, **{"from": None}),
            "selected": name == chosen,
        }
        for name, label, number in choices
    ]


def _tally(report: dict[str, Any], key: str) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for file in report["files"]:
        for kind in file[key]:
            counts[kind] = counts.get(kind, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
