"""What an archive holds, to be taken away: its values as a table, lists of its images and of its files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from medtheca.base.errors import Invalid
from medtheca.domains.archives.access import require_taking_away, standing_in
from medtheca.domains.archives.queries import archive_of_slug
from medtheca.domains.archives.searching import sockets_in
from medtheca.domains.archives.table import LONGEST_IN_CSV, exported
from medtheca.domains.archives.taking import list_files, list_images
from medtheca.domains.trials.scratch import scratch_root
from medtheca.interfaces.http.spreadsheets import csv_answer
from medtheca.interfaces.web.archives.frame import frame
from medtheca.interfaces.web.archives.items import found_items, read_search
from medtheca.interfaces.web.people import signed_in
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.sheets import LONGEST_CELL
from medtheca.toolkit.workbooks import XLSX_TYPE, write_workbook

if TYPE_CHECKING:
    from medtheca.domains.archives.models import Archive


def open_for_export(request: HttpRequest, slug: str) -> Archive:
    """An archive of which the person may take files and values away. Raises `NotFound` or `NotAllowed`."""
    user = signed_in(request)
    archive = archive_of_slug(user, slug)
    require_taking_away(user, archive)
    return archive


@login_required
@require_safe
def archive_values_csv(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """The items that the address asks for, as the table shows them: a line each, a column each socket."""
    archive = open_for_export(request, slug)
    return csv_answer(_rows(request, archive), name=f"{archive.slug}-values.csv")


@login_required
@require_safe
def archive_values_xlsx(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The same as a workbook, whose cells have types: no text of it is a formula, whatever it begins with."""
    archive = open_for_export(request, slug)
    folder = scratch_root()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
        try:
            write_workbook(_rows(request, archive, workbook=True), file, folder=folder)
        except Refused as refused:
            raise Invalid(refused.message, remedy=refused.remedy) from None
        # The answer closes it when it is sent.
        stack.pop_all()
    file.seek(0)
    response = FileResponse(file, as_attachment=True, filename=f"{archive.slug}-values.xlsx", content_type=XLSX_TYPE)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _rows(request: HttpRequest, archive: Archive, *, workbook: bool = False) -> Iterator[tuple[str | int | float, ...]]:
    sockets = sockets_in(archive)
    search = read_search(request, archive, sockets)
    if search.error:
        raise Invalid(search.error)
    longest = LONGEST_CELL if workbook else LONGEST_IN_CSV
    return exported(found_items(archive, search), sockets, signed_in(request), longest=longest, typed=workbook)


@login_required
@require_safe
def archive_export(request: HttpRequest, slug: str) -> HttpResponse:
    """The tab: what can be taken away, and how programs do it."""
    archive = open_for_export(request, slug)
    return render(
        request, "pages/archives/export.html", frame(archive, standing_in(request.user, archive), "archive_export")
    )


@login_required
@require_safe
def archive_images_csv(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """A line for each image of an item."""
    archive = open_for_export(request, slug)
    return csv_answer(list_images(archive, request.user), name=f"{archive.slug}-images.csv")


@login_required
@require_safe
def archive_manifest(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """A line for each file, with its SHA-256."""
    archive = open_for_export(request, slug)
    return csv_answer(list_files(archive, request.user), name=f"{archive.slug}-manifest.csv")
