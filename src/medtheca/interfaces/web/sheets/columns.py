"""What the columns of a spreadsheet are: fields, kept as they are, or left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Invalid
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.sheets.steps import sheet_context
from medtheca.toolkit.schemas import DERMATOLOGY, Use
from medtheca.toolkit.schemas.mapping import FILENAME
from medtheca.workflows.describe import file_to_edit, set_mapping

if TYPE_CHECKING:
    from medtheca.domains.metadata.models import MetadataFile

_UNSTRUCTURED, _IGNORE, _FIELD = "unstructured", "ignore", "field:"
_CHOSEN = "chosen"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def metadata_columns(request: HttpRequest, file_id: int) -> HttpResponse:
    """Say what each column is; the spreadsheet is checked again then."""
    user = signed_in(request)
    file = file_to_edit(user, file_id)
    errors: dict[str, str] = {}
    given: QueryDict | None = None
    if request.method == "POST":
        given = request.POST
        try:
            set_mapping(user=user, file_id=file_id, mapping=_mapping(file, given))
        except Invalid as refusal:
            errors = {problem.field: f"{problem.message} {problem.remedy}".strip() for problem in refusal.problems}
        else:
            return redirect("metadata_file", file_id)
    context = sheet_context(file, step="columns") | {
        "columns": [_row(place, column, given, errors) for place, column in enumerate(file.report.get("columns", []))],
        "error_count": len(errors),
        "fields": _fields(),
    }
    return render(request, "pages/sheets/columns.html", context, status=400 if errors else 200)


def _mapping(file: MetadataFile, given: QueryDict) -> dict[str, Any]:
    """What was chosen, without choices that only repeat what the names of the columns say."""
    mapping: dict[str, Any] = {}
    for place, column in enumerate(file.report.get("columns", [])):
        choice = given.get(f"use-{place}", "")
        asked = bool(column["suggested"]) or column["how"] == _CHOSEN
        if not choice or (choice == _choice_of(column) and not asked):
            continue
        name = column["column"]
        if choice == _IGNORE:
            mapping[name] = {"ignore": True}
        elif choice == _UNSTRUCTURED:
            mapping[name] = {"unstructured": column["name"] if column["use"] == Use.UNSTRUCTURED else name}
        else:
            mapping[name] = {"field": choice.removeprefix(_FIELD)}
    return mapping


def _choice_of(column: dict[str, Any]) -> str:
    choices = {
        Use.FILENAME: f"{_FIELD}{FILENAME}",
        Use.FIELD: f"{_FIELD}{column['name']}",
        Use.IGNORE: _IGNORE,
        Use.RECIPE: "",
    }
    return choices.get(Use(column["use"]), _UNSTRUCTURED)


def _row(place: int, column: dict[str, Any], given: QueryDict | None, errors: dict[str, str]) -> dict[str, Any]:
    suggested = column["suggested"]
    item = DERMATOLOGY.by_name.get(suggested)
    asked = bool(suggested) and column["how"] != _CHOSEN
    return {
        "place": place,
        "column": column["column"],
        "examples": column["examples"],
        "choice": given.get(f"use-{place}", "") if given else _choice_of(column),
        "by_recipe": column["use"] == Use.RECIPE,
        "field": column["name"],
        "suggested": {"value": f"{_FIELD}{suggested}", "label": item.label if item else suggested} if asked else None,
        "state": _state(column, asked=asked),
        "remark": "" if asked else column["remark"],
        "error": errors.get(column["column"], ""),
    }


def _state(column: dict[str, Any], *, asked: bool) -> dict[str, str]:
    """A chip: how the column was understood."""
    if asked:
        return {"icon": "circle-help", "tone": "warning", "label": "Did you mean?"}
    if column["how"] == _CHOSEN:
        return {"icon": "user-round", "tone": "info", "label": "Chosen"}
    if column["use"] in {Use.FIELD, Use.FILENAME, Use.RECIPE}:
        return {"icon": "circle-check", "tone": "success", "label": "Known"}
    if column["use"] == Use.IGNORE:
        return {"icon": "circle-slash", "tone": "", "label": "Left out"}
    return {"icon": "circle-dashed", "tone": "", "label": "Unknown"}


def _fields() -> list[dict[str, Any]]:
    """Fields by their group, as a select shows them."""
    groups: dict[str, list[dict[str, str]]] = {}
    for item in DERMATOLOGY.fields:
        option = {"value": f"{_FIELD}{item.name}", "label": f"{item.label} ({item.name})"}
        groups.setdefault(str(item.group), []).append(option)
        for level in item.level_names:
            groups[str(item.group)].append({"value": f"{_FIELD}{level}", "label": f"{item.label}: {level}"})
    return [{"label": label.replace("_", " ").capitalize(), "options": options} for label, options in groups.items()]
