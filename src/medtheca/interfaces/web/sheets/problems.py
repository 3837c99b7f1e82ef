"""Problems of a spreadsheet by their cause, and correcting them in place: one cell, or all that say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Invalid
from medtheca.domains.metadata.sheets import rows_with_problems
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.paging import address
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.sheets.steps import sheet_context
from medtheca.toolkit.schemas import DERMATOLOGY
from medtheca.toolkit.schemas.grouping import shape_of
from medtheca.workflows.describe import edit_cells, file_to_edit, replace_values

if TYPE_CHECKING:
    from medtheca.domains.metadata.models import MetadataFile
    from medtheca.toolkit.schemas import Field

_ROWS = 50
_MOST_OPTIONS = 80


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def metadata_problems(request: HttpRequest, file_id: int) -> HttpResponse:
    """Every cause with its lines and what would be right; of the chosen one, the bad cells to correct."""
    user = signed_in(request)
    file = file_to_edit(user, file_id)
    groups = file.report.get("groups", [])
    chosen = min(_number(request, "cause"), max(0, len(groups) - 1))
    refused = ""
    if request.method == "POST":
        try:
            number = _correct(request, file)
        except Invalid as refusal:
            refused = in_words(refusal)
        else:
            if number:
                cells = f"{number:,} cell{' was' if number == 1 else 's were'} corrected"
                messages.success(request, f"{cells}. The spreadsheet is being checked again.")
                return redirect(f"{request.path}?cause={chosen}")
            refused = "Nothing was corrected: no cell was changed."
    context = sheet_context(file, step="problems") | {
        "groups": [_group(request, place, group, chosen) for place, group in enumerate(groups)],
        "group": _detail(request, file, groups[chosen], chosen) if groups else None,
        "refused": refused,
        "errors_url": reverse("metadata_errors", args=[file.pk]),
        "problem_count": file.report.get("problem_count", 0),
        "preview_url": reverse("metadata_preview", args=[file.pk]),
    }
    return render(request, "pages/sheets/problems.html", context, status=400 if refused else 200)


def _correct(request: HttpRequest, file: MetadataFile) -> int:
    user, given = signed_in(request), request.POST
    if given.get("do") == "values":
        column = given.get("column", "")
        values = {given.get(f"old-{place}", ""): text for place, text in _numbered(given, "new-") if text.strip()}
        return replace_values(user=user, file_id=file.pk, column=column, values=values) if values else 0
    columns = [column["column"] for column in file.report.get("columns", [])]
    cells: dict[int, dict[str, str]] = {}
    for key, text in _numbered(given, "cell-"):
        line, _, place = key.partition("-")
        if not (line.isdecimal() and place.isdecimal() and int(place) < len(columns)):
            continue
        if text.strip() != given.get(f"was-{key}", ""):
            cells.setdefault(int(line), {})[columns[int(place)]] = text
    if cells:
        edit_cells(user=user, file_id=file.pk, cells=cells)
    return sum(map(len, cells.values()))


def _numbered(given: QueryDict, prefix: str) -> list[tuple[str, str]]:
    return [(name.removeprefix(prefix), str(text)) for name, text in given.items() if name.startswith(prefix)]


def _group(request: HttpRequest, place: int, group: dict[str, Any], chosen: int) -> dict[str, Any]:
    return {
        "message": _cause(group),
        "column": group["column"] or group["field"],
        "count": group["count"],
        "url": address(request, cause=place, start=None),
        "current": place == chosen,
    }


def _cause(group: dict[str, Any]) -> str:
    """What is wrong in general: where the values differ, without any of them."""
    if len(group["values"]) < 2:
        return str(group["message"]).partition(" Did you mean")[0]
    return shape_of(group["message"]).replace("'…'", "…").replace("#", "…")


def _detail(request: HttpRequest, file: MetadataFile, group: dict[str, Any], place: int) -> dict[str, Any]:
    columns = [column["column"] for column in file.report.get("columns", [])]
    editable = group["column"] in columns
    item = DERMATOLOGY.by_name.get(group["field"])
    start = _number(request, "start")
    # As in the grouping: of one code and column there may be several causes, told apart by their words.
    wanted = [{"code": group["code"], "column": group["column"]}]
    rows = rows_with_problems(file).filter(problems__contains=wanted)
    shown = list(rows[start : start + _ROWS + 1])
    cells = [
        _cell(row.line, row.name, problem, columns, editable=editable, given=request.POST)
        for row in shown[:_ROWS]
        for problem in row.problems
        if problem["code"] == group["code"]
        and problem["column"] == group["column"]
        and shape_of(problem["message"]) == shape_of(group["message"])
    ]
    return {
        "cause": place,
        "message": _cause(group),
        "remedy": group["remedy"],
        "column": group["column"],
        "field": group["field"],
        "count": group["count"],
        "lines": group["lines"][:20],
        "more_lines": max(0, group["count"] - 20),
        "editable": editable,
        # Names are chosen on a page of their own, and must differ from each other.
        "values": _values(group, item, request.POST)
        if editable and group["field"] and group["code"] != "duplicate_filename"
        else [],
        "options": _options(item),
        "cells": cells,
        "start": start,
        "previous_url": address(request, start=max(0, start - _ROWS) or None) if start else None,
        "next_url": address(request, start=start + _ROWS) if len(shown) > _ROWS else None,
    }


def _values(group: dict[str, Any], item: Field | None, given: QueryDict) -> list[dict[str, Any]]:
    """With what was typed where it is shown again, else with what the vocabulary suggests."""
    vocabulary = item.vocabulary if item else None
    return [
        {
            "value": found["value"],
            "count": found["count"],
            "message": found["message"],
            "remedy": found["remedy"],
            "typed": given.get(
                f"new-{place}", next(iter(vocabulary.suggest(found["value"])), "") if vocabulary else ""
            ),
        }
        for place, found in enumerate(found for found in group["values"] if found["value"])
    ]


def _options(item: Field | None) -> list[str]:
    if item is None or item.vocabulary is None:
        return []
    terms = getattr(item.vocabulary, "terms", None) or dict.fromkeys(item.vocabulary.values)
    return list(terms) if len(terms) <= _MOST_OPTIONS else []


def _cell(
    line: int, name: str, problem: dict[str, str], columns: list[str], *, editable: bool, given: QueryDict
) -> dict[str, Any]:
    other = problem.get("other_column", "")
    key = f"{line}-{columns.index(problem['column'])}" if editable else ""
    other_key = f"{line}-{columns.index(other)}" if editable and other in columns else ""
    return {
        "line": line,
        "name": name,
        "value": problem["value"],
        "typed": given.get(f"cell-{key}", problem["value"]),
        "message": problem["message"],
        "remedy": problem["remedy"],
        "key": key,
        # What it contradicts may be what is wrong.
        "other": {
            "column": other,
            "value": problem.get("other_value", ""),
            "typed": given.get(f"cell-{other_key}", problem.get("other_value", "")),
            "key": other_key,
        }
        if other_key
        else None,
    }


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "") or request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
