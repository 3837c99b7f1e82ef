"""Where each field of the query language is stored, and the conditions on it.

A condition may be unknown where an image has no value; `compile_sql` takes this for no. True and False are what is
known without asking the database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from django.db.models import BooleanField, DecimalField, Exists, Expression, F, Func, IntegerField, OuterRef, Q, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual

from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.search.headers import FACTS
from medtheca.toolkit.bitmaps.archive import ALIKE_FIELDS
from medtheca.toolkit.images.terms import find_body_part, find_stain
from medtheca.toolkit.querylang import Bound, Equals, Range, SearchField, ValueKind, Wildcard
from medtheca.toolkit.schemas import DERMATOLOGY, Kind

STRUCTURED = "accession__description__structured"
TEXTS = {
    "isic_id": "public_id",
    "copyright_license": "accession__licence",
    "attribution": "accession__attribution",
    "patient_id": "accession__patient__public_id",
    "lesion_id": "accession__lesion__public_id",
    "image_kind": "kind",
    "format": "format",
}
NUMBERS = {"pixels_x": "width", "pixels_y": "height", "slices": "depth"}
# Its private ids are stored, and nobody gave out public ones yet.
UNKNOWN = frozenset({"rcm_case_id"})
_ALWAYS = frozenset({*NUMBERS, *ALIKE_FIELDS, "created", "public"})
_LARGEST = 2**31 - 1
_INTEGERS = frozenset(
    column.name for column in DERMATOLOGY.columns.values() if column.public and column.kind is Kind.INTEGER
)
_COMPARISONS: Mapping[tuple[str, bool], Callable[[Any, Any], Any]] = {
    ("low", True): GreaterThanOrEqual,
    ("low", False): GreaterThan,
    ("high", True): LessThanOrEqual,
    ("high", False): LessThan,
}
Answer = Q | bool


def is_structured(field: SearchField) -> bool:
    """Whether a field is a key of an accession's structured values."""
    return field.source == "metadata" and field.name not in TEXTS and field.name not in UNKNOWN


def text_of(field: SearchField) -> Expression | F:
    """The text of a keyword, as it is stored; of a part of the body, its meaning."""
    if field.name in TEXTS:
        return F(TEXTS[field.name])
    if field.name == "body_part":
        return KeyTextTransform("meaning", KeyTransform("body_part", "facts"))
    if field.name in FACTS:
        return KeyTextTransform(FACTS[field.name], "facts")
    return KeyTextTransform(field.name, STRUCTURED)


def number_of(field: SearchField) -> Expression | F:
    """The number of a field that has one column or one key."""
    if field.name in NUMBERS:
        return F(NUMBERS[field.name])
    if field.name in FACTS:
        return _Numeric(KeyTextTransform(FACTS[field.name], "facts"))
    text = KeyTextTransform(field.name, STRUCTURED)
    return Cast(text, IntegerField()) if field.name in _INTEGERS else _Numeric(text)


def present(field: SearchField) -> Answer:
    """Whether the field has a value."""
    name = field.name
    if name in UNKNOWN or name in _ALWAYS:
        return name in _ALWAYS
    if name in TEXTS:
        return Q(**{f"{TEXTS[name]}__gt": ""})
    if name == "pixel_spacing":
        return Q(spacing_x__isnull=False, spacing_y__isnull=False)
    if name == "file_size":
        return Q(Exists(_served_files()))
    if name in FACTS:
        return Q(facts__has_key=FACTS[name])
    # A path has a term on its first level.
    return Q(**{f"{STRUCTURED}__has_key": f"{name}_1" if field.kind is ValueKind.HIERARCHY else name})


def equals(leaf: Equals) -> Answer:
    """Whether the field has this value."""
    field, value = leaf.field, leaf.value
    if field.name in UNKNOWN:
        return False
    if isinstance(value, Decimal):
        both = Bound(value, inclusive=True)
        return lies_between(Range(field, both, both))
    if field.name in TEXTS:
        return Q(**{TEXTS[field.name]: value})
    if field.name in FACTS:
        # The indexes on facts are without images that say nothing.
        return Q(facts__contains={FACTS[field.name]: _fact(field, str(value))}) & ~Q(facts={})
    return Q(**{f"{STRUCTURED}__contains": {field.name: value}})


def _fact(field: SearchField, value: str) -> Any:
    if field.name == "body_part" and (part := find_body_part(value)):
        return {"value": part.value}
    if field.name == "stain" and (stain := find_stain(value)):
        return [{"value": stain.value}]
    return value


def looks_like(leaf: Wildcard) -> Answer:
    """Whether the field's text, or one of several, is like the pieces."""
    field = leaf.field
    if field.name in UNKNOWN:
        return False
    if field.kind is ValueKind.HIERARCHY:
        return _one_of_terms(field, leaf)
    if field.shown:
        return Q(**{f"{TEXTS[field.name]}__in": field.matching_values(leaf.matches)})
    pattern = "%".join(_escaped(piece) for piece in leaf.pieces)
    if field.name == "stain":
        return Q(_AnyMeaningLike(KeyTransform("stain", "facts"), Value(pattern)))
    return Q(_Like(text_of(field), Value(pattern)))


