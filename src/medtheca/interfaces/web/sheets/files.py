"""Spreadsheets of a cohort: giving one, how far it is, applying and undoing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.metadata.enums import MetadataFileState, RowOutcome
from medtheca.domains.metadata.queries import metadata_file_for, metadata_files_of
from medtheca.domains.provenance.access import may_edit, require_editor
from medtheca.domains.provenance.queries import cohort_for
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.deliveries import metadata_rows
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.forms import MetadataForm
from medtheca.interfaces.web.paging import slice_of
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.sheets.steps import sheet_context
from medtheca.toolkit.schemas import DERMATOLOGY, csv_template
from medtheca.workflows.describe import (
    apply_file,
    check_again,
    conflicts_ahead,
    discard_file,
    file_to_edit,
    give_metadata,
    preview_of,
    sheet_with_errors,
    undo_file,
)

if TYPE_CHECKING:
    from medtheca.domains.metadata.models import MetadataFile

_MOST_CONFLICTS = 100


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def metadata_upload(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """Give a cohort a spreadsheet. It is checked by a job, and applied when somebody has looked at it."""
    user = signed_in(request)
    found = cohort_for(user, cohort_id)
    require_editor(user, found, to="describe its images")
    form = MetadataForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            given = give_metadata(
                user=user,
                cohort_id=found.pk,
                name=file.name,
                data=file.read(),
                recipe=form.cleaned_data["recipe"],
                apply_when_ready=False,
            )
        except Invalid as refusal:
            show_refusal(form, refusal)
        else:
            return redirect("metadata_file", given.pk)
    context = {
        "form": form,
        "cohort": {"name": found.name, "url": reverse("cohort", args=[found.pk])},
        "cancel_url": reverse("cohort", args=[found.pk]),
        "template_url": reverse("metadata_template"),
        "list_url": reverse("metadata_files", args=[found.pk]),
    }
    return render(request, "pages/metadata_form.html", context)


@login_required
@require_safe
def metadata_files(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """Every spreadsheet of a cohort with its state, newest first."""
    user = signed_in(request)
    cohort = cohort_for(user, cohort_id)
    found = slice_of(request, metadata_files_of(cohort), size=50)
    context = {
        "cohort": {"name": cohort.name, "url": reverse("cohort", args=[cohort.pk])},
        "files": metadata_rows(found.rows),
        "upload_url": reverse("metadata_upload", args=[cohort.pk]) if may_edit(user, cohort) else None,
        **found.links(),
    }
    return render(request, "pages/sheets/list.html", context)


@login_required
@require_safe
def metadata_file(request: HttpRequest, file_id: int) -> HttpResponse:
    """How far a spreadsheet is, what was found, and what can be done with it now."""
    user = signed_in(request)
    file = metadata_file_for(user, file_id)
    may_change = may_edit(user, file.cohort)
    context = sheet_context(file) | {
        "may_change": may_change,
        "next": _next_step(file) if may_change else None,
        "groups": [] if file.state in {MetadataFileState.APPLIED, MetadataFileState.UNDONE} else _groups(file),
        "applied_by": file.applied_by.shown_name if file.applied_by else "",
        "applied_at": file.applied_at,
        "conflicts": _conflicts(request, file) if may_change and file.state == MetadataFileState.UNDONE else [],
        "upload_url": reverse("metadata_upload", args=[file.cohort_id]),
        "publish_url": reverse("publish", args=[file.cohort_id]),
        "list_url": reverse("metadata_files", args=[file.cohort_id]),
    }
    return render(request, "pages/sheets/file.html", context)


def _groups(file: MetadataFile) -> list[dict[str, Any]]:
    return [
        {**group, "more": max(0, group["count"] - len(group["lines"][:10])), "first_lines": group["lines"][:10]}
        for group in file.report.get("groups", [])
    ]


def _next_step(file: MetadataFile) -> dict[str, str] | None:
    """The one thing to do now: the first step that has something open."""
    report = file.report
    if file.state not in {MetadataFileState.READY, MetadataFileState.INVALID} or not report.get("columns"):
        return None
    open_steps = [step for step in sheet_context(file)["steps"] if step["count"]]
    if open_steps and file.state == MetadataFileState.INVALID:
        # Wrong columns and names make most problems, so they come first.
        words = {"columns": "Look at the columns", "names": "Match the file names", "problems": "Correct the problems"}
        return {"url": open_steps[0]["url"], "words": words[open_steps[0]["name"]]}
    return {"url": reverse("metadata_preview", args=[file.pk]), "words": "Look at what changes"}


def _conflicts(request: HttpRequest, file: MetadataFile) -> list[Any]:
    if not file.report.get("conflicts"):
        return []
    found = preview_of(
        user=signed_in(request), file_id=file.pk, size=_MOST_CONFLICTS, outcome=RowOutcome.CONFLICT.value
    )
    return list(found.rows)


@login_required
@require_POST
def metadata_check(request: HttpRequest, file_id: int) -> HttpResponse:
    """Check a spreadsheet again, because images have come or values have changed."""
    check_again(user=signed_in(request), file_id=file_id)
    return redirect("metadata_file", file_id)


@login_required
@require_POST
def metadata_apply(request: HttpRequest, file_id: int) -> HttpResponse:
    """Apply a spreadsheet that is ready."""
    try:
        apply_file(user=signed_in(request), file_id=file_id, reason=request.POST.get("reason", ""))
    except Invalid as refusal:
        messages.error(request, in_words(refusal))
        return redirect("metadata_preview", file_id)
    except Conflict as refusal:
        if refusal.code != "stale":
            raise
        messages.warning(request, in_words(refusal))
    return redirect("metadata_file", file_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def metadata_undo(request: HttpRequest, file_id: int) -> HttpResponse:
    """Undo an application, after it was said what that may meet."""
    user = signed_in(request)
    file = file_to_edit(user, file_id)
    if request.method == "POST":
        try:
            undo_file(
                user=user,
                file_id=file_id,
                accept_conflicts=request.POST.get("accept_conflicts") == "on",
                reason=request.POST.get("reason", ""),
            )
        except Invalid as refusal:
            messages.error(request, in_words(refusal))
            return redirect("metadata_undo", file_id)
        return redirect("metadata_file", file_id)
    context = sheet_context(file) | {
        "undoable": file.state == MetadataFileState.APPLIED,
        "conflicts": conflicts_ahead(user=user, file_id=file_id),
        "changed": file.report.get("changed", 0),
        "needs_reason": bool(file.report.get("published")),
    }
    return render(request, "pages/sheets/undo.html", context)


@login_required
@require_POST
def metadata_discard(request: HttpRequest, file_id: int) -> HttpResponse:
    """Delete a spreadsheet that changed nothing."""
    user = signed_in(request)
    file = file_to_edit(user, file_id)
    discard_file(user=user, file_id=file_id)
    messages.success(request, f"{file.name} was deleted. It had changed nothing.")
    return redirect("metadata_files", file.cohort_id)


@login_required
@require_safe
def metadata_errors(request: HttpRequest, file_id: int) -> HttpResponse:
    """One's own sheet as CSV, with a last column that says what is wrong in each row."""
    user = signed_in(request)
    file = file_to_edit(user, file_id)
    response = HttpResponse(sheet_with_errors(user=user, file_id=file_id), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="spreadsheet-{file.pk}-with-errors.csv"'
    return response


@require_safe
def metadata_template(request: HttpRequest) -> HttpResponse:
    """An empty CSV with a column for every field, and one row as an example."""
    response = HttpResponse(csv_template(DERMATOLOGY), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="metadata-template.csv"'
    return response
