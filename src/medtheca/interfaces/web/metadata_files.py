"""Spreadsheets of a cohort: giving one, and what came of it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.base.errors import Invalid
from medtheca.domains.metadata.queries import metadata_file_for
from medtheca.domains.provenance.access import require_editor
from medtheca.domains.provenance.queries import cohort_for
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.deliveries import metadata_words
from medtheca.interfaces.web.forms import MetadataForm
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.problems import grouped_problems
from medtheca.toolkit.schemas import DERMATOLOGY, csv_template
from medtheca.workflows.describe import give_metadata


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def metadata_upload(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """Give a cohort a CSV. It is checked and applied by a job; its page tells what came of it."""
    user = signed_in(request)
    found = cohort_for(user, cohort_id)
    require_editor(user, found, to="describe its images")
    form = MetadataForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            given = give_metadata(
                user=user, cohort_id=found.pk, name=file.name, data=file.read(), recipe=form.cleaned_data["recipe"]
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
    }
    return render(request, "pages/metadata_form.html", context)


@login_required
@require_safe
def metadata_file(request: HttpRequest, file_id: int) -> HttpResponse:
    """What came of a spreadsheet: applied, or every problem in it."""
    file = metadata_file_for(signed_in(request), file_id)
    context = {
        "file": {"name": file.name, "state": file.state, "created": file.created, "words": metadata_words(file)},
        "running": file.state in {"checking", "applying"},
        "cohort": {"name": file.cohort.name, "url": reverse("cohort", args=[file.cohort_id])},
        "problems": grouped_problems(file),
        "unmatched": file.report.get("unmatched", [])[:100],
        "unmatched_count": len(file.report.get("unmatched", [])),
        "notes": file.report.get("notes", []),
        "again_url": reverse("metadata_upload", args=[file.cohort_id]),
        "publish_url": reverse("publish", args=[file.cohort_id]),
    }
    return render(request, "pages/metadata_file.html", context)


@require_safe
def metadata_template(request: HttpRequest) -> HttpResponse:
    """An empty CSV with a column for every field, and one row as an example."""
    response = HttpResponse(csv_template(DERMATOLOGY), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="metadata-template.csv"'
    return response
