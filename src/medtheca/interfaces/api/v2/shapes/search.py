"""Queries, sizes and facets, as the ISIC Archive's clients send and read them."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Schema
from pydantic import AfterValidator, Field

from medtheca.domains.collections.pins import MOST_PINNED
from medtheca.domains.search.facets import Counts
from medtheca.interfaces.api.v2.shapes.common import Given
from medtheca.toolkit.querylang import FIELDS, LONGEST_QUERY, SearchField, ValueKind
from medtheca.toolkit.schemas import LICENCES
from medtheca.toolkit.schemas.registry import Histogram, Ranges, Terms

_MOST_COLLECTIONS = 100
_LEFT_OUT = frozenset({"patient_id", "lesion_id", "rcm_case_id"})
ISIC_FACETS = tuple(
    name for name, field in FIELDS.items() if field.isic and field.facet is not None and name not in _LEFT_OUT
)
"""What is counted where nobody names fields."""

_OPEN = "*"


def collection_ids_in(text: str) -> str:
    """Ids of collections with commas between them, tidied. Raises ValueError."""
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if not all(part.isascii() and part.isdecimal() and len(part) < 20 for part in parts):
        raise ValueError("Write the ids of collections, such as 1,2.")
    if len(parts) > _MOST_COLLECTIONS:
        raise ValueError(f"At most {_MOST_COLLECTIONS} collections can be named.")
    return ",".join(parts)


class SearchQuery(Schema):
    """Which images."""

    query: str = Field(
        "",
        description=f"In the query language, up to {LONGEST_QUERY:,} characters; empty for all.",
        examples=["diagnosis_1:Malignant AND age_approx:[20 TO 40]"],
    )
    collections: Annotated[str, AfterValidator(collection_ids_in)] = Field(
        "", description="Ids with commas between them: images of any of these that the caller sees.", examples=["1,2"]
    )

    @property
    def collection_ids(self) -> list[int] | None:
        """The ids; None where none were named."""
        return [int(part) for part in self.collections.split(",")] if self.collections else None


class PinQuery(Schema):
    """In which order."""

    pin_sort: str = Field("", description="With any text, pinned images come before all others, in their order.")


class PinOrderIn(Given):
    """All pinned images, in the order that they are to have."""

    order: list[Annotated[str, Field(max_length=100)]] = Field(
        max_length=MOST_PINNED, description="Public ids or keys.", examples=[["ISIC_0000042", "ISIC_0000007"]]
    )


class TotalSizeOut(Schema):
    """How much there is to download."""

    size: int = Field(description="Bytes of the full files together.")


class FacetQuery(SearchQuery):
    """Which images, and what they are counted by."""

    fields: str = Field("", description="Names of fields with commas between them; empty for those of ISIC's schema.")
    own: bool = Field(True, description="Whether a field's own conditions narrow its counts; else other values show.")


class FacetMetaOut(Schema):
    """How many images have no value, and how many have one."""

    missing_count: int
    present_count: int


class FacetOut(Schema):
    """One field: each bucket has `key` and `doc_count`; of true and false, and of ranges, more."""

    meta: FacetMetaOut
    buckets: list[dict[str, Any]] = Field(examples=[[{"key": "female", "doc_count": 12}]])


def facet_out(name: str, counts: Counts) -> dict[str, Any]:
    """`FacetOut` as plain values."""
    field = FIELDS[name]
    return {
        "meta": {"missing_count": counts.missing, "present_count": counts.present},
        "buckets": _buckets(field, counts.values),
    }


def _buckets(field: SearchField, values: dict[str, int]) -> list[dict[str, Any]]:
    facet = field.facet
    if isinstance(facet, Histogram):
        return _steps(facet, values)
    if isinstance(facet, Ranges):
        return _ranges(facet, values)
    if field.kind is ValueKind.BOOL:
        return [
            {"key": key, "key_as_string": text, "doc_count": values.get(text, 0)}
            for key, text in ((0, "false"), (1, "true"))
        ]
    return [{"key": key, "doc_count": number} for key, number in _terms(field, values)]


def _terms(field: SearchField, values: dict[str, int]) -> list[tuple[str, int]]:
    size = field.facet.size if isinstance(field.facet, Terms) else Terms().size
    if field.name == "copyright_license":
        values = {licence.isic_code: values.get(licence.spdx, 0) for licence in LICENCES}
    elif field.vocabulary is not None and len(field.vocabulary.values) <= size:
        # A short list is shown whole: that there is none of a value is an answer too.
        values = {value: values.get(value, 0) for value in field.vocabulary.values} | values
    if field.name in {"image_type", "fitzpatrick_skin_type"}:
        return list(values.items())
    return sorted(values.items(), key=lambda item: (-item[1], item[0]))[:size]


def _steps(facet: Histogram, values: dict[str, int]) -> list[dict[str, Any]]:
    counted = dict.fromkeys(range(facet.minimum, facet.maximum + 1, facet.interval), 0)
    for text, number in values.items():
        step = int(float(text) // facet.interval) * facet.interval
        counted[step] = counted.get(step, 0) + number
    return [{"key": float(key), "doc_count": number} for key, number in sorted(counted.items())]


def _ranges(facet: Ranges, values: dict[str, int]) -> list[dict[str, Any]]:
    edges = [float(edge) for edge in facet.edges]
    numbers = [0] * len(edges)
    for text, number in values.items():
        below = [at for at, edge in enumerate(edges) if edge <= float(text)]
        if below:
            numbers[below[-1]] += number
    ends = [*edges[1:], None]
    return [
        {
            "key": f"{low}-{_OPEN if high is None else high}",
            "from": low,
            "to": _OPEN if high is None else high,
            "doc_count": number,
        }
        for low, high, number in zip(edges, ends, numbers, strict=True)
    ]
