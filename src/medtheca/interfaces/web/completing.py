"""What may come next in the gallery's query box: fields, and values with how many images the asker sees of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from medtheca.domains.collections.queries import SHORTEST_PREFIX, suggest
from medtheca.domains.search.completing import complete_fields, complete_values
from medtheca.domains.search.naming import Asker
from medtheca.interfaces.web.facets import value_label
from medtheca.toolkit.querylang import FIELDS, LONGEST_QUERY, SearchField, ValueKind, find_field, value_text
from medtheca.workflows.finding import listings

_MOST = 12
# Within the text before the caret; values may stand in a group: `sex:(male OR fe`.
_VALUE = re.compile(
    r"""(?<![A-Za-z0-9_])(?P<field>[A-Za-z_][A-Za-z0-9_]*)\s*:\s*
    (?:\((?:[^()"]|"(?:[^"\\]|\\.)*")*(?:(?<=[\s(-])))?
    (?P<value>"(?P<quoted>[^"]*)|[^\s()":]*)\Z""",
    re.VERBOSE,
)
_FIELD = re.compile(r"(?<![A-Za-z0-9_:])[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something may be put in: `start` to the caret is replaced. Without a field it is a field's name."""

    start: int
    written: str
    field: SearchField | None = None


@require_safe
def gallery_complete(request: HttpRequest) -> JsonResponse:
    """`{start, items: [{text, label, detail, number}]}` for a query `q` with the caret at `at`."""
    text = request.GET.get("q", "")[:LONGEST_QUERY]
    at = request.GET.get("at", "")
    caret = min(int(at), len(text)) if at.isascii() and at.isdecimal() and len(at) < 6 else len(text)
    place = place_in(text[:caret])
    items = [] if place is None else _items(place, request.user)
    return JsonResponse({"start": place.start if place else caret, "items": items})


def place_in(before: str) -> Place | None:
    """What is being written at the end of a text; None where nothing can be put in.

    >>> place_in("sex:(male OR fe")
    Place(start=13, written='fe', field=<sex>)
    >>> place_in("nevus AND diag")
    Place(start=10, written='diag', field=None)
    """
    if match := _VALUE.search(before):
        field = find_field(match["field"])
        if field is None:
            return None
        quoted = match["quoted"]
        return Place(match.start("value"), match["value"] if quoted is None else quoted, field)
    if before.count('"') % 2 == 0 and (word := _FIELD.search(before)):
        return Place(word.start(), word[0])
    return None


def _items(place: Place, asker: Asker) -> list[dict[str, Any]]:
    field, written = place.field, place.written
    if field is None:
        return [
            {"text": f"{one.name}:", "label": one.name, "detail": one.label, "number": None}
            for one in complete_fields(written, most=_MOST)
        ]
    if field is FIELDS["collection"]:
        found = suggest(asker, written) if len(written) >= SHORTEST_PREFIX else []
        return [_item(field, row.name, None) for row in found[:_MOST]]
    values = complete_values(field.name, written, asker=asker, listings=listings, most=_MOST)
    return [_item(field, one.value, one.number) for one in values]


def _item(field: SearchField, value: str, number: int | None) -> dict[str, Any]:
    path = value.rpartition(":")[0].replace(":", ", ") if field.kind is ValueKind.HIERARCHY else ""
    return {
        "text": value_text(field, value),
        "label": value_label(field, value),
        "detail": path,
        "number": number,
    }
