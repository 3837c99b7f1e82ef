"""Shapes that every subject uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Generic, TypeVar

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field

from medtheca.toolkit.schemas.licences import LICENCES, find_licence

Item = TypeVar("Item")
LICENCE_NAMES = ", ".join(f"{licence.isic_code} ({licence.spdx})" for licence in LICENCES)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("A NUL character cannot be kept.")
    return text


def _spdx(code: str) -> str:
    try:
        return find_licence(code).spdx
    except LookupError as error:
        raise ValueError(str(error)) from error


def _spdx_or_nothing(code: str) -> str:
    return _spdx(code) if code else ""


Text = Annotated[str, AfterValidator(_without_nul)]
ShortText = Annotated[Text, Field(max_length=255)]
Reason = Annotated[Text, Field(max_length=500, description="Why; it stays on record.", examples=["Consent withdrawn."])]
SpdxLicence = Annotated[
    str, AfterValidator(_spdx), Field(description=f"In ISIC's code or by SPDX: {LICENCE_NAMES}.", examples=["CC-BY"])
]
OptionalSpdxLicence = Annotated[
    str, AfterValidator(_spdx_or_nothing), Field(description=f"Empty, or one of {LICENCE_NAMES}.", examples=["CC-0"])
]


def isic_licence(spdx: str) -> str:
    """ISIC's code of a licence; empty where there is none.

    >>> isic_licence("CC0-1.0"), isic_licence("")
    ('CC-0', '')
    """
    return find_licence(spdx).isic_code if spdx else ""


class Given(Schema):
    """What a caller sends: unknown fields are refused, so that a slip of the pen is told and not passed over."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


def values_given(given: Given, columns: Mapping[str, str]) -> dict[str, Any]:
    """What a caller said, under the names of columns where those are others; what was left out is absent."""
    said = given.model_dump(exclude_unset=True)
    return {columns.get(name, name): value for name, value in said.items() if value is not None}


def answers_with(media_type: str, *, conflict: str = "") -> dict[str, Any]:
    """What the API's description says of a route whose answer is text of a kind, and no JSON.

    `conflict` says when a route that only reads answers 409, which others do not.
    """
    responses: dict[int, Any] = {200: {"description": "OK", "content": {media_type: {"schema": {"type": "string"}}}}}
    if conflict:
        problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
        responses[409] = {"description": conflict, "content": problem}
    return {"responses": responses}


class PageQuery(Schema):
    """Which page."""

    limit: int | None = Field(None, ge=0, description="Rows a page; 100 at most, and 0 or nothing means 100.")
    cursor: str | None = Field(None, description="From `next` or `previous` of a page; opaque.")


class PageOut(Schema, Generic[Item]):
    """A page of a list. Walk it by following `next`, which is a whole address, until it is null."""

    results: list[Item]
    count: int | None = Field(description="How many rows the whole list has, exactly; on the first page only.")
    next: str | None
    previous: str | None


class FieldProblemOut(Schema):
    """What is wrong with one field."""

    field: str
    message: str
    code: str
    remedy: str


class ProblemOut(Schema):
    """Every refusal (RFC 9457). `code` is for programs; `message` and `remedy` are for people."""

    type: str
    title: str
    status: int
    detail: str | list[dict[str, Any]] = Field(
        description="`Unauthorized` with 401, `Not Found` with 404, a list with 422; else as `message`."
    )
    instance: str
    code: str
    message: str
    error: str = Field(description="As `message`, under the name by which some clients of the ISIC Archive know it.")
    remedy: str
    errors: list[FieldProblemOut]
    support: str = Field(description="Where people ask for help; tell them `request_id`.")
    request_id: str
