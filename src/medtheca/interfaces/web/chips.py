"""What a search asks for in words, part by part, each with the address without it."""

from __future__ import annotations

from typing import Any

from medtheca.base.errors import DomainError
from medtheca.domains.collections.queries import collection_for
from medtheca.domains.provenance.queries import cohort_for
from medtheca.interfaces.web.facets import bounds_of, label_of, value_label
from medtheca.interfaces.web.people import person
from medtheca.interfaces.web.searching import Search
from medtheca.toolkit.querylang import (
    Equals,
    Node,
    Range,
    Subtree,
    ValueKind,
    Words,
    choice_of,
    parts_of,
    to_text,
    without_part,
)


def active_filters(search: Search, *, tell_gain: bool) -> list[dict[str, Any]]:
    """The parts of a search; with `tell_gain` also how many images there are without each, the most first."""
    active = []
    for part in parts_of(search.tree):
        rest = without_part(search.tree, part)
        gain = search.count(rest) if tell_gain else None
        active.append({"label": _words(part, search), "remove_url": search.address(rest), "gain": gain})
    return sorted(active, key=lambda one: -one["gain"]) if tell_gain else active


def _words(part: Node, search: Search) -> str:
    if isinstance(part, Words):
        return f"“{part.text}”"
    if isinstance(part, Range) and part.field.kind is ValueKind.NUMBER:
        return _range_words(part)
    leaf = next(iter(getattr(part, "parts", (part,))))
    chosen = choice_of(part, leaf.field) if isinstance(leaf, Equals | Subtree) else ()
    if not chosen:
        return to_text(part)
    return f"{label_of(chosen[0].field)}: {' or '.join(_value(one, search) for one in chosen)}"


def _value(leaf: Equals | Subtree, search: Search) -> str:
    if isinstance(leaf, Subtree):
        return leaf.term
    if isinstance(leaf.value, str):
        return _name(leaf.field.name, leaf.value, search) if leaf.field.by_name else leaf.value
    if isinstance(leaf.value, bool):
        return value_label(leaf.field, "true" if leaf.value else "false")
    return f"{leaf.value.normalize():f}"


def _name(field: str, text: str, search: Search) -> str:
    """A cohort's or a collection's name, where the asker may see it."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        return text
    try:
        if field == "cohort":
            return cohort_for(person(search.asker), int(text)).name
        return collection_for(search.asker, int(text)).name
    except DomainError:
        return text


def _range_words(part: Range) -> str:
    label = label_of(part.field)
    least, most = bounds_of(part)
    above = "from" if part.low and part.low.inclusive else "above"
    below = "up to" if part.high and part.high.inclusive else "below"
    if not most:
        return f"{label}: {least} and above" if above == "from" else f"{label}: above {least}"
    if not least:
        return f"{label}: {below} {most}"
    if (above, below) == ("from", "up to"):
        return f"{label}: {least}" if least == most else f"{label}: {least} to {most}"
    return f"{label}: {above} {least}, {below} {most}"
