"""What a spreadsheet would change, or has changed: counts by field, then each image before and after."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from medtheca.domains.metadata.enums import MetadataFileState
from medtheca.interfaces.web.paging import address
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.sheets.steps import sheet_context
from medtheca.workflows.describe import file_to_edit, preview_of

_SIZE = 50


@login_required
@require_safe
def metadata_preview(request: HttpRequest, file_id: int) -> HttpResponse:
    """A page of what changes; with the button that applies it where it is ready."""
    user = signed_in(request)
    file = file_to_edit(user, file_id)
    page, field = _page(request), request.GET.get("field", "")
    found = preview_of(user=user, file_id=file_id, page=page, size=_SIZE, field=field)
    context = sheet_context(file, step="preview") | {
        "preview": found,
        "field": field,
        "field_label": next((row.label for row in found.fields if row.field == field), field),
        "fields": [
            {"row": row, "url": address(request, field=row.field, page=None), "selected": row.field == field}
            for row in found.fields
        ],
        "all_url": address(request, field=None, page=None),
        "ready": file.state == MetadataFileState.READY,
        "changing": file.report.get("changing", 0),
        "published": file.report.get("published", 0),
        "apply_url": reverse("metadata_apply", args=[file.pk]),
        "previous_url": address(request, page=found.page - 1) if found.page > 1 else None,
        "next_url": address(request, page=found.page + 1) if found.page < found.pages else None,
    }
    return render(request, "pages/sheets/preview.html", context)


def _page(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 1
