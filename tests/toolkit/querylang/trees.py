"""Trees and texts by chance, for hypothesis."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import strategies as st

from medtheca.toolkit.querylang import (
    FIELDS,
    Bound,
    Equals,
    Everything,
    Nothing,
    Present,
    Range,
    Subtree,
    ValueKind,
    Wildcard,
    Words,
    all_of,
    any_of,
    none_of,
)
from medtheca.toolkit.querylang.literals import MOST_STARS

ALL = tuple(FIELDS.values())
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
NUMBERS = st.decimals(-(10**6), 10**6, places=2).map(lambda number: number + 0)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def values_of(draw, field):
    """A value that is stored, or one that might be."""
    if field.kind is ValueKind.BOOL:
        return draw(st.booleans())
    if field.kind is ValueKind.NUMBER:
        return draw(st.one_of(NUMBERS, st.integers(0, 100).map(Decimal)))
    if field.vocabulary is not None and (field.closed or field.shown):
        return draw(st.sampled_from(field.vocabulary.values))
    if field.by_name:
        return draw(TEXT.filter(str.strip))
    known = st.sampled_from(field.vocabulary.values) if field.vocabulary else TEXT
    return draw(st.one_of(known, TEXT).filter(lambda text: field.stored_value(text) == text))


@st.composite
def pieces(draw):
    middle = draw(st.lists(TEXT.filter(bool), max_size=MOST_STARS - 1))
    found = (draw(TEXT), *middle, draw(TEXT))
    return found if any(found) else ("a", "")


@st.composite
def ranges(draw, field, bounds):
    low, high = draw(st.one_of(st.none(), bounds)), draw(st.one_of(st.none(), bounds))
    if low is None and high is None:
        low = draw(bounds)
    free = field.kind is ValueKind.NUMBER
    return Range(
        field,
        None if low is None else Bound(low, draw(st.booleans()) if free else True),
        None if high is None else Bound(high, draw(st.booleans()) if free else False),
    )


@st.composite
def leaves(draw, fields=ALL, values=values_of, words=None, patterns=pieces):
    """A leaf of any kind that a field has; `values(field)`, `words` and `patterns()` say of what it is made."""
    field = draw(st.sampled_from([*fields, None]))
    if field is None:
        return Words(draw(words if words is not None else TEXT.map(str.strip).filter(bool)))
    kinds = [] if field.by_name else [st.just(Present(field))]
    if field.kind in {ValueKind.KEYWORD, ValueKind.BOOL, ValueKind.NUMBER}:
        kinds += [values(field).map(lambda value: Equals(field, value))] * 2
    if field.kind in {ValueKind.KEYWORD, ValueKind.HIERARCHY} and not field.by_name:
        kinds.append(patterns().map(lambda found: Wildcard(field, tuple(found))))
    if field.kind is ValueKind.HIERARCHY:
        kinds += [st.sampled_from(field.vocabulary.values).map(lambda path: Subtree(field, path))] * 2
    if field.kind is ValueKind.NUMBER:
        kinds += [ranges(field, values(field))] * 2
    if field.kind is ValueKind.DATE:
        kinds += [ranges(field, MOMENTS)] * 2
    return draw(st.one_of(kinds))


def trees(leaf=None, *, most=12):
    """Any tree over leaves, in its one form."""
    return st.recursive(
        st.one_of(leaf if leaf is not None else leaves(), st.sampled_from([Everything(), Nothing()])),
        lambda parts: st.one_of(
            st.lists(parts, min_size=2, max_size=3).map(lambda found: all_of(*found)),
            st.lists(parts, min_size=2, max_size=3).map(lambda found: any_of(*found)),
            parts.map(none_of),
        ),
        max_leaves=most,
    )


_SCRAPS = (
    *(f"{name}:" for name in ("sex", "diagnosis", "age_approx", "melanocytic", "created", "cohort", "nosuch", "age")),
    *("AND", "OR", "NOT", "and", "TO", "-", "(", ")", "[", "]", "{", "}", '"', "*", ">=", "<", ":", ",", "\\", "\n"),
    *("male", "Nevus", "Melanoma Invasive", "true", "50", "-5", "1e400", "9" * 50, "2024-02-30", "2024", "9999-12-31"),
    *("0000", "10mm", "ISIC_0000001", "0/mm^2", "*ma*", "\x00", "\ud800", "é", "'"),
)
SCRAPS = st.lists(st.one_of(st.sampled_from(_SCRAPS), st.text(max_size=3)), max_size=20).flatmap(
    lambda parts: st.sampled_from(["", " "]).map(lambda gap: gap.join(parts))
)
