"""Values of items from a spreadsheet: given, its columns settled, looked at, applied."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.base.errors import Conflict, Invalid, NotFound
from medtheca.domains.archives.access import require_uploader
from medtheca.domains.archives.enums import ImportOutcome, ImportState
from medtheca.domains.archives.importing import (
    LONGEST_REASON,
    begin_applying,
    check_again,
    import_for,
    problems_of_rows,
    put_away,
    rows_with,
    visible_imports,
)
from medtheca.domains.sockets.queries import usable_sockets
from medtheca.interfaces.http.spreadsheets import csv_answer
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.archives.frame import frame, open_archive
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.paging import slice_of
from medtheca.interfaces.web.people import signed_in
from medtheca.toolkit.sockets.sheets import Use
from medtheca.workflows.archiving.value_sheets import LIMITS, give_values

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.access import Standing
    from medtheca.domains.archives.models import Archive, ValuesImport

_PAGE = 50
_LATEST = 10
_LEAVE_OUT = "-"


class SheetForm(forms.Form):
    """A spreadsheet, and what is done with it."""

    file = forms.FileField(
        label="Spreadsheet",
        max_length=255,
        help_text="CSV in any common encoding and separator, or a workbook (XLSX, ODS, XLS).",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.xls,.ods"}),
    )
    makes_items = forms.BooleanField(
        required=False,
        label="Titles that nobody has make new items",
        help_text="Else a row whose title is not in the archive is an error.",
    )
    reason = forms.CharField(
        required=False,
        max_length=LONGEST_REASON,
        label="Why",
        help_text="Stands in the history of every item that changes. Without it: the name of the file.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_file(self) -> Any:
        """A file that may be read at once."""
        file = self.cleaned_data["file"]
        if file.size > LIMITS.size:
            raise forms.ValidationError(f"The file has {file.size:,} bytes; {LIMITS.size:,} is the most.")
        return file


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_values_import(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for a spreadsheet; it is checked then, and changes nothing before somebody has looked at it."""
    user = signed_in(request)
    archive, standing = _open(request, slug)
    form = SheetForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        file, said = form.cleaned_data["file"], form.cleaned_data
        try:
            given = give_values(
                archive=archive,
                user=user,
                name=file.name,
                data=file.read(),
                reason=said["reason"],
                makes_items=said["makes_items"],
            )
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            return redirect("archive_values_imported", slug, given.pk)
    latest = visible_imports(user).filter(archive=archive)[:_LATEST]
    context = {
        **frame(archive, standing, "archive_items"),
        "form": form,
        "latest": [{"url": _url(archive, one), "one": one, "state": _chip(one)} for one in latest],
        "limits": LIMITS,
    }
    return render(request, "pages/archives/import.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_values_imported(request: HttpRequest, slug: str, import_id: UUID) -> HttpResponse:
    """One spreadsheet: what is wrong with it, what it would change, what became of it; its buttons send here."""
    user = signed_in(request)
    archive, standing = _open(request, slug)
    given = _given(user, archive, import_id)
    error = ""
    if request.method == "POST":
        try:
            away = _do(request, given, user)
        except (Conflict, Invalid) as refusal:
            error = in_words(refusal)
            given = _given(user, archive, import_id)
        else:
            return redirect(
                "archive_values_import" if away else "archive_values_imported", slug, *([] if away else [import_id])
            )
    context = _page(request, user, archive, standing, given) | {"error": error}
    return render(request, "pages/archives/imported.html", context, status=409 if error else 200)


@login_required
@require_safe
def archive_values_errors(request: HttpRequest, slug: str, import_id: UUID) -> StreamingHttpResponse:
    """Everything that is wrong, a line each: line of the spreadsheet, item, column, value, what is wrong, remedy."""
    user = signed_in(request)
    archive, _ = _open(request, slug)
    given = _given(user, archive, import_id)
    return csv_answer(problems_of_rows(given), name=f"{archive.slug}-errors.csv")


def _open(request: HttpRequest, slug: str) -> tuple[Archive, Standing]:
    archive, standing = open_archive(request, slug)
    require_uploader(signed_in(request), archive, to="change items")
    return archive, standing


def _given(user: User, archive: Archive, import_id: UUID) -> ValuesImport:
    given = import_for(user, import_id)
    if given.archive_id != archive.pk:
        raise NotFound("There is no such spreadsheet of values.")
    return given


def _do(request: HttpRequest, given: ValuesImport, user: User) -> bool:
    """Do what a button says; whether the spreadsheet is gone then."""
    action = request.POST.get("action", "")
    if action == "apply":
        begin_applying(given=given, actor=user, seen=_seen(request))
    elif action == "check":
        makes = request.POST.get("makes_items") == "on"
        check_again(given=given, actor=user, columns=_columns(request, given), makes_items=makes)
    elif action == "away":
        put_away(given=given, actor=user)
        messages.success(request, "The spreadsheet was put away. Nothing was changed by it.")
        return True
    else:
        raise Invalid("It is not clear what to do.", remedy="Use the buttons of this page.")
    return False


def _seen(request: HttpRequest) -> datetime | None:
    """Of which moment the page was that somebody looked at, as its form says."""
    try:
        return datetime.fromisoformat(request.POST.get("seen", ""))
    except ValueError:
        return None


def _columns(request: HttpRequest, given: ValuesImport) -> dict[str, str]:
    """What was chosen for columns, by their names; those of which nothing was said stay unknown."""
    chosen = {}
    for place, column in enumerate(given.report.get("columns", [])):
        said = request.POST.get(f"column-{place}", "")
        if said:
            chosen[column["name"]] = "" if said == _LEAVE_OUT else said
    return chosen


def _page(
    request: HttpRequest, user: User, archive: Archive, standing: Standing, given: ValuesImport
) -> dict[str, Any]:
    report, state = given.report, given.state
    running = state in (ImportState.CHECKING, ImportState.APPLYING)
    outcome = ImportOutcome.CONFLICT if state == ImportState.APPLIED else ImportOutcome.WAITING
    found = slice_of(request, rows_with(given, outcome) if not running else rows_with(given), size=_PAGE)
    columns = [{"place": place, **column} for place, column in enumerate(report.get("columns", []))]
    counts = report.get("counts", {})
    return {
        **frame(archive, standing, "archive_items"),
        "given": given,
        "seen": given.modified.isoformat(),
        "report": report,
        "state": _chip(given),
        "running": running,
        "settled": state in (ImportState.READY, ImportState.INVALID),
        "ready": state == ImportState.READY,
        "applied": state == ImportState.APPLIED,
        "counts": [
            {"label": label, "count": counts.get(name, 0)}
            for name, label in (
                ("added", "Added"),
                ("replaced", "Replaced"),
                ("cleared", "Cleared"),
                ("kept", "Kept as they are"),
                ("made", "New items"),
                ("renamed", "Items renamed"),
            )
        ],
        "unknown": [column for column in columns if column["use"] == Use.UNKNOWN],
        "used": [column for column in columns if column["use"] != Use.UNKNOWN],
        "sockets": usable_sockets(user, scope=archive.scope_id)
        if any(c["use"] == Use.UNKNOWN for c in columns)
        else [],
        "rows": found.rows,
        "row_count": found.total,
        "back_url": reverse("archive_values_import", args=[archive.slug]),
        "items_url": reverse("archive_items", args=[archive.slug]),
        "errors_url": reverse("archive_values_errors", args=[archive.slug, given.pk]),
        **found.links(),
    }


def _chip(given: ValuesImport) -> dict[str, str]:
    """The state as a chip: its icon, tone and word."""
    icon, tone = {
        ImportState.CHECKING: ("clock", "info"),
        ImportState.INVALID: ("circle-alert", "danger"),
        ImportState.READY: ("circle-check", "success"),
        ImportState.APPLYING: ("clock", "info"),
        ImportState.APPLIED: ("circle-check", "success"),
    }[ImportState(given.state)]
    return {"icon": icon, "tone": tone, "label": ImportState(given.state).label}


def _url(archive: Archive, given: ValuesImport) -> str:
    return reverse("archive_values_imported", args=[archive.slug, given.pk])
