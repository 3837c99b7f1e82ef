"""The gallery's filters, as its template draws them: options with their counts, and ranges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from medtheca.domains.search.facets import count_values
from medtheca.interfaces.web.searching import Search
from medtheca.toolkit.querylang import (
    FIELDS,
    Chosen,
    Equals,
    Node,
    Range,
    SearchField,
    Subtree,
    ValueKind,
    choice_of,
    is_within,
    range_of,
    to_text,
    toggled,
    with_choice,
    without_range,
)
from medtheca.toolkit.schemas.registry import Histogram, Terms
from medtheca.toolkit.schemas.vocabulary import SEPARATOR, Hierarchy, Vocabulary
from medtheca.workflows.finding import listings

# In the order in which they are shown; what files say comes last.
_DESCRIBED = (
    "diagnosis",
    "age_approx",
    "sex",
    "anatom_site",
    "image_type",
    "copyright_license",
    "fitzpatrick_skin_type",
    "diagnosis_confirm_type",
    "melanocytic",
)
_ALWAYS = frozenset(_DESCRIBED[:6])
# What files say: choices by their values. An archive of photographs has none of them, and shows none.
_SAID = (
    "format",
    "modality",
    "body_part",
    "laterality",
    "stain",
    "magnification",
    "manufacturer",
    "manufacturer_model",
)
# Ranges in forms, by the names that their bounds have in an address.
_RANGES = {"age_approx": ("age", "1"), "slices": ("slices", "1"), "pixel_spacing": ("pixel_spacing", "any")}
LABELS = {"age_approx": "Age"}
Counted = Mapping[str, dict[str, int]]


def filters_shown(search: Search) -> list[dict[str, Any]]:
    """Every filter with its options; each counts as if it were not set itself, so that more can be chosen beside."""
    counted = _count(search, (*_DESCRIBED, "image_kind"))
    # Photographs say nothing of themselves, and counts of nothing would only cost time.
    files_say = bool(set(counted["image_kind"]) - {"picture"})
    if files_say:
        counted |= _count(search, (*_SAID, "slices", "pixel_spacing"))
    names = (*_DESCRIBED, *(("image_kind", *_SAID, "slices", "pixel_spacing") if files_say else ()))
    shown = (_filter(search, FIELDS[name], counted[name]) for name in names)
    return [one for one in shown if one["name"] in _ALWAYS or one["is_chosen"] or one.get("options") or one["has_any"]]


def label_of(field: SearchField) -> str:
    """What a filter is called."""
    label = LABELS.get(field.name, field.label)
    return f"{label} ({field.unit})" if field.unit and field.name != "age_approx" else label


def _count(search: Search, names: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """The number of images by value, of fields that narrow the search without what they narrow it by."""
    trees = {name: _without_own(search.tree, FIELDS[name]) for name in names}
    free = tuple(name for name in names if trees[name] is search.tree)
    found = count_values(search.tree, free, asker=search.asker, listings=listings, with_missing=False) if free else {}
    for name in names:
        if name not in found:
            found |= count_values(trees[name], (name,), asker=search.asker, listings=listings, with_missing=False)
    return {name: counts.values for name, counts in found.items()}


def _without_own(tree: Node, field: SearchField) -> Node:
    if field.name in _RANGES:
        return without_range(tree, field)
    return with_choice(tree, field, ()) if choice_of(tree, field) else tree


def _filter(search: Search, field: SearchField, counted: dict[str, int]) -> dict[str, Any]:
    if field.name in _RANGES:
        return _range(search, field, counted)
    chosen = choice_of(search.tree, field)
    shown = {"name": field.name, "label": label_of(field), "kind": "choice", "is_chosen": bool(chosen)}
    if isinstance(field.vocabulary, Hierarchy):
        grown = list(_grow(search, field, counted, chosen))
        return shown | {"options": grown, "has_any": bool(grown)}
    options = [_option(search, field, value, number, chosen) for value, number in _most(field, counted, chosen)]
    return shown | {"options": options, "has_any": bool(options)}


def _most(field: SearchField, counted: dict[str, int], chosen: Sequence[Chosen]) -> list[tuple[str, int]]:
    """The most frequent values and the chosen ones. Those of a vocabulary are in its order."""
    size = field.facet.size if isinstance(field.facet, Terms) else len(counted)
    kept = dict(sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:size])
    for leaf in chosen:
        kept.setdefault(_value_text(leaf), counted.get(_value_text(leaf), 0))
    order = field.vocabulary.values if isinstance(field.vocabulary, Vocabulary) and field.source != "header" else ()
    places = {value: at for at, value in enumerate(order)}
    return sorted(kept.items(), key=lambda one: (places.get(one[0], len(places)), -one[1], one[0]))


def _grow(
    search: Search, field: SearchField, counted: dict[str, int], chosen: Sequence[Chosen], parent: str | None = None
) -> Iterator[dict[str, Any]]:
    """Terms below `parent` that have images, with those below the chosen ones."""
    assert isinstance(field.vocabulary, Hierarchy)
    for path in field.vocabulary.children(parent):
        inside = any(isinstance(one, Subtree) and is_within(one.path, path) for one in chosen)
        if counted.get(path) or inside:
            yield _option(search, field, path, counted.get(path, 0), chosen, inside=inside)
            if inside:
                yield from _grow(search, field, counted, chosen, path)


def _option(
    search: Search, field: SearchField, value: str, number: int, chosen: Sequence[Chosen], *, inside: bool = False
) -> dict[str, Any]:
    leaf = _leaf(field, value)
    selected = leaf in chosen
    # Of a stranger's word in a closed vocabulary there is a number, and no query.
    is_askable = not field.closed or field.stored_value(value) == value
    return {
        "value": value,
        "label": value_label(field, value),
        "count": number,
        "selected": selected,
        "inside": inside and not selected,
        "level": value.count(SEPARATOR) + 1 if field.kind is ValueKind.HIERARCHY else 1,
        "url": search.address(with_choice(search.tree, field, toggled(chosen, leaf))) if is_askable else None,
    }


def value_label(field: SearchField, value: str) -> str:
    """A value as it is counted, in words."""
    if field.kind is ValueKind.HIERARCHY:
        return value.rsplit(SEPARATOR, 1)[-1]
    return {"true": "yes", "false": "no"}.get(value, value) if field.kind is ValueKind.BOOL else value


def _leaf(field: SearchField, value: str) -> Chosen:
    if field.kind is ValueKind.HIERARCHY:
        return Subtree(field, value)
    if field.kind is ValueKind.BOOL:
        return Equals(field, value == "true")
    return Equals(field, Decimal(value) if field.kind is ValueKind.NUMBER else value)


def _value_text(leaf: Chosen) -> str:
    """The value of a leaf as it is counted."""
    if isinstance(leaf, Subtree):
        return leaf.path
    if isinstance(leaf.value, bool):
        return "true" if leaf.value else "false"
    return f"{leaf.value:g}" if isinstance(leaf.value, Decimal) else leaf.value


def _range(search: Search, field: SearchField, counted: dict[str, int]) -> dict[str, Any]:
    name, step = _RANGES[field.name]
    found = range_of(search.tree, field)
    least, most = bounds_of(found)
    steps = field.facet if isinstance(field.facet, Histogram) else None
    return {
        "name": name,
        "label": label_of(field),
        "kind": "range",
        "step": step,
        "minimum": least or None,
        "maximum": most or None,
        "is_chosen": found is not None,
        "has_any": bool(counted),
        # What a form of the range sends beside it.
        "rest": to_text(without_range(search.tree, field)),
        "histogram": _histogram(steps, counted, least, most) if steps else None,
    }


def bounds_of(found: Range | None) -> tuple[str, str]:
    """The ends of a range as text, empty where it is open."""
    ends = (found.low, found.high) if found else (None, None)
    least, most = (f"{end.value.normalize():f}" if end and isinstance(end.value, Decimal) else "" for end in ends)
    return least, most


def _histogram(facet: Histogram, counted: dict[str, int], least: str, most: str) -> dict[str, Any] | None:
    """Bars of equal steps on a drawing of 100 units in height; what lies beyond the last step is in it."""
    starts = range(facet.minimum, facet.maximum + 1, facet.interval)
    numbers = dict.fromkeys(starts, 0)
    for text, number in counted.items():
        start = int(float(text)) // facet.interval * facet.interval
        numbers[min(max(start, facet.minimum), starts[-1])] += number
    highest = max(numbers.values())
    if not highest:
        return None
    low, high = float(least or "-inf"), float(most or "inf")
    bars = [
        {
            "x": at * 10 + 1,
            "y": 100 - height,
            "height": height,
            "start": start,
            "count": numbers[start],
            "chosen": low <= start <= high,
        }
        for at, start in enumerate(starts)
        # A bar that there is can be seen.
        for height in [max(2, round(100 * numbers[start] / highest)) if numbers[start] else 0]
    ]
    return {
        "bars": bars,
        "width": len(bars) * 10,
        "step": facet.interval,
        "minimum": facet.minimum,
        "maximum": starts[-1],
        "low": least or str(facet.minimum),
        "high": most or str(starts[-1]),
    }