def _one_of_terms(field: SearchField, leaf: Wildcard) -> Answer:
    """Whether any term of the path is like the pieces: every level holds one term."""
    by_level: dict[int, list[str]] = {}
    for path in field.matching_values(leaf.matches):
        terms = path.split(":")
        by_level.setdefault(len(terms), []).append(terms[-1])
    found = Q()
    for level, terms in by_level.items():
        found |= Q(**{f"{STRUCTURED}__{field.name}_{level}__in": terms})
    return found or False


def _escaped(piece: str) -> str:
    return piece.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def lies_between(leaf: Range) -> Answer:
    """Whether the field's number or moment lies between the bounds."""
    field = leaf.field
    if field.name == "created":
        return _compared({"created": None}, leaf)
    if field.name == "pixel_spacing":
        # A pixel that is fine one way and coarse the other is not fine.
        return _compared({"spacing_x": float, "spacing_y": float}, leaf)
    if field.name == "file_size":
        bounds = _whole(leaf, largest=2**63 - 1)
        return bounds if isinstance(bounds, bool) else Q(Exists(_served_files(**_lookups("blob__size", bounds))))
    number = number_of(field)
    if field.name in NUMBERS or field.name in _INTEGERS:
        bounds = _whole(leaf, largest=_LARGEST)
        if isinstance(bounds, bool):
            return present(field) if bounds else False
        return _beside(number, bounds, int)
    return _beside(number, (leaf.low, leaf.high), Decimal)


def counted_between(number: Expression, leaf: Equals | Range) -> Answer:
    """Whether a number of near-duplicates, which most images have none of, is as a leaf says."""
    if isinstance(leaf, Equals):
        assert isinstance(leaf.value, Decimal)
        both = Bound(leaf.value, inclusive=True)
        leaf = Range(leaf.field, both, both)
    bounds = _whole(leaf, largest=_LARGEST)
    if isinstance(bounds, bool):
        return bounds
    found = _beside(number, bounds, int)
    limits = _lookups("number", bounds)
    zero = limits.get("number__gte", 0) <= 0 <= limits.get("number__lte", 0)
    return Q(near_duplicate__isnull=True) | found if zero else Q(near_duplicate__isnull=False) & found


def _beside(number: Expression | F, bounds: tuple[Bound | None, Bound | None], convert: Callable[[Any], Any]) -> Q:
    joined = Q()
    for side, bound in zip(("low", "high"), bounds, strict=True):
        if bound is not None:
            joined &= Q(_COMPARISONS[side, bound.inclusive](number, convert(bound.value)))
    return joined


def _compared(columns: Mapping[str, Any], leaf: Range) -> Q:
    joined = Q()
    for column, convert in columns.items():
        for side, bound in (("gt", leaf.low), ("lt", leaf.high)):
            if bound is not None:
                value = convert(bound.value) if convert else bound.value
                joined &= Q(**{f"{column}__{side}{'e' if bound.inclusive else ''}": value})
    return joined


def _whole(leaf: Range, *, largest: int) -> tuple[Bound | None, Bound | None] | bool:
    """The bounds of a range of whole numbers, or whether it holds every number or none that a column may have."""
    low = _next_whole(leaf.low, up=True)
    high = _next_whole(leaf.high, up=False)
    if (low is not None and low > largest) or (high is not None and high < -largest - 1):
        return False
    low = None if low is None or low < -largest else low
    high = None if high is None or high > largest else high
    if low is None and high is None:
        return True
    return (
        None if low is None else Bound(Decimal(low), inclusive=True),
        None if high is None else Bound(Decimal(high), inclusive=True),
    )


def _next_whole(bound: Bound | None, *, up: bool) -> int | None:
    """The first whole number within a bound."""
    if bound is None:
        return None
    assert isinstance(bound.value, Decimal)
    number = int(bound.value.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))
    if number == bound.value and not bound.inclusive:
        number += 1 if up else -1
    return number


def _lookups(column: str, bounds: tuple[Bound | None, Bound | None]) -> dict[str, int]:
    lookups: dict[str, int] = {}
    for name, bound in zip(("gte", "lte"), bounds, strict=True):
        if bound is not None:
            assert isinstance(bound.value, Decimal)
            lookups[f"{column}__{name}"] = int(bound.value)
    return lookups


def _served_files(**wanted: Any) -> Any:
    return ImageFile.objects.filter(image=OuterRef("pk"), kind=FileKind.PUBLIC, **wanted)


class _Numeric(Func):
    """A text as a number, whatever its digits."""

    template = "(%(expressions)s)::numeric"
    output_field = DecimalField(max_digits=60, decimal_places=30)


class _Like(Func):
    """LIKE, whose pattern is written by `looks_like`."""

    template = "(%(expressions)s)"
    arg_joiner = " LIKE "
    output_field = BooleanField()


class _AnyMeaningLike(Func):
    """Whether one of a list of codes has a meaning that is LIKE the pattern."""

    template = "EXISTS (SELECT 1 FROM jsonb_array_elements(%(expressions)s))"
    arg_joiner = ") AS code WHERE (code->>'meaning') LIKE ("
    output_field = BooleanField()
