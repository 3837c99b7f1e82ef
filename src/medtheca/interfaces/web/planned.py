"""Pages that first say what would change, and change it only when its number is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from medtheca.base.errors import Conflict, Invalid, NotAllowed
from medtheca.interfaces.http.spreadsheets import csv_answer
from medtheca.interfaces.web.accounts.forms import show_refusal

if TYPE_CHECKING:
    from medtheca.domains.provenance.plans import Plan

_SHOWN = 200
_OURS = {"csrfmiddlewaretoken", "expected", "format"}


@dataclass(frozen=True, slots=True)
class Planned:
    """A change of many things, as a page.

    Attributes:
        heading: what the page is for.
        lead: a sentence or two on what it does and whether it can be undone.
        look: what would change, from what the form holds. May raise `Invalid` or `Conflict`.
        change: does it; `expected` is the number that the person saw. Returns where to go and has said what was done.
        verb: the button's words for a plan, with its number.
        dangerous: whether it cannot be undone.
        context: what else the template needs, such as `cancel_url` and `crumbs`.
    """

    heading: str
    lead: str
    look: Callable[[Any], Plan]
    change: Callable[[Any, int], HttpResponse]
    verb: Callable[[Plan], str]
    dangerous: bool = False
    context: Mapping[str, Any] = field(default_factory=dict)
    template: str = "pages/planned.html"


def planned(request: HttpRequest, form: forms.Form, page: Planned) -> HttpResponseBase:
    """The form; then the plan with a button that names its number; then the change."""
    plan = None
    if request.method == "POST" and form.is_valid():
        try:
            expected = request.POST.get("expected", "")
            if expected.isdecimal() and not request.POST.get("format"):
                return page.change(form, int(expected))
            plan = page.look(form)
        except (Invalid, Conflict, NotAllowed) as refusal:
            show_refusal(form, refusal)
            plan = _look_again(form, page, refusal)
    if plan is not None and request.POST.get("format") == "csv":
        return _csv(plan)
    context = {
        "form": form,
        "heading": page.heading,
        "lead": page.lead,
        "dangerous": page.dangerous,
        "plan": _shown(plan, page) if plan is not None else None,
        "carried": _carried(request) if plan is not None else [],
        **page.context,
    }
    return render(request, page.template, context)


def _look_again(form: forms.Form, page: Planned, refusal: Exception) -> Plan | None:
    """The plan as it is now, where only the number had changed or something stands in the way."""
    if not isinstance(refusal, Conflict) or refusal.code not in {"changed_meanwhile", "obstacles", "nothing_to_do"}:
        return None
    return page.look(form)


def _shown(plan: Plan, page: Planned) -> dict[str, Any]:
    return {
        "number": plan.number,
        "is_possible": plan.is_possible,
        "button": page.verb(plan),
        "facts": [(words, number) for words, number in plan.facts.items() if number],
        "steps": plan.steps[:_SHOWN],
        "steps_more": max(0, len(plan.steps) - _SHOWN),
        "left": plan.left[:_SHOWN],
        "left_count": len(plan.left),
        "left_more": max(0, len(plan.left) - _SHOWN),
        "obstacles": plan.obstacles[:_SHOWN],
        "obstacle_count": len(plan.obstacles),
        "obstacles_more": max(0, len(plan.obstacles) - _SHOWN),
    }


def _carried(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.POST.lists() if name not in _OURS for value in values]


def _csv(plan: Plan) -> StreamingHttpResponse:
    rows = chain(
        [("what", "subject", "before", "after", "remedy")],
        (("in the way", row.subject, row.words, "", row.remedy) for row in plan.obstacles),
        (("changes", row.subject, row.before, row.after, "") for row in plan.steps),
        (("left alone", row.subject, row.words, "", row.remedy) for row in plan.left),
    )
    return csv_answer(rows, name="preview.csv")
