"""Names of a spreadsheet that mean no image, or more than one: which is meant, or that the row is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Invalid
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.provenance.access import visible_accessions
from medtheca.domains.provenance.matching import match_names, names_of
from medtheca.interfaces.http.file_urls import file_url
from medtheca.interfaces.web.paging import address
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.sheets.steps import sheet_context
from medtheca.workflows.describe import file_to_edit, set_matches

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.metadata.models import MetadataFile

_ROWS = 50
_OUT, _OTHER = "out", "other"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def metadata_names(request: HttpRequest, file_id: int) -> HttpResponse:
    """Say which image each name means; the spreadsheet is checked again then."""
    user = signed_in(request)
    file = file_to_edit(user, file_id)
    rows = _rows(file)
    start = _start(request)
    shown = rows[start : start + _ROWS]
    errors: dict[str, str] = {}
    if request.method == "POST":
        matches, errors = _matches(file, shown, request.POST, start=start)
        if request.POST.get("all") == _OUT:
            left_out: dict[str, int | None] = {row["name"]: None for row in rows if not row["decided"]}
            matches = left_out | matches
        if not errors and matches:
            try:
                set_matches(user=user, file_id=file_id, matches=matches)
            except Invalid as refusal:
                errors = {problem.field: problem.message for problem in refusal.problems}
            else:
                return redirect("metadata_file", file_id)
    pictures = _pictures(user, [candidate["accession"] for row in shown for candidate in row["candidates"]])
    given = request.POST if request.method == "POST" else None
    context = sheet_context(file, step="names") | {
        "rows": [_shown(place, row, pictures, given, errors) for place, row in enumerate(shown, start)],
        "open_count": sum(not row["decided"] for row in rows),
        "error_count": len(errors),
        "previous_url": address(request, start=max(0, start - _ROWS) or None) if start else None,
        "next_url": address(request, start=start + _ROWS) if start + _ROWS < len(rows) else None,
    }
    return render(request, "pages/sheets/names.html", context, status=400 if errors else 200)


def _rows(file: MetadataFile) -> list[dict[str, Any]]:
    """Names that nobody has decided on, then those that somebody has, so that a decision can be changed."""
    open_rows = [{**row, "decided": False, "chosen": ""} for row in file.report.get("unmatched_rows", [])]
    names = names_of(file.cohort, [pk for pk in file.matches.values() if pk])
    decided = [
        {
            "name": name,
            "line": None,
            "candidates": [{"accession": pk, "name": names[pk]}] if pk in names else [],
            "decided": True,
            "chosen": str(pk) if pk in names else _OUT,
        }
        for name, pk in file.matches.items()
    ]
    return open_rows + decided


def _matches(
    file: MetadataFile, rows: list[dict[str, Any]], given: QueryDict, *, start: int
) -> tuple[dict[str, int | None], dict[str, str]]:
    """What was chosen, by name, and what is wrong with it. Rows without a choice are left as they are."""
    matches: dict[str, int | None] = {}
    typed: dict[str, str] = {}
    for place, row in enumerate(rows, start):
        choice, other = given.get(f"match-{place}", ""), given.get(f"other-{place}", "").strip()
        if choice == _OUT:
            matches[row["name"]] = None
        elif choice == _OTHER or (other and not choice):
            typed[row["name"]] = other
        elif choice.isascii() and choice.isdecimal():
            matches[row["name"]] = int(choice)
    found = match_names(file.cohort, [name for name in typed.values() if name])
    errors: dict[str, str] = {}
    for name, other in typed.items():
        match = found.get(other)
        if match is None or match.accession_id is None:
            near = ", ".join(candidate for _, candidate in match.candidates) if match else ""
            hint = f" Did you mean {near}?" if near else ""
            errors[name] = f"No image of the cohort is called {other}.{hint}" if other else "Type the name of an image."
        else:
            matches[name] = match.accession_id
    return matches, errors


def _pictures(user: User, accession_ids: list[int]) -> dict[int, str]:
    rows = visible_accessions(user).select_related("image").filter(pk__in=accession_ids, image__isnull=False)
    return {row.pk: file_url(row.image, FileKind.THUMBNAIL) for row in rows if row.image is not None}


def _shown(
    place: int, row: dict[str, Any], pictures: dict[int, str], given: QueryDict | None, errors: dict[str, str]
) -> dict[str, Any]:
    return {
        "place": place,
        "name": row["name"],
        "line": row["line"],
        "decided": row["decided"],
        "chosen": given.get(f"match-{place}", "") if given else row["chosen"],
        "other": given.get(f"other-{place}", "") if given else "",
        "error": errors.get(row["name"], ""),
        "candidates": [
            {"value": str(one["accession"]), "name": one["name"], "thumbnail_url": pictures.get(one["accession"], "")}
            for one in row["candidates"]
        ],
    }


def _start(request: HttpRequest) -> int:
    text = request.POST.get("start", "") or request.GET.get("start", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
