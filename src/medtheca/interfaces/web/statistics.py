"""How much there is, in numbers and charts: of what whoever looks may see."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from medtheca.domains.search.overview import Overview, overview_for
from medtheca.interfaces.web.people import person
from medtheca.interfaces.web.templatetags.words import file_size, thousands
from medtheca.toolkit.querylang import FIELDS, Equals, to_text
from medtheca.toolkit.schemas import find_licence
from medtheca.workflows.statistics import Statistics, statistics_for

_MOST = 15
_WIDTH, _HEIGHT, _WIDEST = 720, 140, 36
_TABLES = (
    ("diagnosis_1", "Diagnosis", "Diagnosis"),
    ("diagnosis_3", "Diagnosis in detail", "Diagnosis"),
    ("image_type", "How images were taken", "Type"),
    ("modality", "Modality", "Modality"),
    ("copyright_license", "Licence", "Licence"),
    ("attribution", "Contributors", "To be named"),
)


@require_safe
def statistics(request: HttpRequest) -> HttpResponse:
    """Everybody; each counts what they see."""
    asker = person(request.user)
    numbers, overview = statistics_for(asker), overview_for(asker)
    context = {
        "numbers": _numbers(numbers, overview),
        "growth": _growth(overview.months),
        "tables": [
            _table(name, title, column, overview)
            for name, title, column in _TABLES
            if overview.values[name] or name == "diagnosis_1"
        ],
        "api_url": "/api/v2/stats/overview/",
    }
    return render(request, "pages/statistics.html", context)


def _numbers(numbers: Statistics, overview: Overview) -> list[dict[str, str]]:
    return [
        {"label": "Images", "value": thousands(overview.images)},
        {"label": "Public images", "value": thousands(numbers.public_images)},
        {"label": "Lesions", "value": thousands(numbers.lesions)},
        {"label": "Collections", "value": thousands(numbers.collections)},
        {"label": "Contributors named", "value": thousands(len(overview.values["attribution"]))},
        {"label": "Size of the files", "value": file_size(overview.bytes)},
    ]


def _growth(months: dict[str, int]) -> dict[str, Any]:
    """Bars of how many there were at the end of each month, in an area of 720 by 140."""
    totals = list(accumulate(months.values()))
    wide = _WIDTH / max(1, len(totals))
    most = max(totals, default=1)
    rows = []
    for at, (month, number) in enumerate(months.items()):
        height = round(_HEIGHT * totals[at] / most, 2)
        bar = {"x": round(at * wide, 2), "y": round(_HEIGHT - height, 2), "width": round(min(wide * 0.9, _WIDEST), 2)}
        rows.append({"month": month, "number": number, "total": totals[at], "height": height, **bar})
    return {
        "rows": rows,
        "width": _WIDTH,
        "height": _HEIGHT,
        "first": next(iter(months), ""),
        "total": sum(totals[-1:]),
    }


def _table(name: str, title: str, column: str, overview: Overview) -> dict[str, Any]:
    values = overview.values[name]
    shown = list(values.items())[:_MOST]
    rows = [
        {
            "label": _label(name, value),
            "url": f"{reverse('gallery')}?{urlencode({'q': to_text(Equals(FIELDS[name], value))})}",
            "number": number,
            "share": round(100 * number / overview.images, 2),
        }
        for value, number in shown
    ]
    return {
        "name": name,
        "title": title,
        "column": column,
        "rows": rows,
        "others": len(values) - len(shown),
        "others_number": sum(values.values()) - sum(number for _, number in shown),
        "missing": overview.missing[name],
    }


def _label(name: str, value: str) -> str:
    return find_licence(value).isic_code if name == "copyright_license" else value
